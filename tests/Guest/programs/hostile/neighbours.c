// SPDX-License-Identifier: Apache-2.0
// syscalls: fork kill wait4 exit_group
// needs: root
// What else may lie in a process's address space: a platform keeps code and state of its own above the guest's memory. A guest that scribbles over all of it,
// jumps into it with hostile registers, or makes the host's calls from there ends itself only. Natively nothing is there, and the same programs die of it.
#include "../guest.h"
#include <setjmp.h>

enum { top_megabytes = 128, step = 2 << 20 };
static const uintptr_t task_size = 0x7ffffffff000;
static sigjmp_buf back;
static volatile char sink;

static void leave(int s) { siglongjmp(back, s); }
static void catch(void) {
    struct sigaction a = {.sa_handler = leave, .sa_flags = SA_NODEFER};
    sigaction(SIGSEGV, &a, NULL);
    sigaction(SIGBUS, &a, NULL);
}
static int is_readable(uintptr_t at) {
    if (sigsetjmp(back, 1)) return 0;
    sink = *(volatile char *)at;
    return 1;
}

// Where the platform's own part begins; an address with nothing behind it when there is none.
static uintptr_t find(void) {
    uintptr_t at = task_size & ~(uintptr_t)(step - 1);
    catch();
    while (is_readable(at)) at -= step;
    signal(SIGSEGV, SIG_DFL), signal(SIGBUS, SIG_DFL);
    return at + step >= task_size ? at : at + step;
}

static int end_of(pid_t pid) {
    int status;
    CHECK_EQ(waitpid(pid, &status, 0), pid);
    return status;
}
static void still_well(void) {
    CHECK_EXIT(CHILD(_exit(7)), 7);
    char *memory = malloc(1 << 20);
    memset(memory, 1, 1 << 20);
    CHECK_EQ(memory[12345], 1);
    free(memory);
}

static void scribble(unsigned char what) {
    static volatile uintptr_t at;
    alarm(2);
    catch();
    for (at = task_size - 64; at > task_size - ((uintptr_t)top_megabytes << 20);) {
        if (sigsetjmp(back, 1)) at = (at & ~4095ul) - 64; // Nothing can be written there.
        for (; at > task_size - ((uintptr_t)top_megabytes << 20); at -= 64)
            for (int i = 0; i < 64; i++) ((volatile unsigned char *)at)[i] = what == 2 ? (unsigned char)(at >> 6) * 31 + i : what;
    }
    for (int i = 0; i < 100; i++) SYS(getpgrp);
}
TEST(scribbling) {
    pid_t pids[4];
    for (int i = 0; i < 4; i++) pids[i] = CHILD(scribble(i == 1 ? 255 : i));
    for (int i = 0; i < 4; i++) end_of(pids[i]);
    still_well();
}

// Goes to an address with every register from a table.
__attribute__((noreturn)) static void go(uintptr_t target, const uint64_t r[15]) {
    __asm__ volatile(
        "mov %0, %%r11\n\tpush %1\n\t"
        "mov (%2), %%rax\n\tmov 8(%2), %%rbx\n\tmov 16(%2), %%rdx\n\tmov 24(%2), %%rsi\n\tmov 32(%2), %%rdi\n\tmov 40(%2), %%rbp\n\t"
        "mov 48(%2), %%r8\n\tmov 56(%2), %%r9\n\tmov 64(%2), %%r10\n\tmov 80(%2), %%r12\n\tmov 88(%2), %%r13\n\tmov 96(%2), %%r14\n\tmov 104(%2), %%r15\n\tmov 112(%2), %%rcx\n\t"
        "jmp *%%r11"
        :: "r"(target), "r"(target), "c"(r) : "memory");
    __builtin_unreachable();
}
TEST(jumps_with_hostile_registers) {
    enum { jumps = 96, stride = 27 };
    static pid_t pids[jumps];
    uintptr_t base = find();
    for (int i = 0; i < jumps; i++) {
        pids[i] = CHILD(
            uint64_t r[15];
            uint64_t seed = i * 2654435761u + 1;
            for (int k = 0; k < 15; k++) {
                seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
                r[k] = i % 3 == 0 ? 0 : i % 3 == 1 ? base + 0x218000 + seed % 0x4000000 : seed;
            }
            go(base + i * stride, r));
    }
    sleep_ms(200);
    for (int i = 0; i < jumps; i++) kill(pids[i], SIGKILL);
    for (int i = 0; i < jumps; i++) end_of(pids[i]);
    still_well();
}

