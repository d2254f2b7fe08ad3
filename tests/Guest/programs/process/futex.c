// SPDX-License-Identifier: Apache-2.0
// syscalls: futex futex_waitv
// The word threads meet at.
// cflags: -pthread
#include "../guest.h"
#include <linux/futex.h>
#include <pthread.h>

static long futex(volatile uint32_t *w, int op, uint32_t v, const void *t, volatile void *w2, uint32_t v3) {
    return SYS(futex, w, op, v, t, w2, v3);
}
static volatile uint32_t word, other;
static volatile int awake;
static void *wait_on_word(void *a) {
    long r = futex(&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, NULL, NULL, 0);
    __sync_fetch_and_add(&awake, 1);
    return (void *)(r == 0 ? (long)a : -(long)errno);
}
static void start(pthread_t *t, int n) {
    for (int i = 0; i < n; i++) CHECK_EQ(pthread_create(&t[i], NULL, wait_on_word, NULL), 0);
    await_sleepers(getpid(), n);
}
static void await_awake(int n) {
    for (int tries = 0; tries < 10000 && awake != n; tries++) sleep_ms(1);
    CHECK_EQ(awake, n);
}

TEST(wait_and_wake) {
    pthread_t t[3];
    start(t, 3);
    CHECK_EQ(awake, 0);
    CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 1);
    await_awake(1);
    CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 2);
    for (int i = 0; i < 3; i++) CHECK_EQ(pthread_join(t[i], NULL), 0);
    CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0), 0);
}
TEST(value_has_changed) {
    word = 5;
    CHECK_ERR(futex(&word, FUTEX_WAIT, 4, NULL, NULL, 0), EAGAIN);
}
TEST(times_out) {
    struct timespec t = {0, 20000000}, bad = {0, -1};
    double begin = seconds();
    CHECK_ERR(futex(&word, FUTEX_WAIT, 0, &t, NULL, 0), ETIMEDOUT);
    CHECK(seconds() - begin >= 0.019);
    CHECK_ERR(futex(&word, FUTEX_WAIT, 0, &bad, NULL, 0), EINVAL);
    // The bit set form takes a moment, on either clock.
    clock_gettime(CLOCK_MONOTONIC, &t);
    CHECK_ERR(futex(&word, FUTEX_WAIT_BITSET, 0, &t, NULL, FUTEX_BITSET_MATCH_ANY), ETIMEDOUT);
    clock_gettime(CLOCK_REALTIME, &t);
    CHECK_ERR(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &t, NULL, FUTEX_BITSET_MATCH_ANY), ETIMEDOUT);
}
static void on_alarm(int s) { (void)s; }
TEST(is_interrupted) {
    struct sigaction a = {.sa_handler = on_alarm};
    OK(sigaction(SIGALRM, &a, NULL));
    ualarm(20000, 0);
    CHECK_ERR(futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0), EINTR);
}
static void *wait_for_bits(void *a) {
    long r = futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL, (uint32_t)(long)a);
    __sync_fetch_and_add(&awake, 1);
    return (void *)r;
}
TEST(bit_sets) {
    pthread_t t[2];
    CHECK_EQ(pthread_create(&t[0], NULL, wait_for_bits, (void *)1L), 0);
    CHECK_EQ(pthread_create(&t[1], NULL, wait_for_bits, (void *)2L), 0);
    await_sleepers(getpid(), 2);
    CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, 4), 0);
    CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, 2), 1);
    CHECK_EQ(pthread_join(t[1], NULL), 0);
    CHECK_EQ(awake, 1);
    CHECK_EQ(futex(&word, FUTEX_WAKE_BITSET_PRIVATE, INT_MAX, NULL, NULL, 3), 1);
    CHECK_EQ(pthread_join(t[0], NULL), 0);
    CHECK_ERR(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL);
    CHECK_ERR(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0), EINVAL);
}
TEST(requeue) {
    pthread_t t[4];
    start(t, 4);
    CHECK_EQ(futex(&word, FUTEX_REQUEUE_PRIVATE, 1, (void *)2L, &other, 0), 3);
    await_awake(1);
    CHECK_EQ(futex(&other, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 2);
    CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 1);
    for (int i = 0; i < 4; i++) CHECK_EQ(pthread_join(t[i], NULL), 0);
}
TEST(compare_and_requeue) {
    pthread_t t[2];
    start(t, 2);
    CHECK_ERR(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)1L, &other, 99), EAGAIN);
    CHECK_EQ(futex(&word, FUTEX_CMP_REQUEUE_PRIVATE, 0, (void *)5L, &other, 0), 2);
    CHECK_EQ(futex(&word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 0);
    CHECK_EQ(futex(&other, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0), 2);
    for (int i = 0; i < 2; i++) CHECK_EQ(pthread_join(t[i], NULL), 0);
}
TEST(wake_and_operate) {
    pthread_t t[2];
    start(t, 2);
    other = 7;
    // other += 3; the comparison with the old value holds, so the waiters of other would be woken too.
    CHECK_EQ(futex(&word, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1L, &other, FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 7)), 1);
    CHECK_EQ(other, 10);
    CHECK_EQ(futex(&other, FUTEX_WAKE_OP_PRIVATE, 0, (void *)1L, &word, FUTEX_OP(FUTEX_OP_OR, 0, FUTEX_OP_CMP_EQ, 0)), 1);
    for (int i = 0; i < 2; i++) CHECK_EQ(pthread_join(t[i], NULL), 0);
}
TEST(between_processes) {
    volatile uint32_t *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = CHILD(while (*shared == 0) futex(shared, FUTEX_WAIT, 0, NULL, NULL, 0));
    await_sleepers(pid, 1);
    *shared = 1;
    CHECK_EQ(futex(shared, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
    CHECK_EXIT(pid, 0);
}
TEST(through_two_mappings_of_a_file) {
    int fd = OK(open("f", O_CREAT | O_RDWR, 0600));
    OK(ftruncate(fd, 8192));
    volatile uint32_t *a = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
    pid_t pid = CHILD(
        volatile uint32_t *b = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        b += 1024;
        while (*b == 0) futex(b, FUTEX_WAIT, 0, NULL, NULL, 0));
    await_sleepers(pid, 1);
    *a = 1;
    CHECK_EQ(futex(a, FUTEX_WAKE, 1, NULL, NULL, 0), 1);
    CHECK_EXIT(pid, 0);
}
TEST(refusals) {
    CHECK_ERR(futex((void *)((char *)&word + 1), FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL);
    CHECK_ERR(futex(BAD_POINTER, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT);
    CHECK_ERR(futex(KERNEL_POINTER, FUTEX_WAKE, 0, NULL, NULL, 0), EFAULT);
    CHECK_ERR(futex(&word, 77, 0, NULL, NULL, 0), ENOSYS);
    CHECK_ERR(futex(&word, FUTEX_WAIT, 0, BAD_POINTER, NULL, 0), EFAULT);
    CHECK_ERR(futex(&word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0), ENOSYS);
}
static pthread_mutex_t pi;
static int pi_value;
static void *use_pi(void *a) {
    pthread_mutex_lock(&pi);
    int v = pi_value;
    sched_yield();
    pi_value = v + 1;
    pthread_mutex_unlock(&pi);
    return a;
}
TEST(priority_inheritance) {
    uint32_t w = 0;
    long r = futex(&w, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0);
    if (r < 0 && errno == ENOSYS) SKIP("no PI futexes here");
    CHECK_EQ(r, 0);
    CHECK_EQ(w & FUTEX_TID_MASK, SYS(gettid));
    CHECK_ERR(futex(&w, FUTEX_LOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
    CHECK_ERR(futex(&w, FUTEX_TRYLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EDEADLK);
    OK(futex(&w, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0));
    CHECK_EQ(w, 0);
    CHECK_ERR(futex(&w, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL, NULL, 0), EPERM);
    pthread_mutexattr_t a;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT);
    CHECK_EQ(pthread_mutex_init(&pi, &a), 0);
    pthread_t t[4];
    for (int i = 0; i < 4; i++) CHECK_EQ(pthread_create(&t[i], NULL, use_pi, NULL), 0);
    for (int i = 0; i < 4; i++) CHECK_EQ(pthread_join(t[i], NULL), 0);
    CHECK_EQ(pi_value, 4);
}
struct waiter {
    uint64_t value, address;
    uint32_t flags, reserved;
};
static void *wake_other(void *a) {
    sleep_ms(20);
    other = 1;
    futex(&other, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    return a;
}
TEST(wait_for_several) {
    struct waiter w[2] = {{0, (uintptr_t)&word, 2 | 128, 0}, {0, (uintptr_t)&other, 2 | 128, 0}};
    pthread_t t;
    CHECK_EQ(pthread_create(&t, NULL, wake_other, NULL), 0);
    long r = syscall(449, w, 2, 0, NULL, 0);
    if (r < 0 && errno == ENOSYS) {
        pthread_join(t, NULL);
        SKIP("no futex_waitv here");
    }
    CHECK(r == 1 || (r == -1 && errno == EAGAIN));
    CHECK_EQ(pthread_join(t, NULL), 0);
    CHECK_ERR(syscall(449, w, 0, 0, NULL, 0), EINVAL);
    CHECK_ERR(syscall(449, w, 2, 1, NULL, 0), EINVAL);
    CHECK_ERR(syscall(449, w, 2, 0, NULL, 0), EAGAIN);
}
