// SPDX-License-Identifier: Apache-2.0
// syscalls: fcntl ioctl rt_sigtimedwait
// Being told of an open file's events by a signal: O_ASYNC, F_SETOWN, F_SETSIG, F_NOTIFY.
#include "../guest.h"
#include <sys/ioctl.h>
#include <sys/socket.h>

static int wait_for(int signal, siginfo_t *info, int ms) {
    sigset_t set;
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    sigemptyset(&set);
    sigaddset(&set, signal);
    return sigtimedwait(&set, info, &t);
}
static void block(int signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    OK(sigprocmask(SIG_BLOCK, &set, NULL));
}

TEST(a_pipe_with_data) {
    int p[2];
    char b[4];
    siginfo_t i;
    OK(pipe(p));
    block(SIGIO);
    OK(fcntl(p[0], F_SETOWN, getpid()));
    CHECK_EQ(fcntl(p[0], F_GETOWN), getpid());
    OK(fcntl(p[0], F_SETFL, O_ASYNC));
    CHECK(fcntl(p[0], F_GETFL) & O_ASYNC);
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_EQ(wait_for(SIGIO, &i, 2000), SIGIO);
    CHECK_EQ(i.si_code, SI_KERNEL);
    CHECK_EQ(read(p[0], b, 4), 1);
    OK(fcntl(p[0], F_SETFL, 0));
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_ERR(wait_for(SIGIO, &i, 50), EAGAIN);
}
TEST(a_signal_of_choice_says_which_file) {
    int s[2], on = 1;
    siginfo_t i;
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    block(SIGRTMIN + 3);
    OK(fcntl(s[0], F_SETOWN, getpid()));
    OK(fcntl(s[0], F_SETSIG, SIGRTMIN + 3));
    CHECK_EQ(fcntl(s[0], F_GETSIG), SIGRTMIN + 3);
    OK(ioctl(s[0], FIOASYNC, &on));
    CHECK_EQ(write(s[1], "x", 1), 1);
    CHECK_EQ(wait_for(SIGRTMIN + 3, &i, 2000), SIGRTMIN + 3);
    CHECK_EQ(i.si_code, POLL_IN);
    CHECK_EQ(i.si_fd, s[0]);
    CHECK(i.si_band & 1);
}
TEST(another_process) {
    int p[2], ready[2];
    char x;
    siginfo_t i;
    OK(pipe(p));
    OK(pipe(ready));
    block(SIGIO);
    pid_t child = CHILD(CHECK_EQ(write(ready[1], "x", 1), 1); CHECK_EQ(wait_for(SIGIO, &i, 2000), SIGIO));
    CHECK_EQ(read(ready[0], &x, 1), 1);
    struct f_owner_ex owner = {F_OWNER_PID, child};
    OK(fcntl(p[0], F_SETOWN_EX, &owner));
    OK(fcntl(p[0], F_SETFL, O_ASYNC | O_NONBLOCK));
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_EXIT(child, 0);
    CHECK_ERR(wait_for(SIGIO, &i, 20), EAGAIN);
}
TEST(changes_in_a_directory) {
    siginfo_t i;
    put_file("f", "");
    int d = OK(open(".", O_RDONLY));
    block(SIGRTMIN + 1);
    OK(fcntl(d, F_SETSIG, SIGRTMIN + 1));
    if (fcntl(d, F_NOTIFY, DN_CREATE) < 0 && errno == EINVAL) SKIP("no directory notification");
    put_file("g", "");
    CHECK_EQ(wait_for(SIGRTMIN + 1, &i, 2000), SIGRTMIN + 1);
    CHECK_EQ(i.si_fd, d);
    put_file("h", "");
    CHECK_ERR(wait_for(SIGRTMIN + 1, &i, 50), EAGAIN);
    OK(fcntl(d, F_NOTIFY, DN_DELETE | DN_MULTISHOT));
    OK(unlink("g"));
    CHECK_EQ(wait_for(SIGRTMIN + 1, &i, 2000), SIGRTMIN + 1);
    OK(unlink("h"));
    CHECK_EQ(wait_for(SIGRTMIN + 1, &i, 2000), SIGRTMIN + 1);
    OK(fcntl(d, F_NOTIFY, DN_MULTISHOT));
    OK(unlink("f"));
    CHECK_ERR(wait_for(SIGRTMIN + 1, &i, 50), EAGAIN);
    CHECK_ERR(fcntl(OK(open("x", O_CREAT | O_RDWR, 0600)), F_NOTIFY, DN_CREATE), ENOTDIR);
}
