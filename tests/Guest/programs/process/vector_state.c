// SPDX-License-Identifier: Apache-2.0
// syscalls: futex sched_yield nanosleep pipe2 read write
// cflags: -pthread
// The vector registers of threads that wait for each other stay their own, whoever runs in between.
#include "../guest.h"
#include <linux/futex.h>
#include <pthread.h>

#ifdef __x86_64__
enum { threads = 6, rounds = 3000 };
static int words[threads], ends[threads][2];
static volatile int stop;

typedef unsigned long long registers[16][2];

// Makes a call with all of xmm0 to xmm15 loaded, and stores what they are afterwards.
static long call_with(const registers before, registers after, long number, long a, long b, long c, long d) {
    register long r10 __asm__("r10") = d;
    long result;
    __asm__ volatile(
        ".macro each op\n"
        "\\op 0\n\\op 1\n\\op 2\n\\op 3\n\\op 4\n\\op 5\n\\op 6\n\\op 7\n\\op 8\n\\op 9\n\\op 10\n\\op 11\n\\op 12\n\\op 13\n\\op 14\n\\op 15\n"
        ".endm\n"
        ".macro load n\nmovdqu 16*\\n(%[before]), %%xmm\\n\n.endm\n"
        ".macro keep n\nmovdqu %%xmm\\n, 16*\\n(%[after])\n.endm\n"
        "each load\n"
        "syscall\n"
        "each keep\n"
        ".purgem each\n.purgem load\n.purgem keep\n"
        : "=a"(result)
        : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), [before] "r"(before), [after] "r"(after)
        : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
          "xmm13", "xmm14", "xmm15");
    return result;
}
static void *body(void *a) {
    int me = (int)(long)a, next = (me + 1) % threads;
    registers before, after;
    struct timespec moment = {0, 2000000}, instant = {0, 1};
    char byte = 'x';
    for (int i = 0; i < rounds && !stop; i++) {
        for (int r = 0; r < 16; r++) before[r][0] = (me + 1) * 1000003ULL * (i + r + 1), before[r][1] = ~before[r][0];
        switch ((i + me) % 6) {
        case 0: call_with(before, after, SYS_futex, (long)&words[me], FUTEX_WAIT_PRIVATE, words[me], (long)&moment); break;
        case 1: call_with(before, after, SYS_sched_yield, 0, 0, 0, 0); break;
        case 2: call_with(before, after, SYS_write, ends[next][1], (long)&byte, 1, 0); break;
        case 3: call_with(before, after, SYS_read, ends[me][0], (long)&byte, 1, 0); break;
        case 4: call_with(before, after, SYS_nanosleep, (long)&instant, 0, 0, 0); break;
        default:
            __atomic_add_fetch(&words[next], 1, __ATOMIC_SEQ_CST);
            call_with(before, after, SYS_futex, (long)&words[next], FUTEX_WAKE_PRIVATE, 1, 0);
        }
        if (memcmp(before, after, sizeof before) != 0) {
            stop = 1;
            return (void *)(long)(i + 1);
        }
    }
    // Whoever still waits for a byte from here gets it.
    for (int i = 0; i < rounds; i++) OK(write(ends[next][1], &byte, 1));
    return NULL;
}
TEST(threads_keep_their_vector_registers) {
    pthread_t t[threads];
    for (int i = 0; i < threads; i++) OK(pipe2(ends[i], O_NONBLOCK));
    for (int i = 0; i < threads; i++) {
        OK(fcntl(ends[i][0], F_SETFL, 0));
        CHECK_EQ(pthread_create(t + i, NULL, body, (void *)(long)i), 0);
    }
    for (int i = 0; i < threads; i++) {
        void *round;
        CHECK_EQ(pthread_join(t[i], &round), 0);
        CHECK_EQ((long)round, 0);
    }
}
#endif
