// SPDX-License-Identifier: Apache-2.0
// syscalls: fork vfork execve wait4 madvise
// cflags: -pthread
// Short lives, and many of them: what one process leaves is nothing to the next one, and what two share is copied before either writes.
#include "../guest.h"
#include <pthread.h>

static void *sleeps(void *a) {
    for (;;) pause();
    return a;
}
static void start_threads(int n) {
    pthread_t t;
    pthread_attr_t a;
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 65536);
    while (n-- > 0) CHECK_EQ(pthread_create(&t, &a, sleeps, NULL), 0);
}
static void become(const char *what, int count) {
    char number[16];
    snprintf(number, sizeof number, "%d", count);
    execl("/proc/self/exe", "lives", what, number, (char *)NULL);
    _exit(98);
}
static void *becomes_next(void *count) {
    become("row", (int)(intptr_t)count);
    return NULL;
}
// A program that starts threads and becomes itself again, from its leader and from another thread by turns.
__attribute__((constructor(101))) static void as_target(int argc, char **argv) {
    if (argc != 3) return;
    int count = atoi(argv[2]);
    if (!strcmp(argv[1], "exit")) _exit(count);
    if (strcmp(argv[1], "row")) return;
    if (count == 0) _exit(42);
    pthread_t t;
    start_threads(3);
    if (count & 1) becomes_next((void *)(intptr_t)(count - 1));
    pthread_create(&t, NULL, becomes_next, (void *)(intptr_t)(count - 1));
    for (;;) pause();
}
TEST(five_hundred_programs_in_a_row) { CHECK_EXIT(CHILD(become("row", 500)), 42); }

TEST(a_program_that_is_not_there_changes_nothing) {
    static char kept[65536];
    memset(kept, 7, sizeof kept);
    for (int i = 0; i < 100; i++) {
        CHECK_EQ(execl("/no/such/program", "x", (char *)NULL), -1);
        CHECK_EQ(errno, ENOENT);
    }
    for (size_t i = 0; i < sizeof kept; i++) CHECK_EQ(kept[i], 7);
}

static char initialized[3 * 4096] = {1};
static char zeroes[300000];
TEST(a_vfork_parents_memory_is_its_own) {
    enum { big = 1 << 20 };
    volatile char on_stack[20000];
    volatile char *heap = malloc(big);
    memset((void *)on_stack, 3, sizeof on_stack), memset((void *)heap, 4, big), memset(zeroes, 5, sizeof zeroes), memset(initialized, 6, sizeof initialized);
    for (int i = 0; i < 60; i++) {
        pid_t pid = vfork();
        if (pid == 0) {
            heap[i] = 40; // The parent's own memory, and seen by it.
            execl("/proc/self/exe", "lives", "exit", "9", (char *)NULL);
            _exit(98);
        }
        CHECK_EXIT(pid, 9);
        CHECK_EQ(heap[i], 40);
        heap[i] = 4;
        for (size_t k = 0; k < sizeof on_stack; k += 101) CHECK_EQ(on_stack[k], 3);
        for (size_t k = 0; k < big; k += 1021) CHECK_EQ(heap[k], 4);
        for (size_t k = 0; k < sizeof zeroes; k += 1021) CHECK_EQ(zeroes[k], 5);
        for (size_t k = 0; k < sizeof initialized; k += 101) CHECK_EQ(initialized[k], 6);
    }
}

