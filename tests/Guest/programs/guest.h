// SPDX-License-Identifier: Apache-2.0
// What every guest program is made of. A program is a list of cases:
//
//     // syscalls: read write              every call the program exercises; the coverage report reads this line
//     // cflags: -pthread                  more compiler options (the base is -O1 -static-pie; "-static" replaces that kind)
//     // needs: root                       what the case needs natively, or the native run is skipped
//     #include "../guest.h"
//     TEST(read_gives_what_was_written) { ... CHECK_EQ(read(fd, b, 4), 4); ... }
//
// Each case runs in a child of its own, in a fresh directory, under a watchdog. It prints "ok NAME", "skip NAME: WHY" or
// "not ok NAME: file:line: what was expected and what came"; the program ends with 1 when a case failed. Arguments choose cases;
// --list lists them; --inline runs them without the child (for a debugger, or for a kernel that cannot fork yet).
#ifndef GUEST_H
#define GUEST_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct guest_case {
    const char *name;
    void (*body)(void);
    struct guest_case *next;
};
static struct guest_case *guest_first, **guest_last = &guest_first;
static const char *guest_current = "?";

#define TEST(id)                                                              \
    static void test_##id(void);                                              \
    static struct guest_case case_##id = {#id, test_##id, 0};                 \
    __attribute__((constructor)) static void add_##id(void) {                 \
        *guest_last = &case_##id;                                             \
        guest_last = &case_##id.next;                                         \
    }                                                                         \
    static void test_##id(void)

// The end of a case: one line, then out of this process, also from a grandchild or a thread.
__attribute__((noreturn, format(printf, 3, 4), unused)) static void guest_fail(const char *file, int line, const char *format, ...) {
    char text[1024];
    int n = snprintf(text, sizeof text, "not ok %s: %s:%d: ", guest_current, file, line);
    va_list arguments;
    va_start(arguments, format);
    n += vsnprintf(text + n, sizeof text - n - 2, format, arguments);
    va_end(arguments);
    if (n > (int)sizeof text - 2) n = sizeof text - 2;
    text[n++] = '\n';
    if (write(1, text, n) < 0) _exit(3);
    _exit(1);
}
__attribute__((noreturn, unused)) static void guest_skip(const char *why) {
    char text[256];
    int n = snprintf(text, sizeof text, "skip %s: %s\n", guest_current, why);
    if (write(1, text, n) < 0) _exit(3);
    _exit(77);
}

