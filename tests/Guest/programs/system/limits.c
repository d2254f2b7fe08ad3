// SPDX-License-Identifier: Apache-2.0
// syscalls: getrlimit setrlimit prlimit64 getrusage getpriority setpriority
// Limits, usage, priority.
#include "../guest.h"
#include <sys/resource.h>

TEST(every_limit) {
    for (int r = 0; r < RLIM_NLIMITS; r++) {
        struct rlimit l;
        OK(SYS(getrlimit, r, &l));
        CHECK(l.rlim_cur <= l.rlim_max);
        OK(SYS(setrlimit, r, &l));
    }
    struct rlimit l;
    CHECK_ERR(SYS(getrlimit, 99, &l), EINVAL);
    CHECK_ERR(SYS(getrlimit, 0, BAD_POINTER), EFAULT);
    CHECK_ERR(SYS(setrlimit, 99, &l), EINVAL);
    l = (struct rlimit){10, 5};
    CHECK_ERR(SYS(setrlimit, RLIMIT_NOFILE, &l), EINVAL);
}
TEST(lowering_and_raising) {
    struct rlimit l = {50, 60}, now;
    OK(setrlimit(RLIMIT_NOFILE, &l));
    OK(getrlimit(RLIMIT_NOFILE, &now));
    CHECK_EQ(now.rlim_cur, 50);
    CHECK_EQ(now.rlim_max, 60);
    CHECK_EXIT(CHILD(
        OK(getrlimit(RLIMIT_NOFILE, &now));
        CHECK_EQ(now.rlim_cur, 50);
        if (geteuid() == 0) OK(setuid(1000));
        l.rlim_cur = 60;
        OK(setrlimit(RLIMIT_NOFILE, &l));
        l.rlim_max = 70;
        CHECK_ERR(setrlimit(RLIMIT_NOFILE, &l), EPERM)), 0);
    unsigned long capabilities = strtoul(strstr(get_file("/proc/self/status"), "CapEff:") + 7, NULL, 16);
    if (capabilities >> 24 & 1 /* CAP_SYS_RESOURCE */) {
        l.rlim_max = 80;
        OK(setrlimit(RLIMIT_NOFILE, &l));
    }
}
TEST(of_another_process) {
    struct rlimit l = {33, 44}, old, now;
    pid_t pid = CHILD(for (;;) pause());
    OK(SYS(prlimit64, pid, RLIMIT_NOFILE, &l, &old));
    CHECK(old.rlim_cur != 33);
    OK(SYS(prlimit64, pid, RLIMIT_NOFILE, NULL, &now));
    CHECK_EQ(now.rlim_cur, 33);
    OK(SYS(prlimit64, 0, RLIMIT_NOFILE, NULL, &now));
    CHECK(now.rlim_cur != 33);
    OK(kill(pid, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
    CHECK_ERR(SYS(prlimit64, pid, RLIMIT_NOFILE, NULL, &now), ESRCH);
    CHECK_ERR(SYS(prlimit64, 0, 99, NULL, &now), EINVAL);
    CHECK_ERR(SYS(prlimit64, 0, RLIMIT_NOFILE, BAD_POINTER, NULL), EFAULT);
}
TEST(cpu_limit) {
    int status;
    pid_t pid = CHILD(
        struct rlimit l = {.rlim_cur = 1, .rlim_max = 2};
        OK(setrlimit(RLIMIT_CPU, &l));
        volatile long n = 0;
        for (;;) n++);
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
    CHECK_EQ(WTERMSIG(status), SIGXCPU);
}
TEST(usage) {
    struct rusage u;
    burn_ms(20);
    OK(SYS(getrusage, RUSAGE_SELF, &u));
    CHECK(u.ru_utime.tv_usec + u.ru_stime.tv_usec > 1000);
    CHECK(u.ru_maxrss > 0);
    OK(getrusage(RUSAGE_THREAD, &u));
    OK(getrusage(RUSAGE_CHILDREN, &u));
    CHECK_EQ(u.ru_utime.tv_sec, 0);
    CHECK_ERR(SYS(getrusage, 99, &u), EINVAL);
    CHECK_ERR(SYS(getrusage, RUSAGE_SELF, BAD_POINTER), EFAULT);
}
TEST(priority) {
    errno = 0;
    int p = getpriority(PRIO_PROCESS, 0);
    CHECK_EQ(errno, 0);
    OK(setpriority(PRIO_PROCESS, 0, p + 5));
    CHECK_EQ(getpriority(PRIO_PROCESS, 0), p + 5);
    // The kernel's own call counts from 1 to 40.
    CHECK_EQ(SYS(getpriority, PRIO_PROCESS, 0), 20 - (p + 5));
    CHECK_EXIT(CHILD(CHECK_EQ(getpriority(PRIO_PROCESS, 0), p + 5)), 0);
    CHECK_EXIT(CHILD(
        if (geteuid() == 0) OK(setuid(1000));
        int e = setpriority(PRIO_PROCESS, 0, p);
        CHECK(e == -1 && (errno == EACCES || errno == EPERM))), 0);
    CHECK_ERR(SYS(getpriority, 9, 0), EINVAL);
    CHECK_ERR(SYS(getpriority, PRIO_PROCESS, 999999), ESRCH);
    CHECK_ERR(setpriority(9, 0, 0), EINVAL);
}
