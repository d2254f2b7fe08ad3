// SPDX-License-Identifier: Apache-2.0
// elapsed NAME COMMAND [ARGUMENT...]: runs a command with its output thrown away and prints the wall time it took as a figure of that name:
// name, a tab, milliseconds, a tab, "ms". It ends with 1 when the command does not end with 0.
// cflags: -O2 -static
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec * 1e-6;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    double start = now_ms();
    pid_t pid = fork();
    if (pid == 0) {
        dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        fprintf(stderr, "%s: status %#x\n", argv[2], status);
        return 1;
    }
    printf("%s\t%.4g\tms\n", argv[1], now_ms() - start);
    return 0;
}
