// SPDX-License-Identifier: Apache-2.0
// syscalls: open read readlink getdents64
// What /proc says of a process.
// cflags: -pthread
#include "../guest.h"
#include <dirent.h>
#include <pthread.h>

static long field(const char *file, const char *name) {
    char *text = get_file(file), *at = strstr(text, name);
    if (!at) FAIL("%s has no %s", file, name);
    return strtol(at + strlen(name) + 1, NULL, 0);
}

TEST(identity) {
    char b[64];
    ssize_t n = OK(readlink("/proc/self", b, 63));
    b[n] = 0;
    CHECK_EQ(atoi(b), getpid());
    n = OK(readlink("/proc/thread-self", b, 63));
    b[n] = 0;
    char expected[64];
    snprintf(expected, sizeof expected, "%d/task/%d", getpid(), getpid());
    CHECK_STR(b, expected);
    CHECK_STR(get_file("/proc/self/comm"), "self\n");
    CHECK_STR(get_file("/proc/self/cmdline"), "/programs/proc/self");
    n = OK(readlink("/proc/self/exe", b, 63));
    b[n] = 0;
    CHECK_STR(b, "/programs/proc/self");
    n = OK(readlink("/proc/self/cwd", b, 63));
    CHECK_EQ(memcmp(b, "/tmp/guest.", 11), 0);
    n = OK(readlink("/proc/self/root", b, 63));
    CHECK_EQ(n, 1);
}
TEST(status) {
    const char *s = "/proc/self/status";
    CHECK(strncmp(get_file(s), "Name:\tself\n", 11) == 0);
    CHECK_EQ(field(s, "\nPid:"), getpid());
    CHECK_EQ(field(s, "\nTgid:"), getpid());
    CHECK_EQ(field(s, "\nPPid:"), getppid());
    CHECK_EQ(field(s, "\nUid:"), getuid());
    CHECK_EQ(field(s, "\nGid:"), getgid());
    CHECK_EQ(field(s, "\nThreads:"), 1);
    CHECK(field(s, "\nVmSize:") > 0);
    CHECK(field(s, "\nVmRSS:") > 0);
    CHECK(strstr(get_file(s), "\nState:\tR (running)\n") != NULL);
    CHECK(strstr(get_file(s), "\nSigBlk:\t0000000000000000\n") != NULL);
    CHECK(strstr(get_file(s), "\nCapEff:\t") != NULL);
}
TEST(stat_line) {
    char *text = get_file("/proc/self/stat"), *end = strrchr(text, ')');
    CHECK(end != NULL);
    CHECK_EQ(atoi(text), getpid());
    CHECK(strncmp(strchr(text, '('), "(self)", 6) == 0);
    char state;
    int ppid, pgrp, session;
    CHECK_EQ(sscanf(end + 2, "%c %d %d %d", &state, &ppid, &pgrp, &session), 4);
    CHECK_EQ(state, 'R');
    CHECK_EQ(ppid, getppid());
    CHECK_EQ(pgrp, getpgrp());
    CHECK_EQ(session, getsid(0));
    int fields = 2;
    for (char *c = end; *c; c++) fields += *c == ' ';
    CHECK(fields >= 44);
    long pages[3];
    CHECK_EQ(sscanf(get_file("/proc/self/statm"), "%ld %ld %ld", &pages[0], &pages[1], &pages[2]), 3);
    CHECK(pages[0] > 0 && pages[1] > 0 && pages[1] <= pages[0]);
}
TEST(maps) {
    char *text = get_file("/proc/self/maps"), line[256], *at = text;
    CHECK(strstr(text, "[stack]") != NULL);
    CHECK(strstr(text, "/programs/proc/self\n") != NULL);
    unsigned long last = 0, here = (unsigned long)&line, code = (unsigned long)&field;
    int stack_seen = 0, code_seen = 0;
    while (*at) {
        unsigned long a, b;
        char p[5];
        CHECK_EQ(sscanf(at, "%lx-%lx %4s", &a, &b, p), 3);
        CHECK(a < b && a >= last);
        last = b;
        if (here >= a && here < b) {
            stack_seen = 1;
            CHECK(strncmp(p, "rw", 2) == 0);
        }
        if (code >= a && code < b) {
            code_seen = 1;
            CHECK_STR(p, "r-xp");
        }
        at = strchr(at, '\n') + 1;
    }
    CHECK(stack_seen && code_seen);
    void *m = mmap(NULL, 12288, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    snprintf(line, sizeof line, "%lx-%lx r--s ", (long)m, (long)m + 12288);
    CHECK(strstr(get_file("/proc/self/maps"), line) != NULL);
    CHECK(strstr(get_file("/proc/self/smaps"), "\nRss:") != NULL);
}
TEST(descriptors) {
    put_file("f", "content");
    int fd = OK(open("f", O_RDWR | O_APPEND)), p[2], seen = 0;
    OK(pipe(p));
    CHECK_EQ(lseek(fd, 3, SEEK_SET), 3);
    char path[64], b[128] = "";
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = OK(readlink(path, b, 127));
    CHECK_STR(b + n - 2, "/f");
    memset(b, 0, sizeof b);
    snprintf(path, sizeof path, "/proc/self/fd/%d", p[0]);
    OK(readlink(path, b, 127));
    CHECK(strncmp(b, "pipe:[", 6) == 0);
    DIR *d = opendir("/proc/self/fd");
    CHECK(d != NULL);
    for (struct dirent *e; (e = readdir(d));) seen += e->d_name[0] != '.' && (atoi(e->d_name) == fd || atoi(e->d_name) == p[0] || atoi(e->d_name) == p[1]);
    CHECK_EQ(seen, 3);
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    CHECK_EQ(field(path, "pos:"), 3);
    CHECK(strstr(get_file(path), "flags:\t0") != NULL);
    CHECK_ERR(readlink("/proc/self/fd/99", b, 127), ENOENT);
    // Opening the link opens the file anew.
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int again = OK(open(path, O_RDONLY));
    CHECK_EQ(lseek(again, 0, SEEK_CUR), 0);
}
TEST(environment) {
    pid_t pid = fork();
    if (pid == 0) execle("/proc/self/exe", "self", "environment_child", (char *)NULL, (char *[]){"ONE=1", "TWO=2", NULL});
    CHECK_EXIT(pid, 0);
}
__attribute__((constructor(101))) static void environment_child(int argc, char **argv) {
    if (argc != 2 || strcmp(argv[1], "environment_child")) return;
    char b[64];
    int fd = open("/proc/self/environ", O_RDONLY);
    ssize_t n = read(fd, b, sizeof b);
    _exit(n == 12 && memcmp(b, "ONE=1\0TWO=2", 12) == 0 ? 0 : 1);
}
TEST(auxiliary_vector) {
    unsigned long a[2];
    int fd = OK(open("/proc/self/auxv", O_RDONLY)), page = 0;
    while (read(fd, a, 16) == 16 && a[0]) page |= a[0] == 6 && a[1] == 4096;
    CHECK_EQ(page, 1);
}
static void *hold(void *a) {
    for (;;) pause();
    return a;
}
TEST(threads) {
    pthread_t t;
    CHECK_EQ(pthread_create(&t, NULL, hold, NULL), 0);
    CHECK_EQ(field("/proc/self/status", "\nThreads:"), 2);
    DIR *d = opendir("/proc/self/task");
    int n = 0;
    for (struct dirent *e; (e = readdir(d));) n += e->d_name[0] != '.';
    CHECK_EQ(n, 2);
}
TEST(of_others) {
    pid_t pid = CHILD(for (;;) pause());
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    CHECK_EQ(field(path, "\nPPid:"), getpid());
    OK(kill(pid, SIGSTOP));
    int status;
    CHECK_EQ(waitpid(pid, &status, WUNTRACED), pid);
    CHECK(strstr(get_file(path), "\nState:\tT (stopped)\n") != NULL);
    OK(kill(pid, SIGKILL));
    siginfo_t i;
    OK(waitid(P_PID, pid, &i, WEXITED | WNOWAIT));
    CHECK(strstr(get_file(path), "\nState:\tZ (zombie)\n") != NULL);
    CHECK_KILLED(pid, SIGKILL);
    CHECK_ERR(open(path, O_RDONLY), ENOENT);
}
TEST(list_of_processes) {
    pid_t pid = CHILD(for (;;) pause());
    DIR *d = opendir("/proc");
    int me = 0, child = 0, one = 0;
    for (struct dirent *e; (e = readdir(d));) {
        int n = atoi(e->d_name);
        me |= n == getpid();
        child |= n == pid;
        one |= n == 1;
    }
    CHECK(me && child && one);
    OK(kill(pid, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
}
TEST(memory_of_oneself) {
    int fd = OK(open("/proc/self/mem", O_RDWR));
    static char text[16] = "before";
    char b[16] = "";
    CHECK_EQ(pread(fd, b, 6, (off_t)text), 6);
    CHECK_STR(b, "before");
    CHECK_ERR(pread(fd, b, 6, 8), EIO);
}
TEST(dump_filter) {
    const char *file = "/proc/self/coredump_filter";
    CHECK_STR(get_file(file), "00000033\n");
    put_file(file, "0x7f\n");
    CHECK_STR(get_file(file), "0000007f\n");
    // Inherited by children, which change their own; bits that mean nothing are dropped.
    CHECK_EXIT(CHILD(
        CHECK_STR(get_file(file), "0000007f\n");
        put_file(file, "010");
        CHECK_STR(get_file(file), "00000008\n");
        put_file(file, "65535");
        CHECK_STR(get_file(file), "000001ff\n")), 0);
    CHECK_STR(get_file(file), "0000007f\n");
    int fd = OK(open(file, O_WRONLY));
    CHECK_ERR(write(fd, "x", 1), EINVAL);
    CHECK_ERR(write(fd, "08", 2), EINVAL);
    CHECK_ERR(write(fd, "1 ", 2), EINVAL);
    CHECK_ERR(write(fd, "0x", 2), EINVAL);
    CHECK_ERR(write(fd, "99999999999", 11), ERANGE);
    CHECK_EQ(write(fd, "+5", 2), 2);
    CHECK_STR(get_file(file), "00000005\n");
}
