// SPDX-License-Identifier: Apache-2.0
// micro [WORD...]: measures what a program feels of the kernel under it; with words, only the figures whose name holds one of them.
// Prints a line a figure: name, a tab, value, a tab, unit. Units and what is better are in figures.json; compare ratios of one run only.
// BENCH_DIR is where files are made, BENCH_SECONDS how long one figure is measured.
// "micro __exit" ends at once, "micro __idle" prints "ready" and sleeps forever.
// cflags: -O2 -static -pthread
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MiB = 1 << 20, FileBytes = 128 * MiB };

static const char *folder = "/tmp";
static double budget = 0.3;
static char *buffer;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}
static void must(long result, const char *what) {
    if (result < 0) {
        perror(what);
        exit(1);
    }
}
static void report(const char *name, double value, const char *unit) {
    printf("%s\t%.4g\t%s\n", name, value, unit);
    fflush(stdout);
}
// Repeats one step until the time is used up; gives seconds a step. A few unmeasured steps warm the caches.
static double repeat(void (*step)(void *), void *state, int batch) {
    for (int i = 0; i < batch; i++) step(state);
    long steps = 0;
    double start = now(), end;
    do {
        for (int i = 0; i < batch; i++) step(state);
        steps += batch;
        end = now();
    } while (end - start < budget);
    return (end - start) / steps;
}
static char *path_of(const char *name) {
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void step_getpid(void *s) {
    (void)s;
    syscall(SYS_getppid);
}
static void getpid_(void) { report("getpid", repeat(step_getpid, NULL, 64) * 1e9, "ns"); }

static void step_null(void *s) {
    (void)s;
    syscall(SYS_getpgrp);
}
static void null_(void) { report("null_call", repeat(step_null, NULL, 64) * 1e9, "ns"); }

static void step_clock(void *s) { clock_gettime(CLOCK_REALTIME, s); }
static void clock_(void) {
    struct timespec t;
    report("clock_gettime", repeat(step_clock, &t, 64) * 1e9, "ns");
}

static void step_read(void *s) { must(read(*(int *)s, buffer, 1), "read"); }
static void read_zero(void) {
    int fd = open("/dev/zero", O_RDONLY);
    must(fd, "/dev/zero");
    report("read1_devzero", repeat(step_read, &fd, 64) * 1e9, "ns");
    close(fd);
}

static void step_pipe(void *s) {
    int *p = s;
    must(write(p[1], buffer, 1), "write");
    must(read(p[0], buffer, 1), "read");
}
static void pipe_self(void) {
    int p[2];
    must(pipe(p), "pipe");
    report("pipe_self_rw", repeat(step_pipe, p, 32) * 1e9, "ns");
    close(p[0]), close(p[1]);
}

// An echo in another process, over two descriptors; closing the write end ends it.
struct echo {
    int in, out;
    pid_t pid;
};
static void run_echo(int in, int out) {
    char c;
    while (read(in, &c, 1) == 1) must(write(out, &c, 1), "echo");
    _exit(0);
}
static void step_echo(void *s) {
    struct echo *e = s;
    must(write(e->out, buffer, 1), "write");
    must(read(e->in, buffer, 1), "read");
}
static void pipe_ping_pong(void) {
    int to[2], from[2];
    must(pipe(to), "pipe");
    must(pipe(from), "pipe");
    struct echo e = {from[0], to[1], fork()};
    must(e.pid, "fork");
    if (e.pid == 0) {
        close(to[1]);
        run_echo(to[0], from[1]);
    }
    close(to[0]), close(from[1]);
    report("pipe_pingpong", repeat(step_echo, &e, 16) * 1e6, "us");
    close(to[1]), close(from[0]);
    waitpid(e.pid, NULL, 0);
}
static void unix_round_trip(void) {
    int s[2];
    must(socketpair(AF_UNIX, SOCK_STREAM, 0, s), "socketpair");
    struct echo e = {s[0], s[0], fork()};
    must(e.pid, "fork");
    if (e.pid == 0) {
        close(s[0]);
        run_echo(s[1], s[1]);
    }
    close(s[1]);
    report("unix_rr", repeat(step_echo, &e, 16) * 1e6, "us");
    close(s[0]);
    waitpid(e.pid, NULL, 0);
}

static uint32_t word;
static volatile int stop;
static void futex(int operation, uint32_t value) { syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, value, NULL, NULL, 0); }
static void *futex_peer(void *a) {
    for (;;) {
        while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) != 1) futex(FUTEX_WAIT, 0);
        if (stop) return a;
        __atomic_store_n(&word, 0, __ATOMIC_RELEASE);
        futex(FUTEX_WAKE, 1);
    }
}
static void step_futex(void *s) {
    (void)s;
    __atomic_store_n(&word, 1, __ATOMIC_RELEASE);
    futex(FUTEX_WAKE, 1);
    while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) != 0) futex(FUTEX_WAIT, 1);
}
static void futex_ping_pong(void) {
    pthread_t t;
    pthread_create(&t, NULL, futex_peer, NULL);
    report("futex_pingpong", repeat(step_futex, NULL, 16) * 1e6, "us");
    stop = 1;
    __atomic_store_n(&word, 1, __ATOMIC_RELEASE);
    futex(FUTEX_WAKE, 1);
    pthread_join(t, NULL);
}

