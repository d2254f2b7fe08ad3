// SPDX-License-Identifier: Apache-2.0
// syscalls: clone clone3 gettid set_tid_address set_robust_list get_robust_list futex exit sched_yield rseq arch_prctl
// Threads: through the C library and below it.
// cflags: -pthread
#include "../guest.h"
#include <asm/prctl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>

static void *identity(void *a) { return a; }
TEST(create_and_join) {
    for (long i = 0; i < 50; i++) {
        pthread_t t;
        void *r;
        CHECK_EQ(pthread_create(&t, NULL, identity, (void *)i), 0);
        CHECK_EQ(pthread_join(t, &r), 0);
        CHECK_EQ((long)r, i);
    }
}
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long counter;
static void *count(void *a) {
    for (int i = 0; i < 2000; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
    }
    return a;
}
TEST(a_mutex_keeps_count) {
    pthread_t t[8];
    for (int i = 0; i < 8; i++) CHECK_EQ(pthread_create(&t[i], NULL, count, NULL), 0);
    for (int i = 0; i < 8; i++) CHECK_EQ(pthread_join(t[i], NULL), 0);
    CHECK_EQ(counter, 16000);
}
static pthread_cond_t turn_changed = PTHREAD_COND_INITIALIZER;
static int turn;
static void *take_turns(void *a) {
    int mine = (int)(long)a;
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&mutex);
        while (turn != mine) pthread_cond_wait(&turn_changed, &mutex);
        turn = (turn + 1) % 3;
        pthread_cond_broadcast(&turn_changed);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}
