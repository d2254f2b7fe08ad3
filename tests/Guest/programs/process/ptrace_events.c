// SPDX-License-Identifier: Apache-2.0
// syscalls: ptrace process_vm_readv waitid
// cflags: -pthread
// What a tracer learns of forks, threads, programs and ends, and how it seizes a running process.
#include "../guest.h"
#include <elf.h>
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#define STOPPED_BY(status, signal, event) ((status) == (((event) << 16) | ((signal) << 8) | 0x7f))

static pid_t start(void (*body)(void), long options) {
    pid_t pid = CHILD(if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0) _exit(1); raise(SIGSTOP); body());
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(STOPPED_BY(status, SIGSTOP, 0));
    OK(ptrace(PTRACE_SETOPTIONS, pid, 0, options));
    return pid;
}
static void forks(void) { CHECK_EXIT(CHILD(_exit(3)), 3); }
TEST(forks_are_followed) {
    pid_t pid = start(forks, PTRACE_O_TRACEFORK);
    int status;
    unsigned long child;
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(STOPPED_BY(status, SIGTRAP, PTRACE_EVENT_FORK));
    OK(ptrace(PTRACE_GETEVENTMSG, pid, 0, &child));
    CHECK_EQ(waitpid(child, &status, __WALL), (pid_t)child);
    CHECK(STOPPED_BY(status, SIGSTOP, 0));
    OK(ptrace(PTRACE_CONT, child, 0, 0));
    // The tracer hears of the child's end first, then the parent.
    CHECK_EQ(waitpid(child, &status, __WALL), (pid_t)child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGCHLD) {
        OK(ptrace(PTRACE_CONT, pid, 0, SIGCHLD));
        CHECK_EQ(waitpid(pid, &status, 0), pid);
    }
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
static void runs_a_program(void) {
    execl("/proc/self/exe", "ptrace_events", "target", (char *)NULL);
    _exit(9);
}
__attribute__((constructor(101))) static void target(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], "target")) _exit(21);
}
TEST(a_new_program) {
    pid_t pid = start(runs_a_program, PTRACE_O_TRACEEXEC);
    int status;
    unsigned long former;
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(STOPPED_BY(status, SIGTRAP, PTRACE_EVENT_EXEC));
    OK(ptrace(PTRACE_GETEVENTMSG, pid, 0, &former));
    CHECK_EQ((pid_t)former, pid);
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EXIT(pid, 21);
    // Without the option it is a plain SIGTRAP.
    pid = start(runs_a_program, 0);
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(STOPPED_BY(status, SIGTRAP, 0));
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EXIT(pid, 21);
}
static void ends(void) { _exit(6); }
TEST(the_end) {
    pid_t pid = start(ends, PTRACE_O_TRACEEXIT);
    int status;
    unsigned long code;
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(STOPPED_BY(status, SIGTRAP, PTRACE_EVENT_EXIT));
    OK(ptrace(PTRACE_GETEVENTMSG, pid, 0, &code));
    CHECK_EQ(code, 0x600);
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EXIT(pid, 6);
}
static void *thread(void *a) { return a; }
static void has_a_thread(void) {
    pthread_t t;
    pthread_create(&t, NULL, thread, NULL);
    pthread_join(t, NULL);
    _exit(0);
}
TEST(threads_are_followed) {
    pid_t pid = start(has_a_thread, PTRACE_O_TRACECLONE);
    int status, seen = 0;
    unsigned long tid = 0;
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    for (;;) {
        pid_t who = OK(waitpid(-1, &status, __WALL));
        if (WIFEXITED(status)) {
            if (who == pid) break;
            CHECK_EQ(who, (pid_t)tid);
            seen |= 4;
            continue;
        }
        if (STOPPED_BY(status, SIGTRAP, PTRACE_EVENT_CLONE)) {
            OK(ptrace(PTRACE_GETEVENTMSG, pid, 0, &tid));
            seen |= 1;
        } else {
            CHECK(STOPPED_BY(status, SIGSTOP, 0));
            seen |= 2;
        }
        OK(ptrace(PTRACE_CONT, who, 0, 0));
    }
    CHECK_EQ(seen, 7);
}
TEST(seize_and_interrupt) {
    pid_t pid = CHILD(for (;;) pause());
    int status;
    sleep_ms(20);
    OK(ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD));
    CHECK_EQ(waitpid(pid, &status, WNOHANG), 0);
    CHECK_ERR(ptrace(PTRACE_CONT, pid, 0, 0), ESRCH);
    OK(ptrace(PTRACE_INTERRUPT, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(STOPPED_BY(status, SIGTRAP, PTRACE_EVENT_STOP));
    // The interrupted call begins anew.
    OK(ptrace(PTRACE_SYSCALL, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(STOPPED_BY(status, SIGTRAP | 0x80, 0));
    struct __ptrace_syscall_info i;
    CHECK_EQ(ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof i, &i), 80);
    CHECK_EQ(i.op, PTRACE_SYSCALL_INFO_ENTRY);
    CHECK_EQ(i.entry.nr, SYS_pause);
    OK(ptrace(PTRACE_DETACH, pid, 0, 0));
    OK(kill(pid, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
}
TEST(stops_of_the_job) {
    pid_t pid = CHILD(for (;;) pause());
    int status;
    OK(ptrace(PTRACE_SEIZE, pid, 0, 0));
    OK(kill(pid, SIGSTOP));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(STOPPED_BY(status, SIGSTOP, 0));
    OK(ptrace(PTRACE_CONT, pid, 0, SIGSTOP));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(STOPPED_BY(status, SIGSTOP, PTRACE_EVENT_STOP));
    OK(ptrace(PTRACE_LISTEN, pid, 0, 0));
    OK(kill(pid, SIGCONT));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(STOPPED_BY(status, SIGTRAP, PTRACE_EVENT_STOP));
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(STOPPED_BY(status, SIGCONT, 0));
    OK(ptrace(PTRACE_DETACH, pid, 0, 0));
    OK(kill(pid, SIGKILL));
    CHECK_KILLED(pid, SIGKILL);
}
static volatile int handled;
static void on_signal(int s) { handled = s; }
static void raises(void) {
    signal(SIGUSR1, on_signal);
    signal(SIGUSR2, on_signal);
    raise(SIGUSR1);
    _exit(handled);
}
TEST(another_signal_instead) {
    pid_t pid = start(raises, 0);
    int status;
    siginfo_t i;
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(STOPPED_BY(status, SIGUSR1, 0));
    OK(ptrace(PTRACE_GETSIGINFO, pid, 0, &i));
    CHECK_EQ(i.si_signo, SIGUSR1);
    CHECK_EQ(i.si_pid, pid);
    OK(ptrace(PTRACE_CONT, pid, 0, SIGUSR2));
    CHECK_EXIT(pid, SIGUSR2);
}
static void asks(void) { _exit(SYS(getppid) == 4242 ? 7 : 8); }
TEST(results_can_be_changed) {
    pid_t pid = start(asks, PTRACE_O_TRACESYSGOOD);
    int status;
    struct user_regs_struct r;
    struct iovec v = {&r, sizeof r};
    for (int stops = 0;;) {
        OK(ptrace(PTRACE_SYSCALL, pid, 0, 0));
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status)) break;
        OK(ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &v));
        CHECK_EQ(v.iov_len, sizeof r);
        if (r.orig_rax == SYS_getppid && ++stops == 2) {
            r.rax = 4242;
            OK(ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &v));
        }
    }
    CHECK_EQ(WEXITSTATUS(status), 7);
    // A call that is taken away does not happen.
    pid = start(ends, PTRACE_O_TRACESYSGOOD);
    OK(ptrace(PTRACE_SYSCALL, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK_EQ(ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user_regs_struct, orig_rax), 0), SYS_exit_group);
    OK(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), -1));
    OK(ptrace(PTRACE_SYSCALL, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(STOPPED_BY(status, SIGTRAP | 0x80, 0));
    OK(ptrace(PTRACE_KILL, pid, 0, 0));
    CHECK_KILLED(pid, SIGKILL);
}
TEST(floating_point_registers) {
    pid_t pid = start(ends, 0);
    struct user_fpregs_struct a, b;
    OK(ptrace(PTRACE_GETFPREGS, pid, 0, &a));
    a.xmm_space[0] = 0x12345678;
    OK(ptrace(PTRACE_SETFPREGS, pid, 0, &a));
    OK(ptrace(PTRACE_GETFPREGS, pid, 0, &b));
    CHECK_EQ(b.xmm_space[0], 0x12345678);
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EXIT(pid, 6);
}
__attribute__((noinline)) static void breaks(void) {
    __asm__ volatile("nop; nop; nop; nop");
    _exit(5);
}
TEST(break_points) {
    // Text is private to the process that is changed: the tracer's own stays as it is.
    pid_t pid = start(breaks, 0);
    int status;
    long was = ptrace(PTRACE_PEEKTEXT, pid, breaks, 0);
    OK(ptrace(PTRACE_POKETEXT, pid, breaks, (was & ~0xffL) | 0xcc));
    CHECK_EQ(*(volatile unsigned char *)breaks, (unsigned char)was);
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    CHECK(STOPPED_BY(status, SIGTRAP, 0));
    struct user_regs_struct r;
    OK(ptrace(PTRACE_GETREGS, pid, 0, &r));
    CHECK_EQ(r.rip, (unsigned long)breaks + 1);
    OK(ptrace(PTRACE_POKETEXT, pid, breaks, was));
    r.rip--;
    OK(ptrace(PTRACE_SETREGS, pid, 0, &r));
    for (int i = 0; i < 5; i++) {
        OK(ptrace(PTRACE_SINGLESTEP, pid, 0, 0));
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK(STOPPED_BY(status, SIGTRAP, 0));
    }
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EXIT(pid, 5);
}
TEST(the_end_of_the_tracer) {
    // With the option the tracee dies, too; without it, it goes on.
    for (int kills = 0; kills < 2; kills++) {
        pid_t tracee = CHILD(for (;;) { sleep_ms(5); if (getppid() == 0) _exit(0); });
        CHECK_EXIT(CHILD(OK(ptrace(PTRACE_SEIZE, tracee, 0, kills ? PTRACE_O_EXITKILL : 0))), 0);
        int status;
        sleep_ms(30);
        CHECK_EQ(waitpid(tracee, &status, WNOHANG), kills ? tracee : 0);
        if (!kills) {
            OK(kill(tracee, SIGKILL));
            CHECK_KILLED(tracee, SIGKILL);
        }
    }
}
TEST(ptrace_refusals) {
    CHECK_ERR(ptrace(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
    CHECK_ERR(ptrace(PTRACE_SEIZE, getpid(), 0, 0), EPERM);
    pid_t pid = start(ends, 0);
    CHECK_ERR(ptrace(PTRACE_ATTACH, pid, 0, 0), EPERM);
    CHECK_ERR(ptrace(PTRACE_SETOPTIONS, pid, 0, 1 << 30), EINVAL);
    CHECK_ERR(ptrace(PTRACE_CONT, pid, 0, 999), EIO);
    CHECK_ERR(ptrace(PTRACE_PEEKUSER, pid, 3, 0), EIO);
    CHECK_ERR(ptrace(PTRACE_PEEKUSER, pid, 100000, 0), EIO);
    CHECK_ERR(ptrace(12345, pid, 0, 0), EIO);
    CHECK_ERR(ptrace(PTRACE_GETREGS, pid, 0, BAD_POINTER), EFAULT);
    OK(ptrace(PTRACE_CONT, pid, 0, 0));
    CHECK_EXIT(pid, 6);
}