static void landed(void) { _exit(99); }
TEST(calls_from_there) {
    // Whoever gets to the host's calls must not get anywhere with them: these would all be noticed.
    static const int calls[] = {SYS_exit_group, SYS_exit, SYS_kill, SYS_tgkill, SYS_tkill, SYS_openat, SYS_open, SYS_execve, SYS_mmap, SYS_munmap, SYS_mprotect, SYS_fork, SYS_vfork, SYS_ptrace,
                                SYS_socket, SYS_read, SYS_getpid, SYS_prctl, SYS_seccomp, SYS_unshare, SYS_setns, SYS_mount, SYS_process_vm_writev, SYS_pidfd_open, SYS_io_uring_setup, SYS_bpf,
                                SYS_close, SYS_dup, SYS_getdents64, SYS_reboot};
    uintptr_t base = find();
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
        pid_t pid = CHILD(
            uint64_t r[15] = {[0] = (uint64_t)calls[i], [5] = (uint64_t)landed};
            go(base, r));
        CHECK(WIFSIGNALED(end_of(pid)));
    }
    still_well();
}

// Where a platform keeps what it tells a thread about itself, the thread can write: it tells itself what it likes, and nobody else.
TEST(lies_about_oneself) {
    enum { answers = 0x130, some = 26, nobody = 65534 };
    put_file("secret", "");
    OK(chmod("secret", 0600));
    OK(chmod(".", 0755));
    CHECK_EXIT(CHILD(
        int pid = getpid();
        uint64_t slot;
        OK(SYS(setresgid, nobody, nobody, nobody));
        OK(SYS(setresuid, nobody, nobody, nobody));
        for (int i = 0; i < 50; i++) CHECK(getpid() == pid && getuid() == nobody);
        OK(SYS(arch_prctl, 0x1004 /* ARCH_GET_GS */, &slot));
        CHECK_EQ(slot, 0);
        __asm__ volatile("rdgsbase %0" : "=r"(slot));
        for (int i = 0; slot != 0 && i < some; i++) ((volatile uint64_t *)(slot + answers))[i] = 0;
        if (slot != 0) CHECK_EQ(getuid(), 0);
        CHECK_ERR(open("secret", O_RDONLY), EACCES);
        CHECK_ERR(SYS(setresuid, 0, 0, 0), EPERM);
        OK(kill(pid, 0));
        CHECK_EXIT(CHILD(CHECK_EQ(getppid(), pid); CHECK_EQ(geteuid(), nobody)), 0);
        // What is renewed is true again.
        OK(SYS(prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0));
        CHECK_EQ(getuid(), nobody);
        CHECK_EQ(getpid(), pid);
        // And what is not allowed is not made so.
        for (int i = 0; slot != 0 && i < 16; i++) ((volatile uint32_t *)(slot + 0x70))[i & 3] = i & 4 ? 0 : 1;
        CHECK_ERR(open("secret", O_RDONLY), EACCES)), 0);
    still_well();
}

// What a process writes into the platform's part is not there for those that come after it, whatever is used again. Only the inverse of the mark is ever in a
// register of who looks for it: registers lie there, too.
static const uintptr_t places[][2] = {{0x216000, 0x228000}, {0x1218000, 0x1258000}}; // answers and stacks, and the state of the first threads
static volatile uintptr_t place;
static volatile unsigned which;
static int holds(uintptr_t base, uint64_t inverse) {
    volatile int found = 0;
    for (which = 0; which < 2; which++)
        for (place = base + places[which][0]; place < base + places[which][1]; place += 8)
            if (~*(volatile uint64_t *)place == inverse) found = 1;
    return found;
}
static void leave_everywhere(uintptr_t base, uint64_t inverse) {
    alarm(5);
    for (which = 0; which < 2; which++)
        for (place = base + places[which][0] + 4088; place < base + places[which][1]; place += 4096)
            *(volatile uint64_t *)place = ~inverse; // No word of this program's own state lies at the end of a page.
    _exit(10);
}
TEST(nothing_is_left_behind) {
    volatile uint64_t inverse = 0x6d61726b6d61726b ^ (uint64_t)getpid();
    uintptr_t base = find();
    catch();
    if (!is_readable(base + places[1][0])) return;
    for (int i = 0; i < 30; i++) {
        int status = end_of(CHILD(leave_everywhere(base, inverse)));
        CHECK(WIFEXITED(status) || WIFSIGNALED(status));
        CHECK_EXIT(CHILD(_exit(holds(base, inverse) ? 11 : 10)), 10);
    }
}