// Memory of every kind that a fork copies, with a mark in each page.
enum { kinds = 6, small = 2 * 4096, large = 60 * 4096 };
static struct { char *at; size_t size; } all[kinds];
static void make_all(char *stack) {
    static char file[] = "file";
    char page[4096];
    memset(page, 'f', sizeof page);
    int fd = OK(open(file, O_CREAT | O_RDWR, 0600));
    for (int i = 0; i < 8; i++) CHECK_EQ(write(fd, page, sizeof page), sizeof page);
    all[0].at = mmap(NULL, small, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), all[0].size = small;
    all[1].at = mmap(NULL, large, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), all[1].size = large;
    all[2].at = mmap(NULL, 8 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0), all[2].size = 8 * 4096;
    all[3].at = initialized, all[3].size = sizeof initialized;
    all[4].at = zeroes, all[4].size = sizeof zeroes;
    all[5].at = stack, all[5].size = 20000;
}
static void mark_all(int mark) {
    for (int k = 0; k < kinds; k++)
        for (size_t i = 0; i < all[k].size; i += 2048) all[k].at[i] = (char)(mark + k);
}
static int is_marked(int mark) {
    for (int k = 0; k < kinds; k++)
        for (size_t i = 0; i < all[k].size; i += 2048)
            if (all[k].at[i] != (char)(mark + k)) return 0;
    return 1;
}
TEST(each_side_of_a_fork_sees_its_own_writes) {
    char stack[20000];
    int down[2], up[2];
    char c;
    make_all(stack);
    for (int round = 0; round < 20; round++) {
        OK(pipe(down)), OK(pipe(up));
        mark_all(1);
        pid_t pid = CHILD(
            if (round & 1) mark_all(50);
            CHECK_EQ(write(up[1], "w", 1), 1);
            CHECK_EQ(read(down[0], &c, 1), 1);
            pid_t inner = CHILD(_exit(is_marked(round & 1 ? 50 : 1) ? 11 : 12));
            if (!(round & 1)) mark_all(70);
            CHECK_EXIT(inner, 11);
            _exit(is_marked(round & 1 ? 50 : 70) ? 10 : 13));
        CHECK_EQ(read(up[0], &c, 1), 1);
        CHECK(is_marked(1));
        mark_all(90);
        CHECK_EQ(write(down[1], "w", 1), 1);
        CHECK_EXIT(pid, 10);
        CHECK(is_marked(90));
        close(down[0]), close(down[1]), close(up[0]), close(up[1]);
    }
}
TEST(what_a_child_is_not_to_have) {
    char *kept = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(kept, 1, 3 * 4096);
    OK(madvise(kept + 4096, 4096, MADV_WIPEONFORK));
    OK(madvise(kept + 8192, 4096, MADV_DONTFORK));
    for (int i = 0; i < 10; i++) {
        CHECK_EXIT(CHILD(_exit(kept[0] == 1 && kept[4096] == 0 ? 10 : 11)), 10);
        CHECK_KILLED(CHILD(_exit(kept[8192])), SIGSEGV);
        kept[0] = kept[4096] = kept[8192] = 1;
    }
}
TEST(many_at_once) {
    enum { many = 100 };
    static pid_t pids[many];
    static int mine[2 * 4096];
    int go[2];
    char c;
    OK(pipe(go));
    for (int i = 0; i < many; i++) {
        mine[0] = mine[4096] = i;
        pids[i] = CHILD(
            close(go[1]);
            mine[100] = i;
            CHECK_EQ(read(go[0], &c, 1), 0);
            _exit(mine[0] == i && mine[4096] == i && mine[100] == i ? 10 : 11));
    }
    mine[0] = mine[4096] = mine[100] = -1;
    close(go[1]);
    for (int i = 0; i < many; i++) CHECK_EXIT(pids[i], 10);
}
static void grow(int depth) {
    if (depth == 0) return;
    pid_t a = CHILD(grow(depth - 1)), b = CHILD(grow(depth - 1));
    CHECK_EXIT(a, 0);
    CHECK_EXIT(b, 0);
}
TEST(a_tree_of_processes) { grow(6); }

TEST(three_hundred_lives) {
    for (int i = 0; i < 300; i++) {
        pid_t pid = CHILD(
            if (i % 3 == 0) start_threads(2);
            if (i % 2 == 0) become("exit", 10);
            _exit(10));
        CHECK_EXIT(pid, 10);
    }
}
TEST(killed_at_any_moment) {
    for (int i = 0; i < 100; i++) {
        pid_t pid = CHILD(
            for (int k = 0;; k++) CHECK_EXIT(CHILD(if (k & 1) become("exit", 10); _exit(10)), 10));
        for (volatile int k = 0; k < i * 3000; k++) continue;
        OK(kill(pid, SIGKILL));
        CHECK_KILLED(pid, SIGKILL);
    }
}
