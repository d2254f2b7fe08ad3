// SPDX-License-Identifier: Apache-2.0
// syscalls: execve execveat
// Becoming another program.
#include "../guest.h"
#include <elf.h>
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/resource.h>

extern char **environ;

// The program doubles as its own exec target: a constructor catches the marked argument before main.
__attribute__((constructor(101))) static void as_target(int argc, char **argv, char **envp) {
    if (argc < 2 || strcmp(argv[1], "target") != 0) return;
    const char *what = argc > 2 ? argv[2] : "";
    if (!strcmp(what, "exit")) _exit(atoi(argv[3]));
    if (!strcmp(what, "args")) {
        for (int i = 0; i < argc; i++) dprintf(1, "%s|", argv[i]);
        for (char **e = envp; *e; e++) dprintf(1, "%s;", *e);
        _exit(0);
    }
    if (!strcmp(what, "fd")) _exit(fcntl(atoi(argv[3]), F_GETFD) >= 0);
    if (!strcmp(what, "count")) _exit(argc == atoi(argv[3]) ? 0 : 1);
    if (!strcmp(what, "signals")) {
        struct sigaction a, b;
        sigset_t m;
        sigaction(SIGUSR1, NULL, &a);
        sigaction(SIGUSR2, NULL, &b);
        sigprocmask(SIG_BLOCK, NULL, &m);
        _exit((a.sa_handler == SIG_IGN) | (b.sa_handler == SIG_DFL) << 1 | sigismember(&m, SIGHUP) << 2);
    }
    if (!strcmp(what, "aux")) {
        int ok = getauxval(AT_PAGESZ) == 4096 && getauxval(AT_UID) == getuid() && getauxval(AT_RANDOM) != 0 && getauxval(AT_PHDR) != 0 &&
                 getauxval(AT_ENTRY) != 0 && getauxval(AT_CLKTCK) == 100 && getauxval(AT_SECURE) == 0;
        _exit(ok ? 0 : 1);
    }
    if (!strcmp(what, "execfn")) {
        dprintf(1, "%s", (char *)getauxval(AT_EXECFN));
        _exit(0);
    }
    if (!strcmp(what, "filter")) _exit(strcmp(get_file("/proc/self/coredump_filter"), "0000007f\n") ? 1 : 0);
    if (!strcmp(what, "tid")) _exit(SYS(gettid) == atoi(argv[3]) ? 0 : 1);
    _exit(99);
}

static char self[PATH_MAX];
static const char *me(void) {
    ssize_t n = OK(readlink("/proc/self/exe", self, sizeof self - 1));
    self[n] = 0;
    return self;
}
static char *output_of(const char *path, char **argv, char **envp) {
    static char b[65536];
    int p[2];
    OK(pipe(p));
    pid_t pid = CHILD(dup2(p[1], 1); execve(path, argv, envp); dprintf(1, "errno %d", errno); _exit(1));
    close(p[1]);
    size_t n = 0;
    for (ssize_t r; (r = read(p[0], b + n, sizeof b - 1 - n)) > 0;) n += r;
    b[n] = 0;
    close(p[0]);
    waitpid(pid, NULL, 0);
    return b;
}

