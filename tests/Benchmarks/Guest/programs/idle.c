// SPDX-License-Identifier: Apache-2.0
// idle MILLISECONDS COMMAND [ARGUMENT...]: runs a command that leaves processes behind, waits, and prints how many there are and the
// memory they take together (PSS, in KiB). It finds them as its own descendants: as a subreaper it inherits those that were let go.
// cflags: -static
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { Max = 1 << 16 };
static int pids[Max], parents[Max], count;

static int parent_of(int pid) {
    char path[64], line[512];
    int parent = -1;
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "r");
    if (!f) return -1;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "PPid: %d", &parent) == 1) break;
    fclose(f);
    return parent;
}
static long pss_of(int pid) {
    char path[64], line[512];
    long kib = 0;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "Pss: %ld kB", &kib) == 1) break;
    fclose(f);
    return kib;
}
static int descends(int pid, int from) {
    for (int depth = 0; depth < 64 && pid > 1; depth++) {
        int parent = -1;
        for (int i = 0; i < count; i++)
            if (pids[i] == pid) parent = parents[i];
        if (parent == from) return 1;
        pid = parent;
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t pid = fork();
    if (pid == 0) {
        // What is left behind must not hold our standard output open.
        int null = open("/dev/null", O_RDWR);
        for (int i = 0; i < 3; i++) dup2(null, i);
        execvp(argv[2], argv + 2);
        perror(argv[2]);
        _exit(127);
    }
    int status;
    waitpid(pid, &status, 0);
    if (status != 0) return 1;
    usleep(atoi(argv[1]) * 1000);
    DIR *d = opendir("/proc");
    for (struct dirent *e; d && (e = readdir(d)) && count < Max;)
        if (atoi(e->d_name) > 0) {
            pids[count] = atoi(e->d_name);
            parents[count] = parent_of(pids[count]);
            count++;
        }
    int found = 0;
    long total = 0;
    for (int i = 0; i < count; i++)
        if (descends(pids[i], getpid())) {
            found++;
            total += pss_of(pids[i]);
        }
    printf("%d %ld\n", found, total);
    return 0;
}
