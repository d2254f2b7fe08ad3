// SPDX-License-Identifier: Apache-2.0
// syscalls: read write open stat poll lseek mmap ioctl readv writev access pipe select sched_yield mremap msync mincore madvise shmget shmat shmctl dup nanosleep getitimer
// Every call with wild arguments. The answer may be any errno; what matters is that there is an answer, and that everything goes on.
#include "../guest.h"
#include <sys/resource.h>

// Calls that would end, stop, detach or starve the test itself.
static int is_excluded(long n) {
    switch (n) {
    case SYS_exit: case SYS_exit_group: case SYS_rt_sigreturn: case SYS_pause: case SYS_fork: case SYS_vfork: case SYS_clone: case SYS_clone3:
    case SYS_kill: case SYS_tkill: case SYS_tgkill: case SYS_rt_sigsuspend: case SYS_vhangup: case SYS_reboot: case SYS_setsid: case SYS_umount2:
    case SYS_sync: case SYS_syslog: case SYS_unshare: case SYS_munmap: case SYS_brk: case SYS_close: case SYS_close_range: case SYS_alarm:
    case SYS_set_robust_list: case SYS_set_tid_address: case SYS_rseq: case SYS_arch_prctl: case SYS_ptrace: case SYS_mlockall: case SYS_seccomp:
    case SYS_prctl: case SYS_setrlimit: case SYS_prlimit64: case SYS_personality: case SYS_sethostname: case SYS_setdomainname: case SYS_settimeofday:
    case SYS_clock_settime: case SYS_adjtimex: case SYS_clock_adjtime: case SYS_iopl: case SYS_ioperm: case SYS_modify_ldt: case SYS_setns:
    case SYS_rt_sigtimedwait: case SYS_futex: case SYS_init_module: case SYS_finit_module: case SYS_delete_module: case SYS_kexec_load:
    case SYS_kexec_file_load: case SYS_swapon: case SYS_swapoff: case SYS_acct: case SYS_bpf: case SYS_perf_event_open: case SYS_mprotect:
    case SYS_pkey_mprotect: case SYS_remap_file_pages: case SYS_mremap: case SYS_mmap: case SYS_shmdt: case SYS_setitimer: case SYS_wait4:
    case SYS_waitid: case SYS_epoll_wait: case SYS_nanosleep: case SYS_ppoll: case SYS_poll: case SYS_select: case SYS_pselect6: case SYS_madvise:
    case SYS_clock_nanosleep: case SYS_setpgid: case SYS_ioprio_set: case SYS_sched_setscheduler: case SYS_sched_setparam: case SYS_io_uring_setup:
    case SYS_setuid: case SYS_setgid: case SYS_setreuid: case SYS_setregid: case SYS_setresuid: case SYS_setresgid: case SYS_setfsuid: case SYS_setfsgid:
    case SYS_rt_sigprocmask: case SYS_umask: case SYS_chroot: case SYS_pivot_root: case SYS_setpriority: case SYS_sched_setattr: case SYS_execve:
    case SYS_execveat: case SYS_membarrier: case SYS_restart_syscall: case SYS_lookup_dcookie: case SYS_userfaultfd: case SYS_fanotify_init:
    case SYS_timer_settime: case SYS_mount: case SYS_sched_setaffinity: case SYS_quotactl: case SYS_add_key: case SYS_request_key: case SYS_keyctl:
        return 1;
    }
    return n >= 425 && n <= 467 && n != 435 && n != 437 && n != 439;
}
static void try_all(long a, long b, long c, long d, long e, long f, int high) {
    // In a child: a call may well succeed and change it.
    CHECK_EXIT(CHILD(
        struct rlimit files = {.rlim_cur = 64, .rlim_max = 64};
        setrlimit(RLIMIT_NOFILE, &files);
        for (long n = 0; n <= high; n++)
            if (!is_excluded(n) && (n < 335 || n > 423)) {
                // Standard output stays what it is.
                if ((n == SYS_dup2 || n == SYS_dup3 || n == SYS_write || n == SYS_fcntl || n == SYS_ioctl) && (a == 1 || b == 1)) continue;
                syscall(n, a, b, c, d, e, f);
            }
        CHECK_EQ(SYS(getpid), getpid())), 0);
}

TEST(low_addresses) { try_all(8, 8, 8, 8, 8, 8, 467); }
TEST(all_ones) { try_all(-1, -1, -1, -1, -1, -1, 467); }
TEST(the_kernels_half) {
    long k = (long)KERNEL_POINTER;
    try_all(k, k, k, k, k, k, 467);
}
TEST(not_canonical) {
    long k = 0x8000000000000000;
    try_all(k, k, k, k, k, k, 467);
}
TEST(the_last_page) {
    long k = 0x7ffffffff000;
    try_all(k, k, k, k, k, k, 467);
}
TEST(descriptor_then_wild) {
    int fd = OK(open("f", O_CREAT | O_RDWR, 0600));
    try_all(fd, (long)BAD_POINTER, 4096, (long)BAD_POINTER, 8, 8, 467);
    try_all(fd, (long)KERNEL_POINTER, 4096, (long)KERNEL_POINTER, 8, 8, 467);
    try_all(fd, (long)BAD_POINTER, -1, -1, -1, -1, 467);
    int p[2];
    OK(pipe2(p, O_NONBLOCK));
    try_all(p[0], (long)BAD_POINTER, 4096, (long)BAD_POINTER, 8, 8, 467);
}
TEST(half_mapped_structures) {
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    OK(munmap(p + 4096, 4096));
    long edge = (long)p + 4096 - 4;
    try_all(edge, edge, edge, edge, edge, edge, 467);
    try_all(0, edge, 64, edge, edge, edge, 467);
}
TEST(read_only_targets) {
    long p = (long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    try_all(p, p, p, p, p, p, 467);
    CHECK_ERR(SYS(pipe, p), EFAULT);
    CHECK_ERR(SYS(stat, "/", p), EFAULT);
    CHECK_ERR(SYS(clock_gettime, CLOCK_MONOTONIC, p), EFAULT);
}
TEST(unterminated_strings) {
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(p, 'a', 4096);
    OK(munmap(p + 4096, 4096));
    CHECK_ERR(open(p + 4000, O_RDONLY), EFAULT);
    CHECK_ERR(chdir(p + 4090), EFAULT);
    CHECK_ERR(mkdir(p + 4095, 0700), EFAULT);
    char *long_name = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(long_name, 'a', 16384);
    CHECK_ERR(open(long_name, O_RDONLY), ENAMETOOLONG);
}
TEST(huge_lengths) {
    char b[16];
    int fd = OK(open("/dev/zero", O_RDONLY)), null = OK(open("/dev/null", O_WRONLY));
    CHECK_ERR(SYS(getrandom, BAD_POINTER, 1ul << 62, 0), EFAULT);
    long r = SYS(read, fd, b, -1L);
    CHECK(r == -1 && (errno == EFAULT || errno == EINVAL));
    r = SYS(write, null, b, -1L);
    CHECK(r == -1 || r == 0x7ffff000);
    CHECK_ERR(SYS(readv, fd, b, 1 << 30), EINVAL);
    CHECK_ERR(SYS(poll, b, 1u << 31, 0), EINVAL);
    CHECK_ERR(SYS(setgroups, 1 << 30, b), EINVAL);
}
