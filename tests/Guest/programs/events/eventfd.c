// SPDX-License-Identifier: Apache-2.0
// syscalls: eventfd eventfd2
// A counter as a descriptor.
#include "../guest.h"
#include <poll.h>
#include <sys/eventfd.h>

TEST(counts) {
    uint64_t n = 0;
    int fd = OK(eventfd(3, 0));
    CHECK_EQ(read(fd, &n, 8), 8);
    CHECK_EQ(n, 3);
    n = 4;
    CHECK_EQ(write(fd, &n, 8), 8);
    CHECK_EQ(write(fd, &n, 8), 8);
    CHECK_EQ(read(fd, &n, 8), 8);
    CHECK_EQ(n, 8);
}
TEST(old_call) {
    int fd = OK(SYS(eventfd, 5));
    uint64_t n;
    CHECK_EQ(read(fd, &n, 8), 8);
    CHECK_EQ(n, 5);
}
TEST(semaphore) {
    uint64_t n = 0;
    int fd = OK(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
    CHECK_EQ(read(fd, &n, 8), 8);
    CHECK_EQ(n, 1);
    CHECK_EQ(read(fd, &n, 8), 8);
    CHECK_EQ(n, 1);
    CHECK_ERR(read(fd, &n, 8), EAGAIN);
}
TEST(limits) {
    uint64_t n = UINT64_MAX;
    int fd = OK(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_ERR(write(fd, &n, 8), EINVAL);
    n = UINT64_MAX - 1;
    CHECK_EQ(write(fd, &n, 8), 8);
    n = 1;
    CHECK_ERR(write(fd, &n, 8), EAGAIN);
    CHECK_ERR(read(fd, &n, 7), EINVAL);
    CHECK_ERR(write(fd, &n, 4), EINVAL);
    CHECK_ERR(read(fd, BAD_POINTER, 8), EFAULT);
    CHECK_ERR(eventfd(0, 1 << 20), EINVAL);
}
TEST(poll_states) {
    int fd = OK(eventfd(0, 0));
    struct pollfd f = {fd, POLLIN | POLLOUT, 0};
    CHECK_EQ(poll(&f, 1, 0), 1);
    CHECK_EQ(f.revents, POLLOUT);
    OK(eventfd_write(fd, UINT64_MAX - 1));
    CHECK_EQ(poll(&f, 1, 0), 1);
    CHECK_EQ(f.revents, POLLIN);
}
TEST(read_waits) {
    int fd = OK(eventfd(0, 0));
    pid_t child = CHILD(sleep_ms(20); eventfd_write(fd, 9));
    eventfd_t n;
    OK(eventfd_read(fd, &n));
    CHECK_EQ(n, 9);
    CHECK_EXIT(child, 0);
}
TEST(write_waits_for_room) {
    int fd = OK(eventfd(0, 0));
    OK(eventfd_write(fd, UINT64_MAX - 1));
    pid_t child = CHILD(sleep_ms(20); eventfd_t n; eventfd_read(fd, &n));
    OK(eventfd_write(fd, 5));
    CHECK_EXIT(child, 0);
    eventfd_t n;
    OK(eventfd_read(fd, &n));
    CHECK_EQ(n, 5);
}
