// SPDX-License-Identifier: Apache-2.0
// syscalls: timerfd_create timerfd_settime timerfd_gettime
// A timer as a descriptor.
#include "../guest.h"
#include <poll.h>
#include <sys/timerfd.h>

static struct itimerspec ms(int first, int every) {
    return (struct itimerspec){.it_value = {first / 1000, first % 1000 * 1000000L}, .it_interval = {every / 1000, every % 1000 * 1000000L}};
}

TEST(fires_once) {
    int fd = OK(timerfd_create(CLOCK_MONOTONIC, 0));
    struct itimerspec t = ms(20, 0), now;
    uint64_t n;
    OK(timerfd_settime(fd, 0, &t, NULL));
    OK(timerfd_gettime(fd, &now));
    CHECK(now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 20000000);
    double start = seconds();
    CHECK_EQ(read(fd, &n, 8), 8);
    CHECK_EQ(n, 1);
    CHECK(seconds() - start > 0.005);
    OK(timerfd_gettime(fd, &now));
    CHECK_EQ(now.it_value.tv_sec | now.it_value.tv_nsec, 0);
}
TEST(repeats) {
    int fd = OK(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    struct itimerspec t = ms(5, 5);
    uint64_t n = 0;
    OK(timerfd_settime(fd, 0, &t, NULL));
    CHECK_ERR(read(fd, &n, 8), EAGAIN);
    sleep_ms(40);
    CHECK_EQ(read(fd, &n, 8), 8);
    CHECK(n >= 5 && n <= 40);
}
TEST(disarm_and_old_value) {
    int fd = OK(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC));
    struct itimerspec t = ms(5000, 700), zero = ms(0, 0), old;
    uint64_t n;
    OK(timerfd_settime(fd, 0, &t, NULL));
    OK(timerfd_settime(fd, 0, &zero, &old));
    CHECK_EQ(old.it_interval.tv_nsec, 700000000);
    CHECK(old.it_value.tv_sec == 4 || old.it_value.tv_sec == 5);
    CHECK_ERR(read(fd, &n, 8), EAGAIN);
}
TEST(absolute) {
    int fd = OK(timerfd_create(CLOCK_MONOTONIC, 0));
    struct itimerspec t = {0};
    uint64_t n;
    OK(clock_gettime(CLOCK_MONOTONIC, &t.it_value));
    t.it_value.tv_nsec += 20000000;
    if (t.it_value.tv_nsec >= 1000000000) t.it_value.tv_sec++, t.it_value.tv_nsec -= 1000000000;
    double start = seconds();
    OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL));
    CHECK_EQ(read(fd, &n, 8), 8);
    CHECK(seconds() - start > 0.015);
    // A moment in the past has come already.
    t.it_value = (struct timespec){1, 0};
    OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &t, NULL));
    CHECK_EQ(read(fd, &n, 8), 8);
    CHECK_EQ(n, 1);
}
TEST(poll_ready) {
    int fd = OK(timerfd_create(CLOCK_BOOTTIME, 0));
    struct itimerspec t = ms(10, 0);
    struct pollfd f = {fd, POLLIN, 0};
    CHECK_EQ(poll(&f, 1, 0), 0);
    OK(timerfd_settime(fd, 0, &t, NULL));
    CHECK_EQ(poll(&f, 1, 2000), 1);
    CHECK_EQ(f.revents, POLLIN);
}
TEST(refusals) {
    struct itimerspec t = ms(1, 0), bad = {.it_value = {0, 1000000000}};
    int fd = OK(timerfd_create(CLOCK_MONOTONIC, 0)), null = OK(open("/dev/null", O_RDONLY));
    uint64_t n;
    CHECK_ERR(timerfd_create(99, 0), EINVAL);
    CHECK_ERR(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0), EINVAL);
    CHECK_ERR(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL);
    CHECK_ERR(timerfd_settime(fd, 0, &bad, NULL), EINVAL);
    CHECK_ERR(timerfd_settime(fd, 0, BAD_POINTER, NULL), EFAULT);
    CHECK_ERR(timerfd_settime(fd, 64, &t, NULL), EINVAL);
    CHECK_ERR(timerfd_settime(null, 0, &t, NULL), EINVAL);
    CHECK_ERR(timerfd_settime(99, 0, &t, NULL), EBADF);
    CHECK_ERR(timerfd_gettime(fd, BAD_POINTER), EFAULT);
    CHECK_ERR(timerfd_gettime(null, &t), EINVAL);
    CHECK_ERR(read(fd, &n, 4), EINVAL);
}
