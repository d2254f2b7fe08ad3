// SPDX-License-Identifier: Apache-2.0
// blocked COUNT: makes that many threads, every other one waiting for a futex and the rest reading an empty pipe, prints "ready" once
// all of them run, and sleeps forever.
// cflags: -O2 -static -pthread
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { StackBytes = 64 << 10 };
static int pipe_ends[2], word;
static atomic_int running;

static void *wait_forever(void *index) {
    char byte;
    running++;
    for (;;)
        if ((long)index % 2) syscall(SYS_futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
        else read(pipe_ends[0], &byte, 1);
    return NULL;
}

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 0;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, StackBytes);
    if (pipe(pipe_ends)) return 1;
    for (long i = 0; i < count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, wait_forever, (void *)i)) {
            fprintf(stderr, "thread %ld of %d cannot be made\n", i, count);
            return 1;
        }
    }
    while (running < count) usleep(1000);
    puts("ready");
    fflush(stdout);
    for (;;) pause();
}
