// SPDX-License-Identifier: Apache-2.0
// syscalls: getuid geteuid getgid getegid setuid setgid setreuid setregid setresuid setresgid getresuid getresgid setfsuid setfsgid getgroups setgroups capget capset prctl
// Who a process is, and what that allows.
// needs: root
// cflags: -pthread
#include "../guest.h"
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

static void expect_uids(uid_t r, uid_t e, uid_t s) {
    uid_t a, b, c;
    OK(SYS(getresuid, &a, &b, &c));
    CHECK_EQ(a, r);
    CHECK_EQ(b, e);
    CHECK_EQ(c, s);
    CHECK_EQ(SYS(getuid), r);
    CHECK_EQ(SYS(geteuid), e);
}
static void expect_gids(gid_t r, gid_t e, gid_t s) {
    gid_t a, b, c;
    OK(SYS(getresgid, &a, &b, &c));
    CHECK_EQ(a, r);
    CHECK_EQ(b, e);
    CHECK_EQ(c, s);
    CHECK_EQ(SYS(getgid), r);
    CHECK_EQ(SYS(getegid), e);
}
struct caps {
    struct __user_cap_data_struct d[2];
};
static struct caps caps(void) {
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct caps c;
    OK(SYS(capget, &h, c.d));
    return c;
}