TEST(condition_variables) {
    pthread_t t[3];
    for (long i = 0; i < 3; i++) CHECK_EQ(pthread_create(&t[i], NULL, take_turns, (void *)i), 0);
    for (int i = 0; i < 3; i++) CHECK_EQ(pthread_join(t[i], NULL), 0);
    CHECK_EQ(turn, 0);
}
static __thread int local = 5;
static void *use_local(void *a) {
    int before = local;
    local = (int)(long)a;
    sched_yield();
    return (void *)(long)(before == 5 && local == (int)(long)a);
}
TEST(thread_local_storage) {
    pthread_t t[4];
    for (long i = 0; i < 4; i++) CHECK_EQ(pthread_create(&t[i], NULL, use_local, (void *)(i + 10)), 0);
    for (int i = 0; i < 4; i++) {
        void *r;
        CHECK_EQ(pthread_join(t[i], &r), 0);
        CHECK_EQ((long)r, 1);
    }
    CHECK_EQ(local, 5);
}
static sem_t semaphore;
static void *ids(void *a) {
    pid_t *out = a;
    out[0] = getpid();
    out[1] = SYS(gettid);
    out[2] = getppid();
    sem_post(&semaphore);
    return NULL;
}
TEST(ids_of_a_thread) {
    pid_t out[3];
    pthread_t t;
    sem_init(&semaphore, 0, 0);
    CHECK_EQ(pthread_create(&t, NULL, ids, out), 0);
    sem_wait(&semaphore);
    CHECK_EQ(pthread_join(t, NULL), 0);
    CHECK_EQ(out[0], getpid());
    CHECK(out[1] != getpid());
    CHECK_EQ(out[2], getppid());
}
static void *end_alone(void *a) {
    SYS(exit, 3);
    return a;
}
TEST(exit_ends_one_thread) {
    CHECK_EXIT(CHILD(
        pthread_t t;
        pthread_create(&t, NULL, end_alone, NULL);
        pthread_join(t, NULL);
        _exit(12)), 12);
}
static void *finish_process(void *a) {
    sleep_ms(20);
    _exit(13);
    return a;
}
TEST(exit_group_ends_all) {
    CHECK_EXIT(CHILD(pthread_t t; pthread_create(&t, NULL, finish_process, NULL); for (;;) pause()), 13);
    // The leader goes first; the process lives on until the last thread ends.
    CHECK_EXIT(CHILD(pthread_t t; pthread_create(&t, NULL, finish_process, NULL); SYS(exit, 1)), 13);
}
static void *fork_here(void *a) {
    (void)a;
    pid_t pid = fork();
    if (pid == 0) {
        // Only the forking thread is there, and leads.
        _exit(SYS(gettid) == getpid() ? 21 : 1);
    }
    int status;
    waitpid(pid, &status, 0);
    return (void *)(long)WEXITSTATUS(status);
}
TEST(fork_from_a_thread) {
    pthread_t t;
    void *r;
    CHECK_EQ(pthread_create(&t, NULL, fork_here, NULL), 0);
    CHECK_EQ(pthread_join(t, &r), 0);
    CHECK_EQ((long)r, 21);
}
static void *wait_for_child(void *a) {
    int status;
    pid_t pid = (pid_t)(long)a;
    return (void *)(long)(waitpid(pid, &status, 0) == pid ? WEXITSTATUS(status) : -errno);
}
TEST(children_belong_to_the_process) {
    pid_t pid = CHILD(_exit(31));
    pthread_t t;
    void *r;
    CHECK_EQ(pthread_create(&t, NULL, wait_for_child, (void *)(long)pid), 0);
    CHECK_EQ(pthread_join(t, &r), 0);
    CHECK_EQ((long)r, 31);
}
TEST(robust_list_calls) {
    struct robust_list_head *head, mine = {.list = {&mine.list}};
    size_t length;
    OK(SYS(get_robust_list, 0, &head, &length));
    CHECK_EQ(length, sizeof *head);
    OK(SYS(set_robust_list, &mine, sizeof mine));
    OK(SYS(get_robust_list, getpid(), &head, &length));
    CHECK(head == &mine);
    CHECK_ERR(SYS(set_robust_list, &mine, 7), EINVAL);
    CHECK_ERR(SYS(get_robust_list, 999999, &head, &length), ESRCH);
    CHECK_ERR(SYS(get_robust_list, 0, BAD_POINTER, &length), EFAULT);
}
static void *die_holding(void *a) {
    pthread_mutex_lock(a);
    return NULL;
}
TEST(robust_mutex_of_a_dead_thread) {
    pthread_mutexattr_t a;
    pthread_mutex_t m;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&m, &a);
    pthread_t t;
    CHECK_EQ(pthread_create(&t, NULL, die_holding, &m), 0);
    CHECK_EQ(pthread_join(t, NULL), 0);
    CHECK_EQ(pthread_mutex_lock(&m), EOWNERDEAD);
    CHECK_EQ(pthread_mutex_consistent(&m), 0);
    CHECK_EQ(pthread_mutex_unlock(&m), 0);
}
TEST(robust_mutex_of_a_killed_process) {
    pthread_mutexattr_t a;
    pthread_mutex_t *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_init(&a);
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(m, &a);
    CHECK_KILLED(CHILD(pthread_mutex_lock(m); kill(getpid(), SIGKILL)), SIGKILL);
    CHECK_EQ(pthread_mutex_lock(m), EOWNERDEAD);
}
static void *work(void *a) {
    volatile double x = 0;
    for (int i = 0; i < 20000; i++) x += i * 0.5;
    *(double *)a = x;
    return NULL;
}
TEST(floating_point_is_per_thread) {
    pthread_t t[6];
    double r[6];
    for (int i = 0; i < 6; i++) CHECK_EQ(pthread_create(&t[i], NULL, work, &r[i]), 0);
    for (int i = 0; i < 6; i++) {
        CHECK_EQ(pthread_join(t[i], NULL), 0);
        CHECK(r[i] == 0.5 * 20000 * 19999 / 2);
    }
}
TEST(hundreds_of_threads) {
    enum { count = 300 };
    static pthread_t t[count];
    pthread_attr_t a;
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 65536);
    for (long i = 0; i < count; i++) CHECK_EQ(pthread_create(&t[i], &a, identity, (void *)i), 0);
    for (int i = 0; i < count; i++) CHECK_EQ(pthread_join(t[i], NULL), 0);
}
TEST(segment_bases) {
    unsigned long fs = 0, gs = 1;
    OK(SYS(arch_prctl, ARCH_GET_FS, &fs));
    CHECK(fs != 0);
    OK(SYS(arch_prctl, ARCH_GET_GS, &gs));
    CHECK_EQ(gs, 0);
    static unsigned long word = 0x1234;
    OK(SYS(arch_prctl, ARCH_SET_GS, &word));
    unsigned long value;
    __asm__ volatile("mov %%gs:0, %0" : "=r"(value));
    CHECK_EQ(value, 0x1234);
    sched_yield();
    __asm__ volatile("mov %%gs:0, %0" : "=r"(value));
    CHECK_EQ(value, 0x1234);
    CHECK_ERR(SYS(arch_prctl, ARCH_SET_GS, KERNEL_POINTER), EPERM);
    CHECK_ERR(SYS(arch_prctl, 0x9999, 0), EINVAL);
    CHECK_ERR(SYS(arch_prctl, ARCH_GET_FS, BAD_POINTER), EFAULT);
}
TEST(restartable_sequences_register_once) {
    static struct { uint32_t words[8]; } area __attribute__((aligned(32)));
    long r = SYS(rseq, &area, sizeof area, 0, 0x53053053);
    // The C library has registered its own already, or the kernel has no such call.
    CHECK(r == 0 || errno == EINVAL || errno == EBUSY || errno == ENOSYS || errno == EPERM);
    CHECK(SYS(rseq, (char *)&area + 1, 32, 0, 0) == -1);
}
static void *cancel_me(void *a) {
    for (;;) pause();
    return a;
}
TEST(cancellation) {
    pthread_t t;
    void *r;
    CHECK_EQ(pthread_create(&t, NULL, cancel_me, NULL), 0);
    sleep_ms(5);
    CHECK_EQ(pthread_cancel(t), 0);
    CHECK_EQ(pthread_join(t, &r), 0);
    CHECK(r == PTHREAD_CANCELED);
}