static void on_signal(int s) { (void)s; }
static void step_signal(void *s) { kill(*(pid_t *)s, SIGUSR1); }
static void signal_self(void) {
    pid_t me = getpid();
    signal(SIGUSR1, on_signal);
    report("signal_self", repeat(step_signal, &me, 16) * 1e6, "us");
}

static void *nothing(void *a) { return a; }
static void step_thread(void *s) {
    pthread_t t;
    if (pthread_create(&t, NULL, nothing, s) != 0) exit(1);
    pthread_join(t, NULL);
}
static void threads(void) { report("pthread_create_join", repeat(step_thread, NULL, 8) * 1e6, "us"); }

static void step_fork(void *s) {
    pid_t pid = fork();
    must(pid, "fork");
    if (pid == 0) _exit(0);
    waitpid(pid, s, 0);
}
static void forks(void) {
    int status;
    report("fork_wait", repeat(step_fork, &status, 4) * 1e6, "us");
}
static void step_exec(void *s) {
    pid_t pid = vfork();
    must(pid, "vfork");
    if (pid == 0) {
        execl("/proc/self/exe", "micro", "__exit", (char *)NULL);
        _exit(1);
    }
    waitpid(pid, s, 0);
}
static void execs(void) {
    int status;
    report("fork_exec_wait", repeat(step_exec, &status, 4) * 1e6, "us");
}

static void step_map(void *s) {
    (void)s;
    char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 65536; i += 4096) p[i] = 1;
    munmap(p, 65536);
}
static void maps(void) { report("mmap_touch16_munmap", repeat(step_map, NULL, 8) * 1e6, "us"); }
static void faults(void) {
    size_t size = 64 * MiB;
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    double start = now();
    for (size_t i = 0; i < size; i += 4096) p[i] = 1;
    report("fault_per_page", (now() - start) / (size / 4096) * 1e9, "ns");
    munmap(p, size);
}

static void step_open(void *s) { must(close(open(s, O_RDONLY)), "open"); }
static void step_stat(void *s) {
    struct stat st;
    must(stat(s, &st), "stat");
}
static void names(void) {
    char *path = path_of("names");
    must(close(open(path, O_CREAT | O_RDWR, 0644)), path);
    report("open_close", repeat(step_open, path, 16) * 1e6, "us");
    report("stat", repeat(step_stat, path, 16) * 1e6, "us");
    unlink(path);
}
static void step_create(void *s) {
    int fd = open(s, O_CREAT | O_RDWR, 0644);
    must(fd, "create");
    must(write(fd, buffer, 1), "write");
    close(fd);
    unlink(s);
}
static void creation(void) { report("create_write_unlink", repeat(step_create, path_of("new"), 8) * 1e6, "us"); }

static void read_whole(int fd, size_t block) {
    size_t total = 0;
    lseek(fd, 0, SEEK_SET);
    for (ssize_t n; (n = read(fd, buffer, block)) > 0;) total += n;
    if (total != FileBytes) exit(1);
}
static void sequential(void) {
    char *path = path_of("large");
    int fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0644);
    must(fd, path);
    double start = now();
    for (int i = 0; i < FileBytes / MiB; i++) must(write(fd, buffer, MiB), "write");
    report("file_write_seq", FileBytes / 1e6 / (now() - start), "MB/s");
    start = now();
    read_whole(fd, MiB);
    report("file_read_seq_1M", FileBytes / 1e6 / (now() - start), "MB/s");
    start = now();
    read_whole(fd, 4096);
    report("file_read_seq_4k", FileBytes / 1e6 / (now() - start), "MB/s");
    close(fd);
    unlink(path);
}

