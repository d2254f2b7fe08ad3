// SPDX-License-Identifier: Apache-2.0
// syscalls: unshare setns clone mount umount2 pivot_root pidfd_open pidfd_send_signal pidfd_getfd
// Namespaces, mounts, and handles of processes.
// needs: root
#include "../guest.h"
#include <linux/sched.h>
#include <poll.h>
#include <sys/mount.h>

static char *link_of(const char *path) {
    static char b[64];
    ssize_t n = OK(readlink(path, b, 63));
    b[n] = 0;
    return b;
}

TEST(a_pid_namespace) {
    pid_t pid = OK(SYS(clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL));
    if (pid == 0) {
        CHECK_EQ(SYS(getpid), 1);
        CHECK_EQ(SYS(getppid), 0);
        pid_t c = CHILD(CHECK_EQ(SYS(getpid), 2); CHECK_EQ(SYS(getppid), 1));
        CHECK_EQ(c, 2);
        CHECK_EXIT(c, 0);
        _exit(9);
    }
    CHECK(pid > 2);
    CHECK_EXIT(pid, 9);
}
TEST(the_end_of_init_ends_the_namespace) {
    int p[2];
    char x;
    OK(pipe(p));
    pid_t pid = OK(SYS(clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL));
    if (pid == 0) {
        CHILD(for (;;) pause());
        _exit(0);
    }
    close(p[1]);
    CHECK_EXIT(pid, 0);
    // The child held the write end.
    CHECK_EQ(read(p[0], &x, 1), 0);
}
TEST(unsharing_a_pid_namespace) {
    CHECK_EXIT(CHILD(
        OK(unshare(CLONE_NEWPID));
        CHECK(getpid() > 1);
        CHECK_EXIT(CHILD(CHECK_EQ(SYS(getpid), 1)), 0);
        // Its init is gone: no more processes there.
        CHECK_ERR(SYS(fork), ENOMEM)), 0);
}
TEST(a_user_namespace) {
    char before[64];
    strcpy(before, link_of("/proc/self/ns/user"));
    CHECK_EXIT(CHILD(
        if (unshare(CLONE_NEWUSER) < 0) {
            CHECK(errno == EPERM || errno == ENOSPC || errno == EUSERS);
            _exit(0);
        }
        CHECK(strcmp(before, link_of("/proc/self/ns/user")) != 0);
        CHECK_EQ(SYS(getuid), 65534);
        int fd = OK(open("/proc/self/uid_map", O_WRONLY));
        CHECK_EQ(write(fd, "7 0 1\n", 6), 6);
        CHECK_EQ(SYS(getuid), 7);
        CHECK_ERR(write(OK(open("/proc/self/uid_map", O_WRONLY)), "7 0 1\n", 6), EPERM)), 0);
}
TEST(an_ipc_namespace) {
    int id = OK(SYS(shmget, 0x4242, 100, 01000 | 0600));
    CHECK_EXIT(CHILD(OK(unshare(CLONE_NEWIPC)); CHECK_ERR(SYS(shmget, 0x4242, 100, 0), ENOENT)), 0);
    OK(SYS(shmctl, id, 0, NULL));
}
TEST(entering_a_namespace) {
    CHECK_EXIT(CHILD(
        int old = OK(open("/proc/self/ns/uts", O_RDONLY));
        OK(unshare(CLONE_NEWUTS));
        OK(sethostname("inside", 6));
        OK(setns(old, CLONE_NEWUTS));
        char b[64];
        OK(gethostname(b, 64));
        CHECK_STR(b, "sandbox");
        CHECK_ERR(setns(old, CLONE_NEWIPC), EINVAL);
        CHECK_ERR(setns(99, 0), EBADF);
        CHECK_ERR(setns(0, 0), EINVAL)), 0);
}
TEST(unshare_refusals) {
    CHECK_ERR(unshare(1 << 30 | 1), EINVAL);
    OK(unshare(0));
    OK(unshare(CLONE_FILES | CLONE_FS));
    CHECK_EXIT(CHILD(OK(setuid(1000)); CHECK_ERR(unshare(CLONE_NEWNS), EPERM); CHECK_ERR(unshare(CLONE_NEWUTS), EPERM)), 0);
}
TEST(mounting_a_tmpfs) {
    CHECK_EXIT(CHILD(
        OK(unshare(CLONE_NEWNS));
        OK(mkdir("m", 0755));
        put_file("m/under", "");
        OK(mount("none", "m", "tmpfs", 0, "mode=700"));
        struct stat st;
        struct stat here;
        OK(stat("m", &st));
        OK(stat(".", &here));
        CHECK_EQ(st.st_mode & 0777, 0700);
        CHECK(st.st_dev != here.st_dev);
        CHECK_ERR(access("m/under", F_OK), ENOENT);
        put_file("m/over", "x");
        CHECK(strstr(get_file("/proc/self/mounts"), "/m tmpfs ") != NULL);
        CHECK_ERR(rmdir("m"), EBUSY);
        OK(chdir("m"));
        CHECK_ERR(umount2("../m", 0), EBUSY);
        OK(chdir(".."));
        OK(umount2("m", 0));
        OK(access("m/under", F_OK));
        CHECK_ERR(umount2("m", 0), EINVAL)), 0);
}
TEST(bind_and_read_only) {
    CHECK_EXIT(CHILD(
        OK(unshare(CLONE_NEWNS));
        OK(mkdir("a", 0755));
        OK(mkdir("b", 0755));
        put_file("a/f", "x");
        OK(mount("a", "b", NULL, MS_BIND, NULL));
        CHECK_STR(get_file("b/f"), "x");
        put_file("b/g", "y");
        CHECK_STR(get_file("a/g"), "y");
        OK(mount(NULL, "b", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
        CHECK_ERR(open("b/h", O_CREAT | O_WRONLY, 0600), EROFS);
        CHECK_ERR(open("b/f", O_WRONLY), EROFS);
        CHECK_ERR(unlink("b/f"), EROFS);
        put_file("a/h", "z");
        OK(umount2("b", MNT_DETACH))), 0);
}
TEST(mount_refusals) {
    CHECK_EXIT(CHILD(
        OK(unshare(CLONE_NEWNS));
        OK(mkdir("m", 0755));
        CHECK_ERR(mount("none", "none", "tmpfs", 0, NULL), ENOENT);
        CHECK_ERR(mount("none", "m", "nosuchfs", 0, NULL), ENODEV);
        put_file("f", "");
        CHECK_ERR(mount("none", "f", "tmpfs", 0, NULL), ENOTDIR);
        CHECK_ERR(mount("none", BAD_POINTER, "tmpfs", 0, NULL), EFAULT);
        CHECK_ERR(umount2("none", 0), ENOENT);
        CHECK_ERR(umount2("m", 0), EINVAL);
        CHECK_ERR(umount2("m", 0x1000), EINVAL);
        OK(setuid(1000));
        CHECK_ERR(mount("none", "m", "tmpfs", 0, NULL), EPERM);
        CHECK_ERR(umount2("/tmp", 0), EPERM)), 0);
}
TEST(mounts_stay_in_their_namespace) {
    int p[2];
    int go[2];
    char x;
    OK(pipe(p));
    OK(pipe(go));
    OK(mkdir("m", 0755));
    pid_t pid = CHILD(
        OK(unshare(CLONE_NEWNS));
        OK(mount("none", "m", "tmpfs", 0, NULL));
        put_file("m/f", "");
        write(p[1], "x", 1);
        read(go[0], &x, 1));
    CHECK_EQ(read(p[0], &x, 1), 1);
    CHECK_ERR(access("m/f", F_OK), ENOENT);
    CHECK_EQ(write(go[1], "x", 1), 1);
    CHECK_EXIT(pid, 0);
}
TEST(another_root) {
    CHECK_EXIT(CHILD(
        OK(unshare(CLONE_NEWNS));
        OK(mkdir("new", 0755));
        OK(mount("none", "new", "tmpfs", 0, NULL));
        OK(mkdir("new/old", 0755));
        put_file("new/here", "");
        CHECK_ERR(SYS(pivot_root, "new", "/"), EBUSY);
        OK(SYS(pivot_root, "new", "new/old"));
        OK(chdir("/"));
        OK(access("/here", F_OK));
        OK(access("/old/proc", F_OK));
        OK(umount2("/old", MNT_DETACH));
        CHECK_ERR(access("/old/proc", F_OK), ENOENT)), 0);
}
TEST(a_handle_of_a_process) {
    pid_t pid = CHILD(for (;;) pause());
    int fd = OK(SYS(pidfd_open, pid, 0));
    struct pollfd f = {fd, POLLIN, 0};
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(poll(&f, 1, 0), 0);
    OK(SYS(pidfd_send_signal, fd, 0, NULL, 0));
    OK(SYS(pidfd_send_signal, fd, SIGKILL, NULL, 0));
    CHECK_EQ(poll(&f, 1, 2000), 1);
    siginfo_t i;
    OK(waitid(P_PIDFD, fd, &i, WEXITED));
    CHECK_EQ(i.si_pid, pid);
    CHECK_EQ(i.si_status, SIGKILL);
    CHECK_ERR(SYS(pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
    CHECK_ERR(SYS(pidfd_open, 999999, 0), ESRCH);
    CHECK_ERR(SYS(pidfd_open, -1, 0), EINVAL);
    CHECK_ERR(SYS(pidfd_open, getpid(), 1), EINVAL);
    CHECK_ERR(SYS(pidfd_send_signal, 0, 0, NULL, 0), EBADF);
    CHECK_ERR(SYS(pidfd_send_signal, 99, 0, NULL, 0), EBADF);
}
TEST(the_directory_of_a_process_is_a_handle_too) {
    char path[64];
    pid_t pid = CHILD(for (;;) pause());
    snprintf(path, sizeof path, "/proc/%d", pid);
    int fd = OK(open(path, O_RDONLY | O_DIRECTORY));
    OK(SYS(pidfd_send_signal, fd, 0, NULL, 0));
    CHECK_ERR(SYS(pidfd_send_signal, fd, 99, NULL, 0), EINVAL);
    // Not a thread's, not one that was opened as a path only, and not any other directory.
    snprintf(path, sizeof path, "/proc/%d/task/%d", pid, pid);
    int thread = OK(open(path, O_RDONLY | O_DIRECTORY));
    CHECK_ERR(SYS(pidfd_send_signal, thread, 0, NULL, 0), EBADF);
    int bare = OK(openat(fd, ".", O_PATH));
    CHECK_ERR(SYS(pidfd_send_signal, bare, 0, NULL, 0), EBADF);
    int root = OK(open("/proc", O_RDONLY | O_DIRECTORY));
    CHECK_ERR(SYS(pidfd_send_signal, root, 0, NULL, 0), EBADF);
    OK(SYS(pidfd_send_signal, fd, SIGKILL, NULL, 0));
    CHECK_KILLED(pid, SIGKILL);
    CHECK_ERR(SYS(pidfd_send_signal, fd, 0, NULL, 0), ESRCH);
}
TEST(a_descriptor_of_another_process) {
    int p[2];
    int ready[2];
    char x;
    OK(pipe(p));
    OK(pipe(ready));
    pid_t pid = CHILD(CHECK_EQ(dup2(p[0], 77), 77); write(ready[1], "x", 1); for (;;) pause());
    CHECK_EQ(read(ready[0], &x, 1), 1);
    int h = OK(SYS(pidfd_open, pid, 0)), fd = OK(SYS(pidfd_getfd, h, 77, 0));
    CHECK_EQ(write(p[1], "q", 1), 1);
    CHECK_EQ(read(fd, &x, 1), 1);
    CHECK_ERR(SYS(pidfd_getfd, h, 200, 0), EBADF);
    CHECK_ERR(SYS(pidfd_getfd, h, 77, 1), EINVAL);
    OK(kill(pid, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
}