TEST(arguments_and_environment) {
    char *argv[] = {"zero", "target", "args", "", "last one", NULL}, *envp[] = {"A=1", "B=", NULL};
    CHECK_STR(output_of(me(), argv, envp), "zero|target|args||last one|A=1;B=;");
}
TEST(status_comes_through) {
    CHECK_EXIT(CHILD(execl(me(), "x", "target", "exit", "42", (char *)NULL)), 42);
}
TEST(auxiliary_vector) {
    CHECK_EXIT(CHILD(execl(me(), "x", "target", "aux", (char *)NULL)), 0);
    char *argv[] = {"x", "target", "execfn", NULL}, *envp[] = {NULL};
    CHECK_STR(output_of(me(), argv, envp), me());
}
TEST(close_on_exec) {
    int kept = OK(dup(0)), gone = OK(fcntl(0, F_DUPFD_CLOEXEC, 0));
    char a[16], b[16];
    snprintf(a, sizeof a, "%d", kept);
    snprintf(b, sizeof b, "%d", gone);
    CHECK_EXIT(CHILD(execl(me(), "x", "target", "fd", a, (char *)NULL)), 1);
    CHECK_EXIT(CHILD(execl(me(), "x", "target", "fd", b, (char *)NULL)), 0);
}
static void handler(int s) { (void)s; }
TEST(signals_over_exec) {
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, handler);
    sigset_t m;
    sigemptyset(&m);
    sigaddset(&m, SIGHUP);
    OK(sigprocmask(SIG_BLOCK, &m, NULL));
    CHECK_EXIT(CHILD(execl(me(), "x", "target", "signals", (char *)NULL)), 7);
}
TEST(scripts) {
    char text[PATH_MAX + 64];
    snprintf(text, sizeof text, "#!%s target\n", me());
    put_file("script", text);
    OK(chmod("script", 0755));
    char *argv[] = {"ignored", "args", NULL}, *envp[] = {NULL}, expected[PATH_MAX + 64];
    // One optional argument, then the script's path, then the rest.
    snprintf(text, sizeof text, "#! %s   target args  \n", me());
    put_file("spaces", text);
    OK(chmod("spaces", 0755));
    CHECK_EXIT(CHILD(execve("./script", argv, envp)), 99);
    snprintf(text, sizeof text, "#!%s target", me());
    put_file("noeol", text);
    OK(chmod("noeol", 0755));
    CHECK_EXIT(CHILD(execve("./noeol", argv, envp)), 99);
    snprintf(text, sizeof text, "#!./script\n");
    put_file("nested", text);
    OK(chmod("nested", 0755));
    CHECK_EXIT(CHILD(execve("./nested", argv, envp)), 99);
    put_file("loop", "#!./loop\n");
    OK(chmod("loop", 0755));
    CHECK_ERR(execve("./loop", argv, envp), ELOOP);
    (void)expected;
}
TEST(refusals) {
    char *argv[] = {"x", NULL}, *envp[] = {NULL};
    put_file("plain", "just text\n");
    OK(chmod("plain", 0755));
    put_file("noexec", "#!/bin/sh\n");
    put_file("empty", "");
    OK(chmod("empty", 0755));
    put_file("noint", "#!/none/here\n");
    OK(chmod("noint", 0755));
    OK(mkdir("dir", 0755));
    CHECK_ERR(execve("./plain", argv, envp), ENOEXEC);
    CHECK_ERR(execve("./empty", argv, envp), ENOEXEC);
    CHECK_ERR(execve("./noexec", argv, envp), EACCES);
    CHECK_ERR(execve("./noint", argv, envp), ENOENT);
    CHECK_ERR(execve("./dir", argv, envp), EACCES);
    CHECK_ERR(execve("./none", argv, envp), ENOENT);
    CHECK_ERR(execve("./plain/x", argv, envp), ENOTDIR);
    CHECK_ERR(execve("", argv, envp), ENOENT);
    CHECK_ERR(SYS(execve, BAD_POINTER, argv, envp), EFAULT);
    CHECK_ERR(SYS(execve, me(), BAD_POINTER, envp), EFAULT);
    char *wild[] = {"x", BAD_POINTER, NULL};
    CHECK_ERR(SYS(execve, me(), wild, envp), EFAULT);
    put_file("cut", "\177ELF\2\1\1");
    OK(chmod("cut", 0755));
    CHECK_ERR(execve("./cut", argv, envp), ENOEXEC);
}
TEST(a_damaged_elf_file) {
    char *argv[] = {"x", NULL}, *envp[] = {NULL};
    static char b[4 << 20];
    int in = OK(open(me(), O_RDONLY));
    ssize_t n = OK(read(in, b, sizeof b));
    Elf64_Ehdr *h = (void *)b;
    Elf64_Half machine = h->e_machine;
    h->e_machine = EM_MIPS;
    int out = OK(open("mips", O_CREAT | O_WRONLY, 0755));
    CHECK_EQ(write(out, b, n), n);
    close(out);
    CHECK_ERR(execve("./mips", argv, envp), ENOEXEC);
    h->e_machine = machine;
    h->e_phoff = 1ull << 60;
    out = OK(open("phoff", O_CREAT | O_WRONLY, 0755));
    CHECK_EQ(write(out, b, n), n);
    close(out);
    int e = execve("./phoff", argv, envp);
    CHECK(e == -1 && (errno == ENOEXEC || errno == EINVAL || errno == EIO));
}
TEST(too_much) {
    static char big[200000];
    memset(big, 'a', sizeof big - 1);
    char *argv[] = {"x", "target", big, NULL}, *envp[] = {NULL};
    CHECK_ERR(execve(me(), argv, envp), E2BIG);
    enum { count = 3000 };
    static char *many[count + 5];
    many[0] = "x", many[1] = "target", many[2] = "count", many[3] = "3004";
    for (int i = 4; i < count + 4; i++) many[i] = "some argument";
    CHECK_EXIT(CHILD(execve(me(), many, envp)), 0);
}
TEST(by_descriptor) {
    char *argv[] = {"x", "target", "exit", "3", NULL}, *envp[] = {NULL};
    int fd = OK(open(me(), O_PATH | O_CLOEXEC)), dir = OK(open("/programs", O_RDONLY | O_DIRECTORY));
    CHECK_EXIT(CHILD(SYS(execveat, fd, "", argv, envp, AT_EMPTY_PATH)), 3);
    CHECK_EXIT(CHILD(SYS(execveat, dir, "process/exec", argv, envp, 0)), 3);
    CHECK_EXIT(CHILD(SYS(execveat, 99, me(), argv, envp, 0)), 3);
    CHECK_ERR(SYS(execveat, fd, "", argv, envp, 0), ENOENT);
    CHECK_ERR(SYS(execveat, dir, "none", argv, envp, 0), ENOENT);
    CHECK_ERR(SYS(execveat, dir, "process/exec", argv, envp, 1), EINVAL);
    OK(symlink(me(), "s"));
    CHECK_ERR(SYS(execveat, AT_FDCWD, "s", argv, envp, AT_SYMLINK_NOFOLLOW), ELOOP);
}
static void *wait_forever(void *a) {
    for (;;) pause();
    return a;
}
static void *exec_from_thread(void *a) {
    (void)a;
    char pid[16];
    snprintf(pid, sizeof pid, "%d", getpid());
    execl(me(), "x", "target", "tid", pid, (char *)NULL);
    _exit(98);
}
TEST(the_other_threads_end) {
    CHECK_EXIT(CHILD(
        pthread_t t;
        for (int i = 0; i < 3; i++) pthread_create(&t, NULL, wait_forever, NULL);
        execl(me(), "x", "target", "exit", "5", (char *)NULL)), 5);
    // The thread that calls becomes the leader.
    CHECK_EXIT(CHILD(
        pthread_t t;
        pthread_create(&t, NULL, exec_from_thread, NULL);
        for (;;) pause()), 0);
}
TEST(names_and_links_of_the_new_program) {
    char *argv[] = {"argv0", "target", "args", NULL}, *envp[] = {NULL};
    OK(symlink(me(), "a-rather-long-link-name"));
    CHECK_STR(output_of("./a-rather-long-link-name", argv, envp), "argv0|target|args|");
    CHECK_STR(get_file("/proc/self/comm"), "exec\n");
}
TEST(running_program_is_busy) {
    int r = open(me(), O_WRONLY);
    CHECK(r == -1 && (errno == ETXTBSY || errno == EROFS));
    char *argv[] = {"x", NULL}, *envp[] = {NULL};
    int in = OK(open(me(), O_RDONLY)), out = OK(open("copy", O_CREAT | O_WRONLY, 0755));
    char b[65536];
    for (ssize_t n; (n = OK(read(in, b, sizeof b))) > 0;) CHECK_EQ(write(out, b, n), n);
    CHECK_ERR(execve("./copy", argv, envp), ETXTBSY);
    close(out);
    CHECK_EXIT(CHILD(execl("./copy", "x", "target", "exit", "4", (char *)NULL)), 4);
}
TEST(set_user_id) {
    if (geteuid() != 0) SKIP("needs root");
    int in = OK(open(me(), O_RDONLY)), out = OK(open("suid", O_CREAT | O_WRONLY, 0755));
    char b[65536];
    for (ssize_t n; (n = OK(read(in, b, sizeof b))) > 0;) CHECK_EQ(write(out, b, n), n);
    close(out);
    OK(chown("suid", 1234, 1235));
    OK(chmod("suid", 06755));
    OK(chmod(".", 0755));
    int p[2];
    OK(pipe(p));
    // AT_SECURE and the effective ids say so.
    pid_t pid = CHILD(
        dup2(p[1], 1);
        OK(setgid(1000));
        OK(setuid(1000));
        execl("./suid", "x", "target", "aux", (char *)NULL));
    CHECK_EXIT(pid, 1);
}
// A process limit that was exceeded when the user changed is looked at again by execve(2), and only then (PF_NPROC_EXCEEDED).
TEST(a_process_limit) {
    if (geteuid() != 0) SKIP("needs root");
    enum { User = 54321 };
    int p[2];
    char x;
    OK(pipe(p));
    pid_t others[2];
    for (int i = 0; i < 2; i++) {
        others[i] = CHILD(OK(setuid(User)); CHECK_EQ(write(p[1], "r", 1), 1); for (;;) pause());
        CHECK_EQ(read(p[0], &x, 1), 1);
    }
    me();
    char *const arguments[] = {self, "target", "exit", "0", NULL};
    // As many as allowed, before this one is the user's: fine.
    CHECK_EXIT(CHILD(
        struct rlimit l = {.rlim_cur = 2, .rlim_max = 2};
        OK(setrlimit(RLIMIT_NPROC, &l));
        OK(setuid(User));
        OK(execv(self, arguments))), 0);
    // More: setuid(2) succeeds, execve(2) does not.
    CHECK_EXIT(CHILD(
        struct rlimit l = {.rlim_cur = 1, .rlim_max = 1};
        OK(setrlimit(RLIMIT_NPROC, &l));
        OK(setuid(User));
        CHECK_ERR(execv(self, arguments), EAGAIN);
        CHECK_ERR(execv("/no/such/program", arguments), EAGAIN)), 0);
    // A limit that is lowered afterwards does not matter to it.
    CHECK_EXIT(CHILD(
        OK(setuid(User));
        struct rlimit l = {.rlim_cur = 1, .rlim_max = 1};
        OK(setrlimit(RLIMIT_NPROC, &l));
        OK(execv(self, arguments))), 0);
    // Once the others have gone, neither does the one that was exceeded.
    int go[2];
    OK(pipe(go));
    pid_t last = CHILD(
        struct rlimit l = {.rlim_cur = 1, .rlim_max = 1};
        OK(setrlimit(RLIMIT_NPROC, &l));
        OK(setresuid(User, User, User));
        CHECK_ERR(execv(self, arguments), EAGAIN);
        CHECK_EQ(write(p[1], "r", 1), 1);
        CHECK_EQ(read(go[0], &x, 1), 1);
        OK(execv(self, arguments)));
    CHECK_EQ(read(p[0], &x, 1), 1);
    for (int i = 0; i < 2; i++) {
        OK(kill(others[i], SIGKILL));
        CHECK_KILLED(others[i], SIGKILL);
    }
    CHECK_EQ(write(go[1], "g", 1), 1);
    CHECK_EXIT(last, 0);
}
TEST(the_dump_filter_stays) {
    put_file("/proc/self/coredump_filter", "0x7f");
    CHECK_EXIT(CHILD(execl(me(), self, "target", "filter", NULL)), 0);
}
