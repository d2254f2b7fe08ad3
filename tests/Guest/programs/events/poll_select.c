// SPDX-License-Identifier: Apache-2.0
// syscalls: poll ppoll select pselect6
// Waiting for many descriptors, the stateless ways.
#include "../guest.h"
#include <poll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>

static volatile sig_atomic_t caught;
static void on_signal(int s) { caught = s; }
static void handle(int s) {
    struct sigaction a = {.sa_handler = on_signal};
    OK(sigaction(s, &a, NULL));
}

TEST(poll_times_out) {
    int p[2];
    OK(pipe(p));
    struct pollfd f = {p[0], POLLIN, 0x7f};
    double t = seconds();
    CHECK_EQ(poll(&f, 1, 30), 0);
    CHECK(seconds() - t >= 0.029);
    CHECK_EQ(f.revents, 0);
    CHECK_EQ(poll(NULL, 0, 1), 0);
}
TEST(poll_is_woken) {
    int p[2];
    OK(pipe(p));
    pid_t child = CHILD(sleep_ms(20); write(p[1], "x", 1); pause());
    struct pollfd f = {p[0], POLLIN, 0};
    CHECK_EQ(poll(&f, 1, 5000), 1);
    CHECK_EQ(f.revents, POLLIN);
    kill(child, SIGKILL);
    CHECK_KILLED(child, SIGKILL);
}
TEST(poll_marks_bad_descriptors) {
    struct pollfd f[3] = {{99, POLLIN, 0}, {-5, POLLIN, 9}, {0, 0, 0}};
    CHECK_EQ(poll(f, 2, 0), 1);
    CHECK_EQ(f[0].revents, POLLNVAL);
    CHECK_EQ(f[1].revents, 0);
}
TEST(poll_files_are_always_ready) {
    int fd = OK(open("f", O_CREAT | O_RDWR, 0600)), null = OK(open("/dev/null", O_RDWR));
    struct pollfd f[2] = {{fd, POLLIN | POLLOUT, 0}, {null, POLLIN | POLLOUT, 0}};
    CHECK_EQ(poll(f, 2, 0), 2);
    CHECK_EQ(f[0].revents, POLLIN | POLLOUT);
    CHECK_EQ(f[1].revents, POLLIN | POLLOUT);
}
TEST(poll_refusals) {
    struct pollfd f = {0, POLLIN, 0};
    CHECK_ERR(poll(BAD_POINTER, 1, 0), EFAULT);
    struct rlimit l = {10, 10};
    OK(setrlimit(RLIMIT_NOFILE, &l));
    CHECK_ERR(poll(&f, 11, 0), EINVAL);
}
TEST(poll_is_interrupted) {
    handle(SIGALRM);
    ualarm(20000, 0);
    CHECK_ERR(poll(NULL, 0, 5000), EINTR);
    CHECK_EQ(caught, SIGALRM);
}
TEST(ppoll_mask) {
    sigset_t blocked, open_mask;
    handle(SIGUSR1);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    OK(sigprocmask(SIG_BLOCK, &blocked, NULL));
    OK(raise(SIGUSR1));
    sigemptyset(&open_mask);
    struct timespec long_time = {5, 0};
    CHECK_EQ(caught, 0);
    CHECK_ERR(ppoll(NULL, 0, &long_time, &open_mask), EINTR);
    CHECK_EQ(caught, SIGUSR1);
    // The mask is back.
    sigset_t now;
    OK(sigprocmask(SIG_BLOCK, NULL, &now));
    CHECK(sigismember(&now, SIGUSR1));
}
TEST(ppoll_timeout) {
    struct timespec t = {0, 20000000};
    double start = seconds();
    CHECK_EQ(ppoll(NULL, 0, &t, NULL), 0);
    CHECK(seconds() - start >= 0.019);
    t = (struct timespec){0, 1000000000};
    CHECK_ERR(ppoll(NULL, 0, &t, NULL), EINVAL);
    t = (struct timespec){-1, 0};
    CHECK_ERR(ppoll(NULL, 0, &t, NULL), EINVAL);
    // The kernel's own call leaves the time that was left.
    t = (struct timespec){0, 10000000};
    CHECK_EQ(SYS(ppoll, NULL, 0, &t, NULL, 8), 0);
    CHECK_EQ(t.tv_sec, 0);
    CHECK_EQ(t.tv_nsec, 0);
}
TEST(select_sets) {
    int p[2];
    OK(pipe(p));
    fd_set r, w, e;
    FD_ZERO(&r); FD_ZERO(&w); FD_ZERO(&e);
    FD_SET(p[0], &r); FD_SET(p[1], &w); FD_SET(p[0], &e);
    struct timeval zero = {0, 0};
    CHECK_EQ(select(p[1] + 1, &r, &w, &e, &zero), 1);
    CHECK(!FD_ISSET(p[0], &r) && FD_ISSET(p[1], &w) && !FD_ISSET(p[0], &e));
    CHECK_EQ(write(p[1], "x", 1), 1);
    FD_SET(p[0], &r); FD_SET(p[1], &w);
    CHECK_EQ(select(p[1] + 1, &r, &w, NULL, NULL), 2);
    CHECK(FD_ISSET(p[0], &r) && FD_ISSET(p[1], &w));
    close(p[1]);
    char x;
    CHECK_EQ(read(p[0], &x, 1), 1);
    FD_SET(p[0], &r);
    CHECK_EQ(select(p[0] + 1, &r, NULL, NULL, &zero), 1);
}
TEST(select_leaves_the_rest_of_the_time) {
    struct timeval t = {0, 20000};
    double start = seconds();
    CHECK_EQ(select(0, NULL, NULL, NULL, &t), 0);
    CHECK(seconds() - start >= 0.019);
    CHECK_EQ(t.tv_sec, 0);
    CHECK_EQ(t.tv_usec, 0);
    int p[2];
    OK(pipe(p));
    write(p[1], "x", 1);
    fd_set r;
    FD_ZERO(&r);
    FD_SET(p[0], &r);
    t.tv_sec = 5;
    CHECK_EQ(select(p[0] + 1, &r, NULL, NULL, &t), 1);
    CHECK(t.tv_sec == 4 || (t.tv_sec == 5 && t.tv_usec == 0));
}
TEST(select_refusals) {
    fd_set r;
    FD_ZERO(&r);
    FD_SET(40, &r);
    struct timeval zero = {0, 0}, bad = {-1, 0};
    CHECK_ERR(select(41, &r, NULL, NULL, &zero), EBADF);
    CHECK_ERR(select(-1, NULL, NULL, NULL, &zero), EINVAL);
    CHECK_ERR(select(0, NULL, NULL, NULL, &bad), EINVAL);
    CHECK_ERR(select(64, BAD_POINTER, NULL, NULL, &zero), EFAULT);
}
TEST(pselect_mask) {
    sigset_t blocked, open_mask;
    handle(SIGUSR1);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    OK(sigprocmask(SIG_BLOCK, &blocked, NULL));
    OK(raise(SIGUSR1));
    struct timespec zero = {0, 0}, t = {5, 0};
    CHECK_EQ(pselect(0, NULL, NULL, NULL, &zero, NULL), 0);
    CHECK_EQ(caught, 0);
    sigemptyset(&open_mask);
    CHECK_ERR(pselect(0, NULL, NULL, NULL, &t, &open_mask), EINTR);
    CHECK_EQ(caught, SIGUSR1);
}
TEST(shut_sockets) {
    int s[2];
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    struct pollfd f = {s[0], POLLIN | POLLOUT | POLLRDHUP, 0};
    CHECK_EQ(poll(&f, 1, 0), 1);
    CHECK_EQ(f.revents, POLLOUT);
    OK(shutdown(s[1], SHUT_WR));
    CHECK_EQ(poll(&f, 1, 0), 1);
    CHECK_EQ(f.revents, POLLIN | POLLOUT | POLLRDHUP);
    close(s[1]);
    CHECK_EQ(poll(&f, 1, 0), 1);
    CHECK(f.revents & POLLHUP);
}