static void no_delay(int s) {
    int on = 1;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}
static void tcp(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int l = socket(AF_INET, SOCK_STREAM, 0);
    if (l < 0 || bind(l, (void *)&a, sizeof a) < 0 || listen(l, 4) < 0 || getsockname(l, (void *)&a, &n) < 0) {
        perror("tcp");
        return;
    }
    pid_t pid = fork();
    must(pid, "fork");
    if (pid == 0) {
        int s = accept(l, NULL, NULL);
        char c;
        no_delay(s);
        while (read(s, &c, 1) == 1) must(write(s, &c, 1), "echo");
        close(s);
        s = accept(l, NULL, NULL);
        while (read(s, buffer, MiB) > 0) {
        }
        _exit(0);
    }
    int s = socket(AF_INET, SOCK_STREAM, 0);
    must(connect(s, (void *)&a, sizeof a), "connect");
    no_delay(s);
    struct echo e = {s, s, pid};
    report("tcp_rr", repeat(step_echo, &e, 16) * 1e6, "us");
    close(s);
    s = socket(AF_INET, SOCK_STREAM, 0);
    must(connect(s, (void *)&a, sizeof a), "connect");
    double start = now(), total = 0;
    while (now() - start < 2 * budget) {
        ssize_t sent = write(s, buffer, 65536);
        must(sent, "write");
        total += sent;
    }
    shutdown(s, SHUT_WR);
    char c;
    if (read(s, &c, 1) < 0) perror("read");
    report("tcp_stream", total / 1e6 / (now() - start), "MB/s");
    close(s);
    close(l);
    waitpid(pid, NULL, 0);
}

struct waiting {
    int epoll;
    struct epoll_event event;
};
static void step_epoll(void *s) {
    struct waiting *w = s;
    if (epoll_wait(w->epoll, &w->event, 1, 0) != 1) exit(1);
}
static void epoll(void) {
    int p[2];
    struct waiting w = {epoll_create1(0), {.events = EPOLLIN}};
    must(pipe(p), "pipe");
    must(epoll_ctl(w.epoll, EPOLL_CTL_ADD, p[0], &w.event), "epoll_ctl");
    must(write(p[1], buffer, 1), "write");
    report("epoll_wait_ready", repeat(step_epoll, &w, 32) * 1e9, "ns");
    close(w.epoll), close(p[0]), close(p[1]);
}

static void processor(void) {
    volatile double sum = 0;
    double start = now();
    for (int i = 0; i < 50000000; i++) sum += i;
    report("cpu_loop", (now() - start) * 1e3, "ms");
}

static const struct {
    const char *names;
    void (*run)(void);
} figures[] = {
    {"getpid", getpid_}, {"null_call", null_}, {"clock_gettime", clock_}, {"read1_devzero", read_zero}, {"pipe_self_rw", pipe_self}, {"epoll_wait_ready", epoll},
    {"pipe_pingpong", pipe_ping_pong}, {"futex_pingpong", futex_ping_pong}, {"signal_self", signal_self}, {"pthread_create_join", threads},
    {"fork_wait", forks}, {"fork_exec_wait", execs}, {"mmap_touch16_munmap", maps}, {"fault_per_page", faults}, {"open_close stat", names},
    {"create_write_unlink", creation}, {"file_write_seq file_read_seq_1M file_read_seq_4k", sequential}, {"unix_rr", unix_round_trip},
    {"tcp_rr tcp_stream", tcp}, {"cpu_loop", processor},
};

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "__exit") == 0) return 0;
    if (argc > 1 && strcmp(argv[1], "__idle") == 0) {
        puts("ready");
        fflush(stdout);
        for (;;) pause();
    }
    if (getenv("BENCH_DIR")) folder = getenv("BENCH_DIR");
    if (getenv("BENCH_SECONDS")) budget = atof(getenv("BENCH_SECONDS"));
    buffer = malloc(MiB);
    memset(buffer, 1, MiB);
    for (unsigned i = 0; i < sizeof figures / sizeof *figures; i++) {
        int wanted = argc < 2;
        for (int a = 1; a < argc; a++) wanted |= strstr(figures[i].names, argv[a]) != NULL;
        if (wanted) figures[i].run();
    }
    return 0;
}
