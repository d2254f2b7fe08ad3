// SPDX-License-Identifier: Apache-2.0
// syscalls: read write open lseek mmap splice tee sendfile fcntl ioctl dup2 epoll_ctl inotify_add_watch getdents64 readv writev preadv2 fallocate recvmsg
// Calls with arguments that are half right: real descriptors, pointers to structures full of numbers, edges of every width. Any errno will do; an answer must come.
#include "../guest.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static uint64_t state;
static uint64_t any(void) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state * 0x2545F4914F6CDD1Dull;
}
static char *page, *edge;
static int fds[32], fd_count;
static const char *paths[] = {"f", "d", "l", "nothing", "", "d/x", "f/x", "..", "/proc/self/fd", "/proc/self/status"};

static uint64_t argument(void) {
    switch (any() % 16) {
    case 0: return 0;
    case 1: return any() % 8;
    case 2: return -(any() % 5);
    case 3: case 4: return fds[any() % fd_count];
    case 5: case 6: return (uint64_t)page + any() % 4096;
    case 7: return (uint64_t)edge - any() % 64;
    case 8: return 1ull << any() % 64;
    case 9: return (1ull << any() % 64) - 1;
    case 10: case 11: return (uint64_t)paths[any() % (sizeof paths / sizeof *paths)];
    case 12: return any() % 65536;
    case 13: return 4096 * (any() % 16);
    case 14: return (uint32_t)any();
    default: return any();
    }
}

// Calls that work on this process alone, on its own files and descriptors: the case runs as root on the host, too.
static const short calls[] = {
    SYS_read, SYS_write, SYS_fstat, SYS_lseek, SYS_mprotect, SYS_ioctl, SYS_pread64, SYS_pwrite64, SYS_readv, SYS_writev, SYS_pipe, SYS_select, SYS_mremap, SYS_msync, SYS_mincore,
    SYS_madvise, SYS_dup, SYS_nanosleep, SYS_getitimer, SYS_sendfile, SYS_accept, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_shutdown, SYS_getsockname,
    SYS_getpeername, SYS_socketpair, SYS_setsockopt, SYS_getsockopt, SYS_wait4, SYS_uname, SYS_fcntl, SYS_flock, SYS_fsync, SYS_fdatasync, SYS_ftruncate, SYS_getdents, SYS_getcwd,
    SYS_fchmod, SYS_umask, SYS_gettimeofday, SYS_getrlimit, SYS_getrusage, SYS_sysinfo, SYS_times, SYS_getgroups, SYS_capget, SYS_rt_sigpending, SYS_rt_sigtimedwait, SYS_sigaltstack,
    SYS_fstatfs, SYS_getpriority, SYS_sched_getparam, SYS_sched_getscheduler, SYS_sched_get_priority_max, SYS_sched_rr_get_interval, SYS_mlock, SYS_munlock, SYS_readahead, SYS_fgetxattr,
    SYS_flistxattr, SYS_fremovexattr, SYS_fsetxattr, SYS_futex, SYS_sched_getaffinity, SYS_epoll_create, SYS_getdents64, SYS_fadvise64, SYS_timer_create, SYS_timer_gettime,
    SYS_timer_getoverrun, SYS_timer_delete, SYS_clock_gettime, SYS_clock_getres, SYS_epoll_wait, SYS_epoll_ctl, SYS_waitid,
    SYS_inotify_init, SYS_inotify_add_watch, SYS_inotify_rm_watch, SYS_pselect6, SYS_ppoll, SYS_splice, SYS_tee, SYS_sync_file_range, SYS_vmsplice, SYS_epoll_pwait, SYS_signalfd,
    SYS_timerfd_create, SYS_eventfd, SYS_fallocate, SYS_timerfd_settime, SYS_timerfd_gettime, SYS_accept4, SYS_signalfd4, SYS_eventfd2, SYS_epoll_create1, SYS_pipe2, SYS_inotify_init1, SYS_preadv,
    SYS_pwritev, SYS_recvmmsg, SYS_sendmmsg, SYS_getcpu, SYS_process_vm_readv, SYS_kcmp, SYS_sched_getattr, SYS_getrandom, SYS_memfd_create, SYS_mlock2, SYS_copy_file_range, SYS_preadv2,
    SYS_pwritev2, SYS_pkey_alloc, SYS_pkey_free, SYS_io_setup, SYS_io_submit, SYS_io_getevents, SYS_io_cancel, SYS_io_destroy, SYS_poll, SYS_munmap,
    438 /* pidfd_getfd */, 441 /* epoll_pwait2 */, 449 /* futex_waitv */,
};

static void play(uint64_t seed) {
    int p[2];
    state = seed * 0x9E3779B97F4A7C15ull + 1;
    alarm(1);
    page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    edge = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    OK(munmap(edge + 4096, 4096));
    edge += 4096;
    for (int i = 0; i < 1024; i++) ((uint64_t *)page)[i] = any() % 3 == 0 ? (uint64_t)page + any() % 4096 : any() % 3 == 0 ? any() : any() % 100;
    fds[fd_count++] = OK(open("f", O_CREAT | O_RDWR, 0644));
    CHECK_EQ(write(fds[0], page, 5000), 5000);
    mkdir("d", 0755);
    if (symlink("f", "l") < 0) CHECK_EQ(errno, EEXIST);
    fds[fd_count++] = OK(open("d", O_RDONLY));
    OK(pipe2(p, O_NONBLOCK));
    fds[fd_count++] = p[0], fds[fd_count++] = p[1];
    OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, p));
    fds[fd_count++] = p[0], fds[fd_count++] = p[1];
    OK(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, p));
    fds[fd_count++] = p[0], fds[fd_count++] = p[1];
    fds[fd_count++] = OK(eventfd(3, EFD_NONBLOCK));
    fds[fd_count++] = OK(epoll_create1(0));
    fds[fd_count++] = OK(inotify_init1(IN_NONBLOCK));
    fds[fd_count++] = OK(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    fds[fd_count++] = OK(memfd_create("m", MFD_ALLOW_SEALING));
    fds[fd_count++] = OK(open("/proc/self/maps", O_RDONLY));
    fds[fd_count++] = OK(open("/", O_PATH));
    for (int i = 0; i < 120; i++) {
        long n = calls[any() % (sizeof calls / sizeof *calls)];
        uint64_t a[6];
        for (int k = 0; k < 6; k++) a[k] = argument();
        if ((n == SYS_write || n == SYS_ioctl || n == SYS_fcntl || n == SYS_ftruncate || n == SYS_pwrite64) && a[0] < 3) continue;
        syscall(n, a[0], a[1], a[2], a[3], a[4], a[5]);
    }
    _exit(0);
}
// A child may kill itself (SIGPIPE, SIGXFSZ, its alarm, what it unmapped); only the sandbox must live.
static void rounds(int first, int count) {
    for (int i = first; i < first + count; i++) {
        pid_t pid = CHILD(setpgid(0, 0); play(i));
        int status, done = 0;
        for (int t = 0; t < 2000 && !done; t++) {
            done = waitpid(pid, &status, WNOHANG) == pid;
            if (!done) usleep(t < 100 ? 300 : 1000);
        }
        if (!done) {
            OK(kill(pid, SIGKILL));
            CHECK_EQ(waitpid(pid, &status, 0), pid);
        }
    }
    CHECK_EXIT(CHILD(CHECK_EQ(access("f", F_OK), 0)), 0);
}

TEST(half_right_arguments) { rounds(1, 25); }
TEST(more_of_them) { rounds(1000, 25); }
