// SPDX-License-Identifier: Apache-2.0
// syscalls: signalfd signalfd4
// Signals as a file to read.
#include "../guest.h"
#include <poll.h>
#include <sys/signalfd.h>

static sigset_t set;
static void block(int a, int b) {
    sigemptyset(&set);
    sigaddset(&set, a);
    sigaddset(&set, b);
    OK(sigprocmask(SIG_BLOCK, &set, NULL));
}

TEST(reads_pending_signals) {
    block(SIGUSR1, SIGRTMIN);
    int fd = OK(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    struct signalfd_siginfo i[3];
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_ERR(read(fd, i, sizeof i[0]), EAGAIN);
    OK(kill(getpid(), SIGUSR1));
    union sigval v = {.sival_int = 42};
    OK(sigqueue(getpid(), SIGRTMIN, v));
    CHECK_EQ(read(fd, i, sizeof i), 2 * sizeof i[0]);
    CHECK_EQ(i[0].ssi_signo, SIGUSR1);
    CHECK_EQ(i[0].ssi_code, SI_USER);
    CHECK_EQ(i[0].ssi_pid, getpid());
    CHECK_EQ(i[0].ssi_uid, getuid());
    CHECK_EQ(i[1].ssi_signo, SIGRTMIN);
    CHECK_EQ(i[1].ssi_code, SI_QUEUE);
    CHECK_EQ(i[1].ssi_int, 42);
}
TEST(old_call_and_wait) {
    block(SIGUSR1, SIGUSR2);
    int fd = OK(SYS(signalfd, -1, &set, 8));
    pid_t parent = getpid(), child = CHILD(sleep_ms(20); kill(parent, SIGUSR2));
    struct signalfd_siginfo i;
    CHECK_EQ(read(fd, &i, sizeof i), sizeof i);
    CHECK_EQ(i.ssi_signo, SIGUSR2);
    CHECK_EQ(i.ssi_pid, child);
    CHECK_EXIT(child, 0);
}
TEST(change_the_mask) {
    block(SIGUSR1, SIGUSR2);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGUSR1);
    int fd = OK(signalfd(-1, &only, SFD_NONBLOCK));
    struct signalfd_siginfo i;
    OK(raise(SIGUSR2));
    CHECK_ERR(read(fd, &i, sizeof i), EAGAIN);
    CHECK_EQ(signalfd(fd, &set, 0), fd);
    CHECK_EQ(read(fd, &i, sizeof i), sizeof i);
    CHECK_EQ(i.ssi_signo, SIGUSR2);
}
TEST(poll_ready) {
    block(SIGUSR1, SIGUSR2);
    int fd = OK(signalfd(-1, &set, 0));
    struct pollfd f = {fd, POLLIN, 0};
    CHECK_EQ(poll(&f, 1, 0), 0);
    OK(raise(SIGUSR1));
    CHECK_EQ(poll(&f, 1, 0), 1);
}
TEST(refusals) {
    block(SIGUSR1, SIGUSR2);
    int fd = OK(signalfd(-1, &set, SFD_NONBLOCK)), null = OK(open("/dev/null", O_RDONLY));
    char b[8];
    CHECK_ERR(read(fd, b, 8), EINVAL);
    CHECK_ERR(signalfd(null, &set, 0), EINVAL);
    CHECK_ERR(signalfd(99, &set, 0), EBADF);
    CHECK_ERR(signalfd(-1, &set, 1), EINVAL);
    CHECK_ERR(SYS(signalfd4, -1, &set, 4, 0), EINVAL);
    CHECK_ERR(SYS(signalfd4, -1, BAD_POINTER, 8, 0), EFAULT);
}