#define FAIL(...) guest_fail(__FILE_NAME__, __LINE__, __VA_ARGS__)
#define SKIP(why) guest_skip(why)
// The condition holds.
#define CHECK(condition)                                                      \
    do {                                                                      \
        if (!(condition)) FAIL("expected %s (errno %d %s)", #condition, errno, strerror(errno)); \
    } while (0)
// Two integers are equal.
#define CHECK_EQ(actual, expected)                                            \
    do {                                                                      \
        long long guest_a = (long long)(actual), guest_e = (long long)(expected); \
        if (guest_a != guest_e)                                               \
            FAIL("%s: expected %lld, got %lld (errno %d %s)", #actual, guest_e, guest_a, errno, strerror(errno)); \
    } while (0)
// Two strings are equal.
#define CHECK_STR(actual, expected)                                           \
    do {                                                                      \
        const char *guest_a = (actual), *guest_e = (expected);                \
        if (strcmp(guest_a, guest_e) != 0) FAIL("%s: expected \"%s\", got \"%s\"", #actual, guest_e, guest_a); \
    } while (0)
// The call works; its value is the macro's.
#define OK(call)                                                              \
    ({                                                                        \
        errno = 0;                                                            \
        long guest_v = (long)(call);                                          \
        if (guest_v == -1) FAIL("%s: expected success, got errno %d %s", #call, errno, strerror(errno)); \
        guest_v;                                                              \
    })
// The call is refused with exactly this errno.
#define CHECK_ERR(call, expected)                                             \
    do {                                                                      \
        errno = 0;                                                            \
        long guest_v = (long)(call);                                          \
        int guest_n = errno;                                                  \
        if (guest_v != -1) FAIL("%s: expected %s, got success with %ld", #call, #expected, guest_v); \
        if (guest_n != (expected)) FAIL("%s: expected %s, got errno %d %s", #call, #expected, guest_n, strerror(guest_n)); \
    } while (0)
#define SYS(name, ...) syscall(SYS_##name __VA_OPT__(, ) __VA_ARGS__)

// An address that is never mapped, and one the user half cannot have.
// Volatile, so that the compiler does not argue.
static void *volatile guest_bad_pointer = (void *)8, *volatile guest_kernel_pointer = (void *)0xffff800000000000ul;
#define BAD_POINTER guest_bad_pointer
#define KERNEL_POINTER guest_kernel_pointer

// True in our sandbox: for the few answers that rightly differ from the host's.
__attribute__((unused)) static int in_cvisor(void) { return getenv("CVISOR") != NULL; }

__attribute__((unused)) static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}
__attribute__((unused)) static void sleep_ms(int ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    while (nanosleep(&t, &t) < 0 && errno == EINTR) {
    }
}
// Waits until this many threads of a process sleep, whether the machine is busy or not; 10 s at most.
__attribute__((unused)) static void await_sleepers(pid_t pid, int count) {
    for (int tries = 0, asleep = 0; asleep < count; tries++) {
        char name[64], line[512];
        snprintf(name, sizeof name, "/proc/%d/task", pid);
        DIR *tasks = opendir(name);
        asleep = 0;
        for (struct dirent *task; tasks && (task = readdir(tasks));) {
            snprintf(name, sizeof name, "/proc/%d/task/%.16s/stat", pid, task->d_name);
            FILE *stat = fopen(name, "r");
            if (!stat) continue;
            char *end = fgets(line, sizeof line, stat) ? strrchr(line, ')') : NULL;
            asleep += end && end[1] == ' ' && end[2] == 'S';
            fclose(stat);
        }
        if (tasks) closedir(tasks);
        if (tries == 10000) guest_fail(__FILE_NAME__, __LINE__, "only %d of %d threads sleep", asleep, count);
        sleep_ms(1);
    }
}
// Uses this much processor time, however busy the machine is.
__attribute__((unused)) static void burn_ms(int ms) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    long long until = t.tv_sec * 1000000000LL + t.tv_nsec + ms * 1000000LL;
    do {
        for (volatile int i = 0; i < 10000; i++) {
        }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    } while (t.tv_sec * 1000000000LL + t.tv_nsec < until);
}
// The body runs in a child; gives the child's pid.
#define CHILD(...)                                                            \
    ({                                                                        \
        pid_t guest_pid = fork();                                             \
        if (guest_pid < 0) FAIL("fork: errno %d %s", errno, strerror(errno)); \
        if (guest_pid == 0) {                                                 \
            __VA_ARGS__;                                                      \
            _exit(0);                                                         \
        }                                                                     \
        guest_pid;                                                            \
    })
// The child ends with this status.
#define CHECK_EXIT(pid, expected)                                             \
    do {                                                                      \
        int guest_s = 0;                                                      \
        pid_t guest_p = (pid);                                                \
        if (waitpid(guest_p, &guest_s, 0) != guest_p) FAIL("waitpid: errno %d %s", errno, strerror(errno)); \
        if (!WIFEXITED(guest_s) || WEXITSTATUS(guest_s) != (expected))        \
            FAIL("child: expected exit %d, got status %#x", (int)(expected), guest_s); \
    } while (0)
// The child is killed by this signal.
#define CHECK_KILLED(pid, expected)                                           \
    do {                                                                      \
        int guest_s = 0;                                                      \
        pid_t guest_p = (pid);                                                \
        if (waitpid(guest_p, &guest_s, 0) != guest_p) FAIL("waitpid: errno %d %s", errno, strerror(errno)); \
        if (!WIFSIGNALED(guest_s) || WTERMSIG(guest_s) != (expected))         \
            FAIL("child: expected signal %d, got status %#x", (int)(expected), guest_s); \
    } while (0)
// A new file with this content in the case's directory.
__attribute__((unused)) static void put_file(const char *path, const char *content) {
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0644);
    if (fd < 0 || write(fd, content, strlen(content)) != (ssize_t)strlen(content)) FAIL("put_file %s: %s", path, strerror(errno));
    close(fd);
}
// A whole (small) file as a string.
__attribute__((unused)) static char *get_file(const char *path) {
    static char text[1 << 16];
    int fd = open(path, O_RDONLY);
    if (fd < 0) FAIL("get_file %s: %s", path, strerror(errno));
    size_t n = 0;
    for (ssize_t r; n < sizeof text - 1 && (r = read(fd, text + n, sizeof text - 1 - n)) > 0;) n += r;
    text[n] = 0;
    close(fd);
    return text;
}

static int guest_remove(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    (void)st, (void)type, (void)ftw;
    return remove(path), 0;
}

int main(int argc, char **argv) {
    int run_inline = 0, failed = 0, chosen = 0, known = 0;
    setvbuf(stdout, NULL, _IOLBF, 0);
    // Standard input is the same everywhere: nothing.
    int null = open("/dev/null", O_RDWR);
    if (null > 0) dup2(null, 0), close(null);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--inline") == 0) run_inline = 1;
        else if (strcmp(argv[i], "--list") == 0) {
            for (struct guest_case *c = guest_first; c; c = c->next) puts(c->name);
            return 0;
        } else chosen++;
    }
    const char *base = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    for (struct guest_case *c = guest_first; c; c = c->next) {
        int wanted = chosen == 0;
        for (int i = 1; i < argc; i++) wanted |= strcmp(argv[i], c->name) == 0;
        if (!wanted) continue;
        known++;
        char folder[PATH_MAX];
        snprintf(folder, sizeof folder, "%s/guest.%d.%s", base, (int)getpid(), c->name);
        if (mkdir(folder, 0755) < 0 || chdir(folder) < 0) {
            printf("not ok %s: cannot make %s: %s\n", c->name, folder, strerror(errno));
            return 2;
        }
        guest_current = c->name;
        if (run_inline) {
            c->body();
            printf("ok %s\n", c->name);
            continue;
        }
        pid_t pid = fork();
        if (pid < 0) {
            printf("not ok %s: fork: %s\n", c->name, strerror(errno));
            return 2;
        }
        if (pid == 0) {
            setpgid(0, 0);
            c->body();
            fflush(stdout);
            _exit(0);
        }
        // The watchdog waits here, so that a case is free to use alarm and every timer.
        int status = 0, done = 0;
        for (int tick = 0; tick < 4000 && !done; tick++) {
            done = waitpid(pid, &status, WNOHANG) == pid;
            if (!done) usleep(tick < 200 ? 500 : 5000);
        }
        if (!done) {
            kill(-pid, SIGKILL);
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            printf("not ok %s: timed out\n", c->name);
            failed = 1;
        } else if (WIFSIGNALED(status)) {
            printf("not ok %s: killed by signal %d\n", c->name, WTERMSIG(status));
            failed = 1;
        } else if (WEXITSTATUS(status) == 0) {
            printf("ok %s\n", c->name);
        } else if (WEXITSTATUS(status) != 77) {
            if (WEXITSTATUS(status) != 1) printf("not ok %s: ended with %d\n", c->name, WEXITSTATUS(status));
            failed = 1;
        }
        if (chdir("/") == 0) nftw(folder, guest_remove, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    }
    if (known == 0) {
        printf("not ok : no such case\n");
        return 2;
    }
    return failed;
}
#endif