TEST(user_ids) {
    expect_uids(0, 0, 0);
    OK(SYS(setreuid, 1, 2));
    expect_uids(1, 2, 2);
    OK(SYS(setresuid, -1, -1, -1));
    CHECK_ERR(SYS(setresuid, 3, 3, 3), EPERM);
    OK(SYS(setresuid, 2, 1, 2));
    expect_uids(2, 1, 2);
    OK(SYS(setreuid, 1, 2));
    expect_uids(1, 2, 2);
    CHECK_ERR(SYS(setuid, 0), EPERM);
}
TEST(root_gives_all_up) {
    OK(SYS(setuid, 1000));
    expect_uids(1000, 1000, 1000);
    CHECK_ERR(SYS(setuid, 0), EPERM);
    CHECK_ERR(SYS(setgroups, 0, NULL), EPERM);
    CHECK_ERR(SYS(setgid, 5), EPERM);
    OK(SYS(setuid, 1000));
    struct caps c = caps();
    CHECK_EQ(c.d[0].effective | c.d[0].permitted | c.d[1].effective | c.d[1].permitted, 0);
}
TEST(the_saved_id_is_a_way_back) {
    OK(SYS(setresuid, 1000, 1000, 0));
    expect_uids(1000, 1000, 0);
    CHECK_EQ(caps().d[0].effective, 0);
    OK(SYS(setresuid, -1, 0, -1));
    expect_uids(1000, 0, 0);
    CHECK(caps().d[0].effective != 0);
}
TEST(group_ids) {
    expect_gids(0, 0, 0);
    OK(SYS(setregid, 1, 2));
    expect_gids(1, 2, 2);
    OK(SYS(setresgid, 5, 6, 7));
    expect_gids(5, 6, 7);
    OK(SYS(setgid, 9));
    expect_gids(9, 9, 9);
    OK(SYS(setuid, 1000));
    CHECK_ERR(SYS(setresgid, 1, 1, 1), EPERM);
    CHECK_ERR(SYS(setregid, 1, 1), EPERM);
    CHECK_ERR(SYS(getresgid, BAD_POINTER, BAD_POINTER, BAD_POINTER), EFAULT);
}
TEST(file_system_ids) {
    OK(chmod(".", 0777));
    CHECK_EQ(setfsuid(1000), 0);
    CHECK_EQ(setfsuid(-1), 1000);
    CHECK_EQ(setfsgid(1001), 0);
    CHECK_EQ(setfsgid(-1), 1001);
    put_file("mine", "");
    struct stat st;
    CHECK_EQ(setfsuid(0), 1000);
    OK(stat("mine", &st));
    CHECK_EQ(st.st_gid, 1001);
}
TEST(groups) {
    gid_t g[] = {3, 1, 2}, out[8];
    OK(SYS(setgroups, 3, g));
    CHECK_EQ(SYS(getgroups, 0, NULL), 3);
    CHECK_EQ(SYS(getgroups, 8, out), 3);
    CHECK_EQ(out[0] + out[1] + out[2], 6);
    CHECK_ERR(SYS(getgroups, 2, out), EINVAL);
    CHECK_ERR(SYS(getgroups, -1, out), EINVAL);
    CHECK_ERR(SYS(getgroups, 8, BAD_POINTER), EFAULT);
    CHECK_ERR(SYS(setgroups, 70000, g), EINVAL);
    CHECK_ERR(SYS(setgroups, 3, BAD_POINTER), EFAULT);
    put_file("f", "x");
    OK(chown("f", 7, 2));
    OK(chmod("f", 0040));
    OK(chmod(".", 0755));
    CHECK_EXIT(CHILD(OK(setgid(99)); OK(setuid(1000)); OK(open("f", O_RDONLY))), 0);
    OK(SYS(setgroups, 0, NULL));
    CHECK_EXIT(CHILD(OK(setgid(99)); OK(setuid(1000)); CHECK_ERR(open("f", O_RDONLY), EACCES)), 0);
}
TEST(capability_sets) {
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct caps c = caps();
    CHECK(c.d[0].permitted & 1 << CAP_CHOWN);
    c.d[0].effective &= ~(1u << CAP_CHOWN);
    OK(SYS(capset, &h, c.d));
    put_file("f", "");
    CHECK_ERR(chown("f", 1, 1), EPERM);
    c.d[0].effective |= 1u << CAP_CHOWN;
    OK(SYS(capset, &h, c.d));
    OK(chown("f", 1, 1));
    c.d[0].permitted &= ~(1u << CAP_CHOWN);
    CHECK_ERR(SYS(capset, &h, c.d), EPERM);
    c.d[0].effective &= ~(1u << CAP_CHOWN);
    OK(SYS(capset, &h, c.d));
    c.d[0].permitted |= 1u << CAP_CHOWN;
    CHECK_ERR(SYS(capset, &h, c.d), EPERM);
    h.version = 1;
    CHECK_ERR(SYS(capget, &h, c.d), EINVAL);
    CHECK_EQ(h.version, _LINUX_CAPABILITY_VERSION_3);
    h.pid = 999999;
    CHECK_ERR(SYS(capget, &h, c.d), ESRCH);
    CHECK_ERR(SYS(capget, BAD_POINTER, c.d), EFAULT);
}
TEST(keep_capabilities) {
    OK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
    CHECK_EQ(prctl(PR_GET_KEEPCAPS, 0, 0, 0, 0), 1);
    OK(setuid(1000));
    struct caps c = caps();
    CHECK(c.d[0].permitted != 0);
    CHECK_EQ(c.d[0].effective, 0);
}
TEST(bounding_and_ambient_sets) {
    CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0), 1);
    OK(prctl(PR_CAPBSET_DROP, CAP_SYS_TIME, 0, 0, 0));
    CHECK_EQ(prctl(PR_CAPBSET_READ, CAP_SYS_TIME, 0, 0, 0), 0);
    CHECK_ERR(prctl(PR_CAPBSET_READ, 99, 0, 0, 0), EINVAL);
    CHECK_EQ(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0), 0);
    CHECK_ERR(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0), EPERM);
    OK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
}
TEST(secure_bits_and_no_new_privileges) {
    CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
    OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1);
    CHECK_ERR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
    CHECK_EXIT(CHILD(CHECK_EQ(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 1)), 0);
    CHECK_EQ(prctl(PR_GET_SECUREBITS, 0, 0, 0, 0), 0);
}
TEST(names_and_dumpability) {
    char n[16] = "";
    OK(prctl(PR_SET_NAME, "a-name-that-is-too-long", 0, 0, 0));
    OK(prctl(PR_GET_NAME, n, 0, 0, 0));
    CHECK_STR(n, "a-name-that-is-");
    CHECK_STR(get_file("/proc/self/comm"), "a-name-that-is-\n");
    CHECK_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 1);
    OK(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
    CHECK_EQ(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0), 0);
    CHECK_ERR(prctl(PR_SET_DUMPABLE, 9, 0, 0, 0), EINVAL);
    CHECK_ERR(prctl(99999, 0, 0, 0, 0), EINVAL);
    CHECK_ERR(prctl(PR_SET_NAME, BAD_POINTER, 0, 0, 0), EFAULT);
}
TEST(parent_death_signal) {
    int p[2], s = 0;
    OK(pipe(p));
    OK(prctl(PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0));
    OK(prctl(PR_GET_PDEATHSIG, &s, 0, 0, 0));
    CHECK_EQ(s, SIGUSR1);
    CHECK_ERR(prctl(PR_SET_PDEATHSIG, 99, 0, 0, 0), EINVAL);
    CHECK_EXIT(CHILD(
        pid_t me = getpid();
        if (fork() == 0) {
            sigset_t m;
            sigemptyset(&m);
            sigaddset(&m, SIGHUP);
            sigprocmask(SIG_BLOCK, &m, NULL);
            prctl(PR_SET_PDEATHSIG, SIGHUP, 0, 0, 0);
            if (getppid() != me) _exit(0);
            write(p[1], "r", 1);
            siginfo_t i;
            int got = sigwaitinfo(&m, &i);
            write(p[1], got == SIGHUP ? "y" : "n", 1);
            _exit(0);
        }
        char c;
        read(p[0], &c, 1)), 0);
    char c;
    CHECK_EQ(read(p[0], &c, 1), 1);
    CHECK_EQ(c, 'y');
}
TEST(subreaper) {
    int v = 9;
    OK(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0));
    OK(prctl(PR_GET_CHILD_SUBREAPER, &v, 0, 0, 0));
    CHECK_EQ(v, 1);
    pid_t middle = CHILD(if (fork() == 0) { sleep_ms(20); _exit(44); });
    CHECK_EXIT(middle, 0);
    int status;
    CHECK(wait(&status) > 0);
    CHECK_EQ(WEXITSTATUS(status), 44);
}
static void *own_ids(void *a) {
    SYS(setresuid, 1000, 1000, 1000);
    *(int *)a = SYS(getuid);
    return NULL;
}
TEST(ids_belong_to_the_thread) {
    pthread_t t;
    int in_thread = -1;
    CHECK_EQ(pthread_create(&t, NULL, own_ids, &in_thread), 0);
    CHECK_EQ(pthread_join(t, NULL), 0);
    CHECK_EQ(in_thread, 1000);
    CHECK_EQ(SYS(getuid), 0);
}
