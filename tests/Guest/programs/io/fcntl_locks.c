// SPDX-License-Identifier: Apache-2.0
// syscalls: fcntl flock
// Record locks of a process, of a description, and whole-file locks.
#include "../guest.h"
#include <sys/file.h>

static struct flock range(int type, long start, long length) {
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
}
static int file(void) { return OK(open("f", O_CREAT | O_RDWR, 0600)); }

TEST(another_process_sees_the_lock) {
    int fd = file();
    struct flock l = range(F_WRLCK, 10, 5);
    OK(fcntl(fd, F_SETLK, &l));
    pid_t parent = getpid();
    CHECK_EXIT(CHILD(
        struct flock q = range(F_RDLCK, 0, 0);
        OK(fcntl(fd, F_GETLK, &q));
        CHECK_EQ(q.l_type, F_WRLCK);
        CHECK_EQ(q.l_start, 10);
        CHECK_EQ(q.l_len, 5);
        CHECK_EQ(q.l_pid, parent);
        q = range(F_WRLCK, 14, 1);
        CHECK_ERR(fcntl(fd, F_SETLK, &q), EAGAIN);
        q = range(F_WRLCK, 15, 1);
        OK(fcntl(fd, F_SETLK, &q))), 0);
}
TEST(own_locks_never_conflict) {
    int fd = file();
    struct flock l = range(F_WRLCK, 0, 10);
    OK(fcntl(fd, F_SETLK, &l));
    l = range(F_RDLCK, 5, 10);
    OK(fcntl(fd, F_SETLK, &l));
    l = range(F_WRLCK, 0, 0);
    OK(fcntl(fd, F_GETLK, &l));
    CHECK_EQ(l.l_type, F_UNLCK);
}
TEST(unlocking_the_middle_splits) {
    int fd = file();
    struct flock l = range(F_WRLCK, 0, 30);
    OK(fcntl(fd, F_SETLK, &l));
    l = range(F_UNLCK, 10, 10);
    OK(fcntl(fd, F_SETLK, &l));
    CHECK_EXIT(CHILD(
        struct flock q = range(F_WRLCK, 10, 10);
        OK(fcntl(fd, F_SETLK, &q));
        q = range(F_WRLCK, 9, 1);
        CHECK_ERR(fcntl(fd, F_SETLK, &q), EAGAIN);
        q = range(F_WRLCK, 20, 1);
        CHECK_ERR(fcntl(fd, F_SETLK, &q), EAGAIN)), 0);
}
TEST(closing_any_descriptor_drops_the_locks) {
    int fd = file(), second = file();
    struct flock l = range(F_WRLCK, 0, 0);
    OK(fcntl(fd, F_SETLK, &l));
    OK(close(second));
    CHECK_EXIT(CHILD(struct flock q = range(F_WRLCK, 0, 0); OK(fcntl(fd, F_SETLK, &q))), 0);
}
TEST(waiting_for_a_lock) {
    int fd = file(), ready[2];
    OK(pipe(ready));
    pid_t child = CHILD(
        struct flock q = range(F_WRLCK, 0, 1);
        OK(fcntl(fd, F_SETLK, &q));
        write(ready[1], "x", 1);
        sleep_ms(60));
    char x;
    CHECK_EQ(read(ready[0], &x, 1), 1);
    struct flock l = range(F_WRLCK, 0, 1);
    double start = seconds();
    OK(fcntl(fd, F_SETLKW, &l));
    CHECK(seconds() - start > 0.03);
    CHECK_EXIT(child, 0);
}
static void nothing(int s) { (void)s; }
TEST(a_signal_ends_the_wait) {
    int fd = file();
    struct flock l = range(F_WRLCK, 0, 1);
    OK(fcntl(fd, F_SETLK, &l));
    CHECK_EXIT(CHILD(
        struct sigaction a = {.sa_handler = nothing};
        sigaction(SIGALRM, &a, NULL);
        ualarm(30000, 0);
        struct flock q = range(F_WRLCK, 0, 1);
        CHECK_ERR(fcntl(fd, F_SETLKW, &q), EINTR)), 0);
}
TEST(deadlock_is_refused) {
    int fd = file(), go[2], done[2];
    OK(pipe(go));
    OK(pipe(done));
    struct flock l = range(F_WRLCK, 0, 1);
    OK(fcntl(fd, F_SETLK, &l));
    pid_t child = CHILD(
        struct flock q = range(F_WRLCK, 1, 1);
        OK(fcntl(fd, F_SETLK, &q));
        write(go[1], "x", 1);
        q = range(F_WRLCK, 0, 1);
        OK(fcntl(fd, F_SETLKW, &q)));
    char x;
    CHECK_EQ(read(go[0], &x, 1), 1);
    sleep_ms(50);
    l = range(F_WRLCK, 1, 1);
    CHECK_ERR(fcntl(fd, F_SETLKW, &l), EDEADLK);
    l = range(F_UNLCK, 0, 1);
    OK(fcntl(fd, F_SETLK, &l));
    CHECK_EXIT(child, 0);
}
TEST(description_locks) {
    int a = file(), b = file();
    struct flock l = range(F_WRLCK, 0, 10);
    OK(fcntl(a, F_OFD_SETLK, &l));
    l = range(F_WRLCK, 5, 1);
    CHECK_ERR(fcntl(b, F_OFD_SETLK, &l), EAGAIN);
    l = range(F_WRLCK, 5, 1);
    OK(fcntl(b, F_OFD_GETLK, &l));
    CHECK_EQ(l.l_type, F_WRLCK);
    CHECK_EQ(l.l_pid, -1);
    OK(close(a));
    l = range(F_WRLCK, 5, 1);
    OK(fcntl(b, F_OFD_SETLK, &l));
}
TEST(lock_refusals) {
    int fd = file();
    close(OK(open("ro", O_CREAT | O_RDWR, 0600)));
    int r = OK(open("ro", O_RDONLY)), p[2];
    OK(pipe(p));
    struct flock l = range(F_WRLCK, 0, 1);
    CHECK_ERR(fcntl(r, F_SETLK, &l), EBADF);
    l = range(99, 0, 1);
    CHECK_ERR(fcntl(fd, F_SETLK, &l), EINVAL);
    l = range(F_RDLCK, -5, 1);
    CHECK_ERR(fcntl(fd, F_SETLK, &l), EINVAL);
    CHECK_ERR(fcntl(fd, F_SETLK, BAD_POINTER), EFAULT);
    CHECK_ERR(fcntl(99, F_SETLK, &l), EBADF);
}
TEST(flock_modes) {
    int a = file(), b = file(), c = OK(dup(a));
    OK(flock(a, LOCK_SH));
    OK(flock(b, LOCK_SH));
    CHECK_ERR(flock(a, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    OK(flock(b, LOCK_UN));
    OK(flock(c, LOCK_EX | LOCK_NB));
    CHECK_ERR(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    OK(close(a));
    CHECK_ERR(flock(b, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    OK(close(c));
    OK(flock(b, LOCK_EX | LOCK_NB));
    CHECK_ERR(flock(b, 0), EINVAL);
    CHECK_ERR(flock(99, LOCK_SH), EBADF);
}
TEST(flock_waits) {
    int a = file();
    OK(flock(a, LOCK_EX));
    pid_t child = CHILD(int mine = file(); double t = seconds(); OK(flock(mine, LOCK_EX)); CHECK(seconds() - t > 0.02));
    sleep_ms(50);
    OK(flock(a, LOCK_UN));
    CHECK_EXIT(child, 0);
}
