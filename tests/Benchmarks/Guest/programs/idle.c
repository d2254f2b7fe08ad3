// SPDX-License-Identifier: Apache-2.0
// idle SETTLE_MS WATCH_MS COMMAND [ARGUMENT...]: runs a command that leaves processes behind, waits until one of them has printed a line
// and SETTLE_MS more, watches for WATCH_MS, and prints how many processes there are, the memory they take together (PSS, in KiB), and
// the CPU time they took while it watched (nanoseconds). It finds them as its own descendants: as a subreaper it inherits those that
// were let go.
// cflags: -static
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { Max = 1 << 16, ReadyMs = 120000 };
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
// All threads' time, in nanoseconds: the ticks of /proc/PID/stat are too coarse.
static long long cpu_of(int pid) {
    char path[64];
    long long total = 0;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        long long ns = 0;
        char file[512];
        snprintf(file, sizeof file, "%s/%s/schedstat", path, e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(file, "r");
        if (!f) continue;
        if (fscanf(f, "%lld", &ns) == 1) total += ns;
        fclose(f);
    }
    if (d) closedir(d);
    return total;
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
// Keeps our descendants alone in pids.
static void find_descendants(void) {
    int found = 0;
    DIR *d = opendir("/proc");
    count = 0;
    for (struct dirent *e; d && (e = readdir(d)) && count < Max;)
        if (atoi(e->d_name) > 0) {
            pids[count] = atoi(e->d_name);
            parents[count] = parent_of(pids[count]);
            count++;
        }
    static int ours[Max];
    for (int i = 0; i < count; i++)
        if (descends(pids[i], getpid())) ours[found++] = pids[i];
    for (int i = 0; i < found; i++) pids[i] = ours[i];
    count = found;
}
static long long cpu_of_all(void) {
    long long total = 0;
    for (int i = 0; i < count; i++) total += cpu_of(pids[i]);
    return total;
}

int main(int argc, char **argv) {
    int output[2], status;
    char line[512];
    if (argc < 4 || pipe(output)) return 2;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t pid = fork();
    if (pid == 0) {
        // What is left behind must not hold our standard output open.
        int null = open("/dev/null", O_RDWR);
        dup2(null, 0);
        dup2(output[1], 1);
        dup2(null, 2);
        close(output[0]), close(output[1]);
        execvp(argv[3], argv + 3);
        _exit(127);
    }
    close(output[1]);
    waitpid(pid, &status, 0);
    struct pollfd ready = {.fd = output[0], .events = POLLIN};
    if (status != 0 || poll(&ready, 1, ReadyMs) != 1 || read(output[0], line, sizeof line) <= 0) return 1;
    usleep(atoi(argv[1]) * 1000);
    find_descendants();
    long long before = cpu_of_all();
    usleep(atoi(argv[2]) * 1000);
    long long after = cpu_of_all();
    long pss = 0;
    for (int i = 0; i < count; i++) pss += pss_of(pids[i]);
    printf("%d %ld %lld\n", count, pss, after - before);
    return 0;
}
