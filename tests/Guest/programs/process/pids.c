// SPDX-License-Identifier: Apache-2.0
// syscalls: clone3 kcmp pidfd_getfd setns
// needs: root
// Chosen process ids, comparing processes, and maps of user namespaces.
#include "../guest.h"
#include <grp.h>
#include <linux/kcmp.h>
#include <linux/sched.h>
#include <sys/epoll.h>

static long clone_with(pid_t *numbers, size_t count, unsigned long long flags) {
    struct clone_args a = {.flags = flags, .exit_signal = SIGCHLD, .set_tid = (unsigned long)numbers, .set_tid_size = count};
    return syscall(SYS_clone3, &a, sizeof a);
}
TEST(a_chosen_number) {
    pid_t wanted = 23456;
    long pid = OK(clone_with(&wanted, 1, 0));
    if (pid == 0) _exit(SYS(getpid) == wanted ? 3 : 4);
    CHECK_EQ(pid, wanted);
    CHECK_ERR(clone_with(&wanted, 1, 0), EEXIST);
    CHECK_EXIT(pid, 3);
    wanted = -1;
    CHECK_ERR(clone_with(&wanted, 1, 0), EINVAL);
    wanted = 23457;
    CHECK_ERR(clone_with(&wanted, 0, 0), EINVAL);
    CHECK_ERR(clone_with(NULL, 1, 0), EINVAL);
    CHECK_ERR(clone_with(&wanted, 33, 0), EINVAL);
    CHECK_ERR(clone_with(BAD_POINTER, 1, 0), EFAULT);
    // The first of a new namespace is 1; the second number is the outer one.
    pid_t two[] = {1, 23458};
    pid = OK(clone_with(two, 2, CLONE_NEWPID));
    if (pid == 0) _exit(SYS(getpid) == 1 ? 5 : 6);
    CHECK_EQ(pid, 23458);
    CHECK_EXIT(pid, 5);
    two[0] = 2;
    CHECK_ERR(clone_with(two, 2, CLONE_NEWPID), EINVAL);
    CHECK_EXIT(CHILD(OK(setuid(1000)); CHECK_ERR(clone_with(&wanted, 1, 0), EPERM)), 0);
}
TEST(compare) {
    pid_t me = getpid(), other = CHILD(for (;;) pause());
    long r = SYS(kcmp, me, other, KCMP_VM, 0, 0);
    if (r < 0 && errno == ENOSYS) SKIP("no kcmp here");
    CHECK(r == 1 || r == 2 || r == 3);
    CHECK_EQ(SYS(kcmp, me, other, KCMP_FILE, 1, 1), 0);
    int again = OK(open("/", O_RDONLY));
    CHECK(SYS(kcmp, me, me, KCMP_FILE, 1, again) > 0);
    CHECK_EQ(SYS(kcmp, me, me, KCMP_FILES, 0, 0), 0);
    CHECK(SYS(kcmp, me, other, KCMP_FILES, 0, 0) > 0);
    CHECK(SYS(kcmp, me, other, KCMP_FS, 0, 0) > 0);
    CHECK(SYS(kcmp, me, other, KCMP_SIGHAND, 0, 0) > 0);
    CHECK_ERR(SYS(kcmp, me, other, KCMP_FILE, 1, 99), EBADF);
    OK(kill(other, SIGKILL));
    CHECK_KILLED(other, SIGKILL);
}
static void write_to(const char *path, const char *text, int expected) {
    int fd = OK(open(path, O_WRONLY));
    if (expected) CHECK_ERR(write(fd, text, strlen(text)), expected);
    else CHECK_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}
