// SPDX-License-Identifier: Apache-2.0
// syscalls: read write mmap mprotect munmap getpgrp pread64 fork brk
// cflags: -pthread
// A platform may change the code around system calls where the program cannot tell. It must not tell: the kernel shows the file's bytes, a page that becomes writable has
// them, any address can be mapped, and calls go on working from every thread, signal handler and child.
#include "../guest.h"
#include <pthread.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { often = 50, around = 256 };

static void call_often(void) {
    int fd = open("/dev/zero", O_RDONLY);
    char c;
    for (int i = 0; i < often; i++) {
        CHECK_EQ(read(fd, &c, 1), 1);
        OK(getpgrp());
        CHECK(SYS(getpgrp) >= 0);
    }
    close(fd);
}
static void shown(const void *code, unsigned char *bytes) {
    int fd = open("/proc/self/mem", O_RDONLY);
    CHECK(fd >= 0);
    CHECK_EQ(pread(fd, bytes, around, (off_t)(uintptr_t)code), around);
    close(fd);
}
static int has_call(const unsigned char *bytes) {
    for (int i = 0; i + 1 < around; i++)
        if (bytes[i] == 0x0f && bytes[i + 1] == 0x05) return 1;
    return 0;
}
TEST(the_kernel_shows_the_files_bytes) {
    unsigned char before[around], after[around], written[around];
    int p[2];
    shown((void *)read, before);
    CHECK(has_call(before));
    call_often();
    shown((void *)read, after);
    CHECK(memcmp(before, after, around) == 0);
    OK(pipe(p));
    CHECK_EQ(write(p[1], (void *)read, around), around);
    CHECK_EQ(read(p[0], written, around), around);
    CHECK(memcmp(before, written, around) == 0);
}
TEST(a_page_that_becomes_writable_has_them_too) {
    unsigned char bytes[around];
    shown((void *)read, bytes);
    call_often();
    uintptr_t page = (uintptr_t)read & ~4095ul;
    OK(mprotect((void *)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC));
    CHECK(memcmp((void *)read, bytes, around) == 0);
    ((volatile unsigned char *)page)[0] = ((volatile unsigned char *)page)[0];
    CHECK(memcmp((void *)read, bytes, around) == 0);
    OK(mprotect((void *)page, 8192, PROT_READ | PROT_EXEC));
    call_often();
}
TEST(low_addresses_are_the_programs) {
    call_often();
    for (uintptr_t at = 0x5000000; at < 0x5200000; at += 0x10000) {
        char *m = mmap((void *)at, 0x10000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
        CHECK_EQ((uintptr_t)m, at);
        for (int i = 0; i < 0x10000; i += 4096) CHECK_EQ(m[i], 0);
        memset(m, 7, 0x10000);
        if (at % 0x20000) OK(munmap(m, 0x10000));
    }
    call_often();
    CHECK_EXIT(CHILD(call_often(); _exit(3)), 3);
}
TEST(a_heap_grows_past_everything) {
    char *start = sbrk(0);
    for (int i = 0; i < 128; i++) {
        char *more = sbrk(1 << 20);
        CHECK(more != (void *)-1);
        more[0] = more[(1 << 20) - 1] = 5;
    }
    CHECK_EQ(brk(start), 0);
    call_often();
}
static volatile int hits;
static void on_alarm(int s) {
    (void)s;
    hits++;
    CHECK(SYS(getpgrp) >= 0);
}
static void *calls(void *a) {
    for (int i = 0; i < 20; i++) call_often();
    return a;
}
TEST(from_threads_handlers_and_children) {
    pthread_t t[4];
    struct itimerval every = {{0, 500}, {0, 500}};
    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &every, NULL);
    for (int i = 0; i < 4; i++) CHECK_EQ(pthread_create(t + i, NULL, calls, NULL), 0);
    for (int i = 0; i < 10; i++) CHECK_EXIT(CHILD(call_often(); _exit(i)), i);
    for (int i = 0; i < 4; i++) pthread_join(t[i], NULL);
    for (int i = 0; i < 2000 && hits == 0; i++) sleep_ms(1);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
    CHECK(hits > 0);
}
TEST(with_a_gs_of_its_own) {
    static uint64_t block[64];
    call_often();
    OK(SYS(arch_prctl, 0x1001 /* ARCH_SET_GS */, block));
    block[1] = 42;
    uint64_t seen;
    call_often();
    __asm__ volatile("mov %%gs:8, %0" : "=r"(seen));
    CHECK_EQ(seen, 42);
    for (int i = 0; i < 64; i++) CHECK_EQ(block[i], i == 1 ? 42 : 0);
    OK(SYS(arch_prctl, 0x1001, 0));
    call_often();
}
