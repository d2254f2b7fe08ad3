// SPDX-License-Identifier: Apache-2.0
// syscalls: clock_gettime clock_getres clock_settime clock_nanosleep clock_adjtime nanosleep gettimeofday settimeofday time adjtimex times
// Reading clocks, and sleeping by them.
#include "../guest.h"
#include <sys/time.h>
#include <sys/times.h>
#include <sys/timex.h>

static double read_clock(clockid_t c) {
    struct timespec t;
    OK(SYS(clock_gettime, c, &t));
    CHECK(t.tv_nsec >= 0 && t.tv_nsec < 1000000000);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

TEST(every_clock) {
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC_RAW,
                                       CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI};
    for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        struct timespec r;
        OK(clock_getres(clocks[i], &r));
        CHECK(r.tv_sec == 0 && r.tv_nsec > 0 && r.tv_nsec <= 10000000);
        double a = read_clock(clocks[i]), b = read_clock(clocks[i]);
        CHECK(b >= a);
    }
    CHECK_ERR(SYS(clock_gettime, 99, NULL), EINVAL);
    CHECK_ERR(SYS(clock_gettime, CLOCK_MONOTONIC, BAD_POINTER), EFAULT);
    CHECK_ERR(SYS(clock_getres, 99, NULL), EINVAL);
    OK(SYS(clock_getres, CLOCK_MONOTONIC, NULL));
}
TEST(the_library_and_the_kernel_agree) {
    for (int i = 0; i < 100; i++) {
        struct timespec a, b, c;
        OK(SYS(clock_gettime, CLOCK_MONOTONIC, &a));
        OK(clock_gettime(CLOCK_MONOTONIC, &b));
        OK(SYS(clock_gettime, CLOCK_MONOTONIC, &c));
        double x = a.tv_sec + a.tv_nsec * 1e-9, y = b.tv_sec + b.tv_nsec * 1e-9, z = c.tv_sec + c.tv_nsec * 1e-9;
        CHECK(y >= x - 1e-6 && z >= y - 1e-6);
    }
}
TEST(wall_clock) {
    struct timeval tv;
    struct timezone tz = {99, 99};
    OK(SYS(gettimeofday, &tv, &tz));
    CHECK(tv.tv_sec > 1700000000);
    time_t t, r = SYS(time, &t);
    CHECK_EQ(r, t);
    // time(2) reads the coarse clock: it may still say the second before.
    CHECK(t - tv.tv_sec <= 1 && t >= tv.tv_sec - 1);
    double real = read_clock(CLOCK_REALTIME);
    CHECK(real - tv.tv_sec < 2);
    CHECK(SYS(time, NULL) >= t);
    CHECK_ERR(SYS(time, BAD_POINTER), EFAULT);
    CHECK_ERR(SYS(gettimeofday, BAD_POINTER, NULL), EFAULT);
}
TEST(cpu_time_advances_with_work) {
    double a = read_clock(CLOCK_PROCESS_CPUTIME_ID), b = read_clock(CLOCK_THREAD_CPUTIME_ID);
    burn_ms(20);
    CHECK(read_clock(CLOCK_PROCESS_CPUTIME_ID) - a > 0.005);
    CHECK(read_clock(CLOCK_THREAD_CPUTIME_ID) - b > 0.005);
    a = read_clock(CLOCK_PROCESS_CPUTIME_ID);
    sleep_ms(50);
    CHECK(read_clock(CLOCK_PROCESS_CPUTIME_ID) - a < 0.04);
}
TEST(clock_of_another_process) {
    pid_t pid = CHILD(volatile long n = 0; for (;;) n++);
    clockid_t c;
    CHECK_EQ(clock_getcpuclockid(pid, &c), 0);
    double a = read_clock(c);
    for (int i = 0; i < 2000 && read_clock(c) <= a; i++) sleep_ms(1);
    CHECK(read_clock(c) > a);
    OK(kill(pid, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
    struct timespec t;
    CHECK_ERR(clock_gettime(c, &t), EINVAL);
}
TEST(sleep_for) {
    struct timespec t = {0, 20000000}, zero = {0, 0}, bad = {0, 1000000000}, negative = {-1, 0};
    double begin = seconds();
    OK(nanosleep(&t, NULL));
    double took = seconds() - begin;
    CHECK(took >= 0.0199 && took < 1);
    OK(nanosleep(&zero, NULL));
    CHECK_ERR(nanosleep(&bad, NULL), EINVAL);
    CHECK_ERR(nanosleep(&negative, NULL), EINVAL);
    CHECK_ERR(SYS(nanosleep, BAD_POINTER, NULL), EFAULT);
}
TEST(sleep_until) {
    struct timespec t;
    OK(clock_gettime(CLOCK_MONOTONIC, &t));
    double begin = seconds();
    t.tv_nsec += 30000000;
    if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
    CHECK(seconds() - begin >= 0.029);
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL), 0);
    t = (struct timespec){0, 10000000};
    CHECK_EQ(clock_nanosleep(CLOCK_REALTIME, 0, &t, NULL), 0);
    CHECK_EQ(clock_nanosleep(CLOCK_BOOTTIME, 0, &t, NULL), 0);
    CHECK_EQ(clock_nanosleep(99, 0, &t, NULL), EINVAL);
    CHECK_ERR(SYS(clock_nanosleep, CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL), EOPNOTSUPP);
    t.tv_nsec = -1;
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL), EINVAL);
}
static void nothing(int s) { (void)s; }
TEST(an_interrupted_sleep_tells_the_rest) {
    struct sigaction a = {.sa_handler = nothing};
    OK(sigaction(SIGALRM, &a, NULL));
    struct timespec t = {2, 0}, left = {0, 0};
    ualarm(20000, 0);
    CHECK_ERR(nanosleep(&t, &left), EINTR);
    CHECK_EQ(left.tv_sec, 1);
    ualarm(20000, 0);
    left.tv_sec = 0;
    CHECK_EQ(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &left), EINTR);
    CHECK_EQ(left.tv_sec, 1);
}
TEST(a_stop_does_not_end_a_sleep) {
    pid_t pid = CHILD(double begin = seconds(); struct timespec t = {0, 150000000}; OK(nanosleep(&t, NULL)); CHECK(seconds() - begin >= 0.149));
    sleep_ms(30);
    OK(kill(pid, SIGSTOP));
    sleep_ms(20);
    OK(kill(pid, SIGCONT));
    CHECK_EXIT(pid, 0);
}
TEST(process_times) {
    struct tms t;
    burn_ms(40);
    clock_t now = times(&t);
    CHECK(now != -1);
    CHECK(t.tms_utime + t.tms_stime >= 1);
    CHECK_EXIT(CHILD(burn_ms(40)), 0);
    times(&t);
    CHECK(t.tms_cutime + t.tms_cstime >= 1);
    CHECK(SYS(times, NULL) != -1);
    CHECK_ERR(SYS(times, BAD_POINTER), EFAULT);
}
TEST(setting_needs_a_right) {
    struct timespec t = {1700000000, 0}, bad = {0, -1};
    struct timeval tv = {1700000000, 0};
    struct timex x = {0};
    CHECK_ERR(clock_settime(CLOCK_MONOTONIC, &t), EINVAL);
    CHECK_ERR(SYS(clock_settime, CLOCK_REALTIME, &bad), EINVAL);
    CHECK_EXIT(CHILD(
        if (geteuid() == 0) OK(setuid(1000));
        CHECK_ERR(clock_settime(CLOCK_REALTIME, &t), EPERM);
        CHECK_ERR(SYS(settimeofday, &tv, NULL), EPERM);
        x.modes = ADJ_FREQUENCY;
        CHECK_ERR(SYS(adjtimex, &x), EPERM);
        CHECK_ERR(SYS(clock_adjtime, CLOCK_REALTIME, &x), EPERM)), 0);
    CHECK_ERR(SYS(adjtimex, BAD_POINTER), EFAULT);
}
TEST(reading_the_adjustment) {
    struct timex x = {0};
    long r = SYS(adjtimex, &x);
    if (r < 0 && errno == ENOSYS && in_cvisor()) return;
    CHECK(r >= 0 && r <= 5);
    CHECK(x.tick >= 9000 && x.tick <= 11000);
    CHECK(SYS(clock_adjtime, CLOCK_REALTIME, &x) >= 0);
}