TEST(maps_of_ids) {
    CHECK_EXIT(CHILD(
        if (unshare(CLONE_NEWUSER) < 0) _exit(0);
        CHECK_STR(get_file("/proc/self/uid_map"), "");
        CHECK_STR(get_file("/proc/self/setgroups"), "allow\n");
        write_to("/proc/self/uid_map", "x 0 1\n", EINVAL);
        write_to("/proc/self/uid_map", "0 0 0\n", EINVAL);
        write_to("/proc/self/uid_map", "0 0\n", EINVAL);
        write_to("/proc/self/uid_map", "0 0 2\n1 5 1\n", EINVAL);
        write_to("/proc/self/setgroups", "deny", 0);
        CHECK_STR(get_file("/proc/self/setgroups"), "deny\n");
        write_to("/proc/self/gid_map", "3 0 1", 0);
        write_to("/proc/self/uid_map", "7 0 1\n", 0);
        CHECK_EQ(getuid(), 7);
        CHECK_EQ(getgid(), 3);
        CHECK_STR(get_file("/proc/self/uid_map"), "         7          0          1\n");
        write_to("/proc/self/uid_map", "8 0 1\n", EPERM)), 0);
}
// Ids in a status file are those that the reader's namespace has for them, whoever's the file is.
static void check_ids(const char *path, const char *uids, const char *gids, const char *groups) {
    char wanted[64], *text = get_file(path);
    snprintf(wanted, sizeof wanted, "\nUid:\t%s\n", uids);
    CHECK(strstr(text, wanted) != NULL);
    snprintf(wanted, sizeof wanted, "\nGid:\t%s\n", gids);
    CHECK(strstr(text, wanted) != NULL);
    snprintf(wanted, sizeof wanted, "\nGroups:\t%s\n", groups);
    CHECK(strstr(text, wanted) != NULL);
}
TEST(status_as_the_reader_s_namespace_sees_it) {
    char path[64], outer[64];
    snprintf(outer, sizeof outer, "/proc/%d/status", getpid());
    int ready[2], go[2];
    char x;
    OK(pipe(ready));
    OK(pipe(go));
    gid_t group = 44;
    OK(setgroups(1, &group));
    pid_t pid = CHILD(
        OK(unshare(CLONE_NEWUSER));
        CHECK_EQ(write(ready[1], "r", 1), 1);
        CHECK_EQ(read(go[0], &x, 1), 1);
        // 0 and 1000 to 1009 of the parent are 5 and 2000 to 2009.
        check_ids("/proc/self/status", "5\t5\t5\t5", "6\t6\t6\t6", "65534 ");
        check_ids(outer, "5\t5\t5\t5", "6\t6\t6\t6", "65534 ");
        OK(setuid(2003));
        CHECK_EQ(write(ready[1], "r", 1), 1);
        CHECK_EQ(read(go[0], &x, 1), 1));
    CHECK_EQ(read(ready[0], &x, 1), 1);
    snprintf(path, sizeof path, "/proc/%d/uid_map", pid);
    put_file(path, "5 0 1\n2000 1000 10\n");
    snprintf(path, sizeof path, "/proc/%d/gid_map", pid);
    put_file(path, "6 0 1\n");
    CHECK_EQ(write(go[1], "g", 1), 1);
    CHECK_EQ(read(ready[0], &x, 1), 1);
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    check_ids(path, "1003\t1003\t1003\t1003", "0\t0\t0\t0", "44 ");
    CHECK_EQ(write(go[1], "g", 1), 1);
    CHECK_EXIT(pid, 0);
}
TEST(links_of_namespaces) {
    static const char *const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "user", "uts"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64], text[64], expected[64];
        struct stat st;
        snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
        ssize_t n = OK(readlink(path, text, 63));
        text[n] = 0;
        OK(stat(path, &st));
        snprintf(expected, sizeof expected, "%.3s", names[i]);
        CHECK_EQ(strncmp(text, expected, 3), 0);
        CHECK_EQ(strtoul(strchr(text, '[') + 1, NULL, 10), st.st_ino);
    }
    CHECK_EXIT(CHILD(
        int old = OK(open("/proc/self/ns/mnt", O_RDONLY));
        OK(unshare(CLONE_NEWNS));
        OK(setns(old, CLONE_NEWNS))), 0);
}
