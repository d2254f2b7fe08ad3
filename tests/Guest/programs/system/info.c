// SPDX-License-Identifier: Apache-2.0
// syscalls: uname sysinfo sethostname setdomainname getcpu getrandom syslog personality sysfs ustat seccomp kcmp ioprio_get ioprio_set vhangup iopl ioperm modify_ldt sched_yield reboot acct swapon swapoff quotactl
// The machine as it is told, and calls that are mostly refused.
#include "../guest.h"
#include <sys/klog.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

TEST(name_of_the_system) {
    struct utsname u;
    OK(uname(&u));
    CHECK_STR(u.sysname, "Linux");
    CHECK_STR(u.machine, "x86_64");
    CHECK_STR(u.nodename, "sandbox");
    if (in_cvisor()) CHECK_STR(u.release, "4.4.0");
    CHECK_ERR(SYS(uname, BAD_POINTER), EFAULT);
}
TEST(host_name) {
    if (geteuid() != 0) SKIP("needs root");
    CHECK_EXIT(CHILD(
        OK(unshare(CLONE_NEWUTS));
        char b[65];
        struct utsname u;
        OK(SYS(sethostname, "another", 7));
        OK(SYS(setdomainname, "domain.example", 14));
        OK(gethostname(b, sizeof b));
        CHECK_STR(b, "another");
        OK(uname(&u));
        CHECK_STR(u.domainname, "domain.example");
        CHECK_ERR(SYS(sethostname, b, 65), EINVAL);
        CHECK_ERR(SYS(sethostname, b, -1), EINVAL);
        CHECK_ERR(SYS(sethostname, BAD_POINTER, 5), EFAULT);
        OK(setuid(1000));
        CHECK_ERR(sethostname("x", 1), EPERM);
        CHECK_ERR(setdomainname("x", 1), EPERM)), 0);
    char b[65];
    OK(gethostname(b, sizeof b));
    CHECK_STR(b, "sandbox");
}
TEST(memory_and_load) {
    struct sysinfo s;
    OK(sysinfo(&s));
    CHECK(s.totalram > 0 && s.freeram <= s.totalram);
    CHECK(s.mem_unit >= 1);
    CHECK(s.procs >= 1);
    CHECK(s.uptime >= 0);
    CHECK_ERR(SYS(sysinfo, BAD_POINTER), EFAULT);
}
TEST(current_cpu) {
    unsigned cpu = 9999, node = 9999;
    OK(SYS(getcpu, &cpu, &node, NULL));
    CHECK(cpu < 1024);
    CHECK(node < 64);
    CHECK(sched_getcpu() >= 0);
    OK(SYS(getcpu, NULL, NULL, NULL));
    CHECK_ERR(SYS(getcpu, BAD_POINTER, NULL, NULL), EFAULT);
}
TEST(random_bytes) {
    unsigned char a[64] = {0}, b[64] = {0};
    CHECK_EQ(SYS(getrandom, a, sizeof a, 0), sizeof a);
    CHECK_EQ(SYS(getrandom, b, sizeof b, GRND_NONBLOCK | GRND_RANDOM), sizeof b);
    CHECK(memcmp(a, b, sizeof a) != 0);
    CHECK_EQ(SYS(getrandom, a, 0, 0), 0);
    CHECK_ERR(SYS(getrandom, a, sizeof a, 64), EINVAL);
    CHECK_ERR(SYS(getrandom, BAD_POINTER, 64, 0), EFAULT);
}
TEST(kernel_log) {
    static char b[1 << 20];
    int n = klogctl(10 /* size */, NULL, 0);
    if (n < 0 && errno == EPERM && !in_cvisor()) SKIP("the kernel's log is closed here");
    CHECK(n > 0);
    n = OK(klogctl(3 /* read all */, b, sizeof b));
    CHECK(n >= 0);
    if (in_cvisor()) {
        CHECK(n > 40);
        CHECK(strstr(b, "Starting gVisor...") != NULL);
    }
    CHECK_ERR(klogctl(3, NULL, 10), EINVAL);
    CHECK_ERR(klogctl(99, b, 10), EINVAL);
}
TEST(execution_domain) {
    int old = OK(personality(0xffffffff));
    CHECK_EQ(personality(ADDR_NO_RANDOMIZE), old);
    int now = personality(0xffffffff);
    CHECK(now == ADDR_NO_RANDOMIZE || (in_cvisor() && now == old));
}
TEST(io_priority) {
    long r = SYS(ioprio_get, 1, 0);
    CHECK(r >= 0 || errno == ENOSYS);
    if (r < 0) return;
    OK(SYS(ioprio_set, 1, 0, 2 << 13 | 4));
    CHECK_EQ(SYS(ioprio_get, 1, 0), 2 << 13 | 4);
    CHECK_ERR(SYS(ioprio_get, 99, 0), EINVAL);
}
TEST(compare_processes) {
    pid_t me = getpid();
    int a = OK(dup(0));
    long r = SYS(kcmp, me, me, 0 /* KCMP_FILE */, 0, a);
    if (r < 0 && errno == ENOSYS) SKIP("no kcmp here");
    CHECK_EQ(r, 0);
    CHECK_EQ(SYS(kcmp, me, me, 1 /* KCMP_VM */, 0, 0), 0);
    CHECK_ERR(SYS(kcmp, me, me, 99, 0, 0), EINVAL);
    CHECK_ERR(SYS(kcmp, me, 999999, 1, 0, 0), ESRCH);
}
TEST(privileged_machine_calls_are_refused_to_users) {
    CHECK_EXIT(CHILD(
        if (geteuid() == 0) OK(setuid(1000));
        CHECK(SYS(iopl, 3) == -1 && (errno == EPERM || errno == ENOSYS));
        CHECK(SYS(ioperm, 0x80, 1, 1) == -1 && (errno == EPERM || errno == ENOSYS));
        CHECK_ERR(SYS(vhangup), EPERM);
        CHECK_ERR(SYS(reboot, 0xfee1dead, 672274793, 0x1234567, 0), EPERM);
        CHECK(SYS(acct, NULL) == -1 && (errno == EPERM || errno == ENOSYS));
        CHECK(SYS(swapon, "/none", 0) == -1 && (errno == EPERM || errno == ENOSYS));
        CHECK(SYS(swapoff, "/none") == -1 && (errno == EPERM || errno == ENOSYS));
        CHECK(SYS(quotactl, 0x80000100, "/none", 0, NULL) == -1)), 0);
}
TEST(reboot_needs_its_magic) {
    if (geteuid() != 0) SKIP("needs root");
    CHECK_ERR(SYS(reboot, 1, 2, 3, 4), EINVAL);
}
TEST(obsolete_calls) {
    static const int numbers[] = {134 /* uselib */, 156 /* _sysctl */, 174 /* create_module */, 177, 178, 180 /* nfsservctl */, 181, 182, 183, 184, 185,
                                  205 /* set_thread_area */, 211, 214, 215, 236 /* vserver */};
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) CHECK_ERR(syscall(numbers[i], 0, 0, 0, 0, 0, 0), ENOSYS);
    long r = SYS(modify_ldt, 0, NULL, 0);
    CHECK(r == 0 || errno == ENOSYS);
    char b[64];
    r = SYS(sysfs, 3);
    CHECK(r > 0 || errno == ENOSYS || errno == EINVAL);
    struct { int a[8]; } u;
    r = SYS(ustat, 0xffff, &u);
    CHECK(r == -1 && (errno == EINVAL || errno == ENOSYS));
    (void)b;
}
