// SPDX-License-Identifier: Apache-2.0
// Makes seven system calls with each of the numbers given as first argument; a line for each number says which of them a filter answered (errno 101 to 107).
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static const int calls[] = {SYS_getpgrp, SYS_munlockall, SYS_sched_get_priority_min, SYS_sched_get_priority_max, SYS_getsid, SYS_getpgid, SYS_umask};
    for (int i = 1; i < argc; i++) {
        for (int j = 0; j < 7; j++) {
            errno = 0;
            putchar(syscall(calls[j], strtoull(argv[i], 0, 0)) == -1 && errno == 101 + j ? 'x' : '-');
        }
        putchar('\n');
    }
    return 0;
}
