// SPDX-License-Identifier: Apache-2.0
// syscalls: epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2
// Waiting for many descriptors, the remembering way.
#include "../guest.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static int add(int e, int fd, uint32_t events) {
    struct epoll_event v = {.events = events, .data.fd = fd};
    return epoll_ctl(e, EPOLL_CTL_ADD, fd, &v);
}

TEST(create) {
    CHECK(OK(epoll_create(1)) > 2);
    CHECK_ERR(epoll_create(0), EINVAL);
    int e = OK(epoll_create1(EPOLL_CLOEXEC));
    CHECK_EQ(fcntl(e, F_GETFD), FD_CLOEXEC);
    CHECK_ERR(epoll_create1(1), EINVAL);
}
TEST(level_triggered) {
    int e = OK(epoll_create1(0)), p[2];
    char b;
    struct epoll_event v[4];
    OK(pipe(p));
    OK(add(e, p[0], EPOLLIN));
    CHECK_EQ(epoll_wait(e, v, 4, 0), 0);
    CHECK_EQ(write(p[1], "xy", 2), 2);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(epoll_wait(e, v, 4, 0), 1);
        CHECK_EQ(v[0].events, EPOLLIN);
        CHECK_EQ(v[0].data.fd, p[0]);
    }
    CHECK_EQ(read(p[0], &b, 1), 1);
    CHECK_EQ(epoll_wait(e, v, 4, 0), 1);
    CHECK_EQ(read(p[0], &b, 1), 1);
    CHECK_EQ(epoll_wait(e, v, 4, 0), 0);
}
TEST(edge_triggered) {
    int e = OK(epoll_create1(0)), p[2];
    struct epoll_event v[4];
    OK(pipe(p));
    OK(add(e, p[0], EPOLLIN | EPOLLET));
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_EQ(epoll_wait(e, v, 4, 0), 1);
    CHECK_EQ(epoll_wait(e, v, 4, 0), 0);
    CHECK_EQ(write(p[1], "y", 1), 1);
    CHECK_EQ(epoll_wait(e, v, 4, 0), 1);
    CHECK_EQ(epoll_wait(e, v, 4, 0), 0);
}
TEST(one_shot) {
    int e = OK(epoll_create1(0)), p[2];
    struct epoll_event v[4];
    OK(pipe(p));
    OK(add(e, p[0], EPOLLIN | EPOLLONESHOT));
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_EQ(epoll_wait(e, v, 4, 0), 1);
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_EQ(epoll_wait(e, v, 4, 0), 0);
    struct epoll_event again = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = 77};
    OK(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &again));
    CHECK_EQ(epoll_wait(e, v, 4, 0), 1);
    CHECK_EQ(v[0].data.u64, 77);
}
TEST(refusals) {
    int e = OK(epoll_create1(0)), p[2], file = OK(open("f", O_CREAT | O_RDWR, 0600));
    struct epoll_event v = {.events = EPOLLIN};
    OK(pipe(p));
    OK(add(e, p[0], EPOLLIN));
    CHECK_ERR(add(e, p[0], EPOLLIN), EEXIST);
    CHECK_ERR(epoll_ctl(e, EPOLL_CTL_MOD, p[1], &v), ENOENT);
    CHECK_ERR(epoll_ctl(e, EPOLL_CTL_DEL, p[1], &v), ENOENT);
    CHECK_ERR(add(e, e, EPOLLIN), EINVAL);
    CHECK_ERR(add(e, file, EPOLLIN), EPERM);
    CHECK_ERR(add(e, 99, EPOLLIN), EBADF);
    CHECK_ERR(add(99, p[1], EPOLLIN), EBADF);
    CHECK_ERR(add(p[0], p[1], EPOLLIN), EINVAL);
    CHECK_ERR(epoll_ctl(e, 9, p[0], &v), EINVAL);
    CHECK_ERR(epoll_ctl(e, EPOLL_CTL_ADD, p[1], BAD_POINTER), EFAULT);
    CHECK_ERR(epoll_wait(e, &v, 0, 0), EINVAL);
    CHECK_ERR(epoll_wait(e, &v, -1, 0), EINVAL);
    CHECK_ERR(epoll_wait(p[0], &v, 1, 0), EINVAL);
    CHECK_ERR(epoll_wait(99, &v, 1, 0), EBADF);
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_ERR(epoll_wait(e, BAD_POINTER, 1, 0), EFAULT);
}
TEST(delete_and_close) {
    int e = OK(epoll_create1(0)), a[2], b[2];
    struct epoll_event v[4];
    OK(pipe(a));
    OK(pipe(b));
    OK(add(e, a[0], EPOLLIN));
    OK(add(e, b[0], EPOLLIN));
    CHECK_EQ(write(a[1], "x", 1), 1);
    CHECK_EQ(write(b[1], "x", 1), 1);
    CHECK_EQ(epoll_wait(e, v, 4, 0), 2);
    OK(epoll_ctl(e, EPOLL_CTL_DEL, a[0], NULL));
    CHECK_EQ(epoll_wait(e, v, 4, 0), 1);
    CHECK_EQ(v[0].data.fd, b[0]);
    int copy = OK(dup(b[0]));
    close(b[0]);
    // The description lives on, and so does the registration.
    CHECK_EQ(epoll_wait(e, v, 4, 0), 1);
    close(copy);
    CHECK_EQ(epoll_wait(e, v, 4, 0), 0);
}
TEST(many_in_turn) {
    int e = OK(epoll_create1(0)), seen = 0;
    struct epoll_event v[2];
    for (int i = 0; i < 6; i++) OK(add(e, OK(eventfd(1, 0)), EPOLLIN | EPOLLET));
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(epoll_wait(e, v, 2, 0), 2);
        CHECK(v[0].data.fd != v[1].data.fd);
        seen |= 1 << v[0].data.fd | 1 << v[1].data.fd;
    }
    CHECK_EQ(__builtin_popcount(seen), 6);
    CHECK_EQ(epoll_wait(e, v, 2, 0), 0);
}
TEST(hang_up_and_error) {
    int e = OK(epoll_create1(0)), p[2];
    struct epoll_event v[4];
    OK(pipe(p));
    OK(add(e, p[0], 0));
    close(p[1]);
    CHECK_EQ(epoll_wait(e, v, 4, 0), 1);
    CHECK_EQ(v[0].events, EPOLLHUP);
    OK(pipe(p));
    OK(add(e, p[1], 0));
    close(p[0]);
    CHECK_EQ(epoll_wait(e, v, 4, 0), 2);
    CHECK(v[0].events == EPOLLERR || v[1].events == EPOLLERR);
}
TEST(nested) {
    int inner = OK(epoll_create1(0)), outer = OK(epoll_create1(0)), fd = OK(eventfd(0, 0));
    struct epoll_event v[4];
    OK(add(inner, fd, EPOLLIN));
    OK(add(outer, inner, EPOLLIN));
    CHECK_EQ(epoll_wait(outer, v, 4, 0), 0);
    OK(eventfd_write(fd, 1));
    CHECK_EQ(epoll_wait(outer, v, 4, 0), 1);
    CHECK_EQ(v[0].data.fd, inner);
    CHECK_ERR(add(inner, outer, EPOLLIN), ELOOP);
}
TEST(waits_and_is_woken) {
    int e = OK(epoll_create1(0)), p[2];
    struct epoll_event v[4];
    OK(pipe(p));
    OK(add(e, p[0], EPOLLIN));
    double t = seconds();
    CHECK_EQ(epoll_wait(e, v, 4, 20), 0);
    CHECK(seconds() - t >= 0.019);
    pid_t child = CHILD(sleep_ms(20); write(p[1], "x", 1));
    CHECK_EQ(epoll_wait(e, v, 4, -1), 1);
    CHECK_EXIT(child, 0);
}
static volatile sig_atomic_t caught;
static void on_signal(int s) { caught = s; }
TEST(pwait_mask) {
    int e = OK(epoll_create1(0));
    struct epoll_event v;
    struct sigaction a = {.sa_handler = on_signal};
    sigset_t blocked, open_mask;
    OK(sigaction(SIGUSR1, &a, NULL));
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    OK(sigprocmask(SIG_BLOCK, &blocked, NULL));
    OK(raise(SIGUSR1));
    CHECK_EQ(epoll_pwait(e, &v, 1, 1, &blocked), 0);
    CHECK_EQ(caught, 0);
    sigemptyset(&open_mask);
    CHECK_ERR(epoll_pwait(e, &v, 1, 5000, &open_mask), EINTR);
    CHECK_EQ(caught, SIGUSR1);
}
TEST(pwait2_nanoseconds) {
    int e = OK(epoll_create1(0));
    struct epoll_event v;
    struct timespec t = {0, 15000000}, bad = {0, 2000000000};
    double start = seconds();
    CHECK_EQ(SYS(epoll_pwait2, e, &v, 1, &t, NULL, 8), 0);
    CHECK(seconds() - start >= 0.014);
    CHECK_ERR(SYS(epoll_pwait2, e, &v, 1, &bad, NULL, 8), EINVAL);
    OK(add(e, OK(eventfd(1, 0)), EPOLLIN));
    CHECK_EQ(SYS(epoll_pwait2, e, &v, 1, NULL, NULL, 8), 1);
}
TEST(socket_edges) {
    int e = OK(epoll_create1(0)), s[2];
    char b[8];
    struct epoll_event v[4];
    OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
    OK(add(e, s[0], EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET));
    CHECK_EQ(epoll_wait(e, v, 4, 0), 1);
    CHECK_EQ(v[0].events, EPOLLOUT);
    CHECK_EQ(epoll_wait(e, v, 4, 0), 0);
    CHECK_EQ(write(s[1], "hi", 2), 2);
    CHECK_EQ(epoll_wait(e, v, 4, 0), 1);
    CHECK_EQ(v[0].events & EPOLLIN, EPOLLIN);
    CHECK_EQ(read(s[0], b, 8), 2);
    OK(shutdown(s[1], SHUT_WR));
    CHECK_EQ(epoll_wait(e, v, 4, 0), 1);
    CHECK_EQ(v[0].events & (EPOLLIN | EPOLLRDHUP), EPOLLIN | EPOLLRDHUP);
}
TEST(exclusive) {
    int e = OK(epoll_create1(0)), fd = OK(eventfd(0, 0));
    struct epoll_event v;
    OK(add(e, fd, EPOLLIN | EPOLLEXCLUSIVE));
    OK(eventfd_write(fd, 1));
    CHECK_EQ(epoll_wait(e, &v, 1, 0), 1);
    v.events = EPOLLIN;
    CHECK_ERR(epoll_ctl(e, EPOLL_CTL_MOD, fd, &v), EINVAL);
}
