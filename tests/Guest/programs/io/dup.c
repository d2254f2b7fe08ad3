// SPDX-License-Identifier: Apache-2.0
// syscalls: dup dup2 dup3 fcntl close close_range
// Descriptors as numbers: copies, flags, ranges.
#include "../guest.h"
#include <sys/resource.h>

static int cloexec(int fd) { return OK(fcntl(fd, F_GETFD)) & FD_CLOEXEC; }

TEST(lowest_number) {
    int a = OK(open("/dev/null", O_RDONLY)), b = OK(dup(a)), c = OK(dup(a));
    CHECK(b > a && c > b);
    OK(close(b));
    CHECK_EQ(dup(a), b);
    CHECK_ERR(dup(99), EBADF);
    CHECK_ERR(dup(-1), EBADF);
}
TEST(dup2_replaces) {
    put_file("a", "A");
    put_file("b", "B");
    char x;
    int a = OK(open("a", O_RDONLY)), b = OK(open("b", O_RDONLY));
    CHECK_EQ(dup2(a, b), b);
    CHECK_EQ(read(b, &x, 1), 1);
    CHECK_EQ(x, 'A');
    CHECK_EQ(dup2(a, a), a);
    CHECK_EQ(dup2(a, 50), 50);
    CHECK_ERR(dup2(99, 50), EBADF);
    CHECK_ERR(dup2(99, 99), EBADF);
    CHECK_ERR(dup2(a, -1), EBADF);
}
TEST(dup3_sets_cloexec) {
    int a = OK(open("/dev/null", O_RDONLY | O_CLOEXEC));
    CHECK(cloexec(a));
    CHECK(!cloexec(OK(dup(a))));
    CHECK_EQ(dup3(a, 60, O_CLOEXEC), 60);
    CHECK(cloexec(60));
    CHECK_EQ(dup3(a, 61, 0), 61);
    CHECK(!cloexec(61));
    CHECK_ERR(dup3(a, a, 0), EINVAL);
    CHECK_ERR(dup3(a, 62, O_APPEND), EINVAL);
}
TEST(fcntl_dupfd) {
    int a = OK(open("/dev/null", O_RDONLY));
    CHECK_EQ(fcntl(a, F_DUPFD, 70), 70);
    CHECK_EQ(fcntl(a, F_DUPFD, 70), 71);
    int b = OK(fcntl(a, F_DUPFD_CLOEXEC, 80));
    CHECK_EQ(b, 80);
    CHECK(cloexec(b));
    CHECK_ERR(fcntl(a, F_DUPFD, -1), EINVAL);
    CHECK_ERR(fcntl(a, F_DUPFD, 1 << 30), EINVAL);
    CHECK_ERR(fcntl(99, F_DUPFD, 0), EBADF);
    CHECK_ERR(fcntl(a, 9999, 0), EINVAL);
}
TEST(descriptor_flags_are_per_descriptor) {
    int a = OK(open("/dev/null", O_RDONLY)), b = OK(dup(a));
    OK(fcntl(a, F_SETFD, FD_CLOEXEC));
    CHECK(cloexec(a));
    CHECK(!cloexec(b));
    OK(fcntl(a, F_SETFD, 0));
    CHECK(!cloexec(a));
}
TEST(status_flags_are_shared) {
    int a = OK(open("f", O_CREAT | O_RDWR | O_APPEND, 0600)), b = OK(dup(a));
    CHECK_EQ(OK(fcntl(a, F_GETFL)) & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_RDWR | O_APPEND);
    OK(fcntl(a, F_SETFL, O_NONBLOCK));
    CHECK_EQ(OK(fcntl(b, F_GETFL)) & (O_ACCMODE | O_APPEND | O_NONBLOCK), O_RDWR | O_NONBLOCK);
    // The access mode cannot be changed.
    OK(fcntl(a, F_SETFL, O_WRONLY));
    CHECK_EQ(OK(fcntl(b, F_GETFL)) & O_ACCMODE, O_RDWR);
}
TEST(close_twice) {
    int a = OK(dup(0));
    OK(close(a));
    CHECK_ERR(close(a), EBADF);
    CHECK_ERR(fcntl(a, F_GETFD), EBADF);
}
TEST(close_a_range) {
    for (int fd = 40; fd < 50; fd++) CHECK_EQ(dup2(0, fd), fd);
    OK(close_range(42, 45, 0));
    CHECK_ERR(fcntl(42, F_GETFD), EBADF);
    CHECK_ERR(fcntl(45, F_GETFD), EBADF);
    CHECK_EQ(fcntl(41, F_GETFD), 0);
    OK(close_range(46, ~0u, CLOSE_RANGE_CLOEXEC));
    CHECK(cloexec(46) && cloexec(49) && !cloexec(41));
    CHECK_ERR(close_range(5, 4, 0), EINVAL);
    CHECK_ERR(close_range(40, 41, 64), EINVAL);
}
TEST(close_a_range_unshared) {
    for (int fd = 40; fd < 44; fd++) CHECK_EQ(dup2(0, fd), fd);
    OK(close_range(42, ~0u, CLOSE_RANGE_UNSHARE));
    CHECK_ERR(fcntl(42, F_GETFD), EBADF);
    CHECK_EQ(fcntl(41, F_GETFD), 0);
}
TEST(exhaustion) {
    struct rlimit limit = {16, 16};
    OK(setrlimit(RLIMIT_NOFILE, &limit));
    int last = -1, fd;
    while ((fd = dup(0)) >= 0) last = fd;
    CHECK_EQ(errno, EMFILE);
    CHECK_EQ(last, 15);
    int p[2];
    CHECK_ERR(pipe(p), EMFILE);
    CHECK_ERR(open("/dev/null", O_RDONLY), EMFILE);
    CHECK_ERR(dup2(0, 16), EBADF);
    CHECK_ERR(fcntl(0, F_DUPFD, 16), EINVAL);
    OK(close(7));
    CHECK_EQ(open("/dev/null", O_RDONLY), 7);
}
