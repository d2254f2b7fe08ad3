// SPDX-License-Identifier: Apache-2.0
// syscalls: ioctl open read write setsid
// Pseudo-terminals: the line discipline and job control.
#include "../guest.h"
#include "../terminals.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

static void raw(int s) {
    struct termios t;
    OK(tcgetattr(s, &t));
    cfmakeraw(&t);
    OK(tcsetattr(s, TCSANOW, &t));
}
static char *take(int fd) {
    static char b[256];
    struct pollfd f = {fd, POLLIN, 0};
    CHECK_EQ(poll(&f, 1, 2000), 1);
    ssize_t n = OK(read(fd, b, 255));
    b[n] = 0;
    return b;
}

TEST(both_ends) {
    int m, s;
    open_pair(&m, &s);
    struct stat st;
    OK(fstat(s, &st));
    CHECK(S_ISCHR(st.st_mode));
    CHECK_EQ(st.st_rdev >> 8, 136);
    CHECK_EQ(isatty(s), 1);
    CHECK_EQ(isatty(m), 1);
    CHECK_EQ(isatty(0), 0);
    raw(s);
    CHECK_EQ(write(m, "down", 4), 4);
    CHECK_STR(take(s), "down");
    CHECK_EQ(write(s, "up\n", 3), 3);
    CHECK_STR(take(m), "up\n");
}
TEST(locked_until_unlocked) {
    int m = OK(open("/dev/ptmx", O_RDWR | O_NOCTTY)), n;
    char name[32];
    OK(ioctl(m, TIOCGPTN, &n));
    sprintf(name, "/dev/pts/%d", n);
    CHECK_ERR(open(name, O_RDWR | O_NOCTTY), EIO);
    close(m);
    CHECK_ERR(open(name, O_RDWR | O_NOCTTY), ENOENT);
}
TEST(lines_and_echo) {
    int m, s;
    open_pair(&m, &s);
    CHECK_EQ(write(m, "ab\x7f" "c\n", 5), 5);
    // The erase character rubs out, the echo shows it, and the line comes whole.
    CHECK_STR(take(s), "ac\n");
    CHECK_STR(take(m), "ab\b \bc\r\n");
    CHECK_EQ(write(s, "x\ny", 3), 3);
    CHECK_STR(take(m), "x\r\ny");
    struct pollfd f = {s, POLLIN, 0};
    CHECK_EQ(write(m, "part", 4), 4);
    CHECK_EQ(poll(&f, 1, 20), 0);
    // End of file gives what there is, then nothing.
    CHECK_EQ(write(m, "\x04", 1), 1);
    CHECK_STR(take(s), "part");
    CHECK_EQ(write(m, "\x04", 1), 1);
    CHECK_STR(take(s), "");
    CHECK_EQ(write(m, "gone\x15kept\n", 10), 10);
    CHECK_STR(take(s), "kept\n");
}
TEST(without_echo) {
    int m, s;
    open_pair(&m, &s);
    struct termios t;
    OK(tcgetattr(s, &t));
    CHECK(t.c_lflag & ECHO && t.c_lflag & ICANON && t.c_lflag & ISIG && t.c_oflag & OPOST && t.c_iflag & ICRNL);
    CHECK_EQ(t.c_cc[VINTR], 3);
    CHECK_EQ(t.c_cc[VEOF], 4);
    t.c_lflag &= ~ECHO;
    OK(tcsetattr(s, TCSANOW, &t));
    CHECK_EQ(write(m, "quiet\r", 6), 6);
    CHECK_STR(take(s), "quiet\n");
    struct pollfd f = {m, POLLIN, 0};
    CHECK_EQ(poll(&f, 1, 20), 0);
    OK(ioctl(m, TCGETS, &t));
    CHECK(!(t.c_lflag & ECHO));
}
TEST(window_size) {
    int m, s;
    open_pair(&m, &s);
    struct winsize w = {24, 80, 0, 0}, now = {9, 9, 9, 9};
    OK(ioctl(s, TIOCGWINSZ, &now));
    CHECK_EQ(now.ws_row, 0);
    OK(ioctl(m, TIOCSWINSZ, &w));
    OK(ioctl(s, TIOCGWINSZ, &now));
    CHECK_EQ(now.ws_row, 24);
    CHECK_EQ(now.ws_col, 80);
}
TEST(hang_up) {
    int m, s;
    char b;
    open_pair(&m, &s);
    close(m);
    CHECK_EQ(read(s, &b, 1), 0);
    CHECK_ERR(write(s, "x", 1), EIO);
    open_pair(&m, &s);
    CHECK_EQ(write(s, "left", 4), 4);
    close(s);
    CHECK_STR(take(m), "left");
    CHECK_ERR(read(m, &b, 1), EIO);
    struct pollfd f = {m, POLLIN, 0};
    CHECK_EQ(poll(&f, 1, 0), 1);
    CHECK(f.revents & POLLHUP);
}
TEST(controlling_terminal) {
    char name[32];
    int m = open_master(name);
    CHECK_EXIT(CHILD(
        OK(setsid());
        CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO);
        int s = OK(open(name, O_RDWR));
        int tty = OK(open("/dev/tty", O_RDWR));
        CHECK_EQ(tcgetsid(s), getpid());
        CHECK_EQ(tcgetpgrp(tty), getpgrp());
        CHECK_EQ(write(tty, "via tty", 7), 7);
        signal(SIGHUP, SIG_IGN);
        OK(ioctl(tty, TIOCNOTTY));
        CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO)), 0);
    CHECK_STR(take(m), "via tty");
}
static volatile sig_atomic_t caught;
static void on_signal(int s) { caught = s; }
TEST(keys_send_signals) {
    char name[32];
    int m = open_master(name), ready[2];
    char x;
    OK(pipe(ready));
    static const struct { char key; int signo; } keys[] = {{3, SIGINT}, {28, SIGQUIT}};
    for (int i = 0; i < 2; i++) {
        pid_t pid = CHILD(setsid(); OK(open(name, O_RDWR)); write(ready[1], "r", 1); for (;;) pause());
        CHECK_EQ(read(ready[0], &x, 1), 1);
        CHECK_EQ(write(m, &keys[i].key, 1), 1);
        CHECK_KILLED(pid, keys[i].signo);
        close(m);
        m = open_master(name);
    }
    pid_t pid = CHILD(
        setsid();
        int s = OK(open(name, O_RDWR));
        pid_t job = CHILD(setpgid(0, 0); for (;;) pause());
        setpgid(job, job);
        OK(tcsetpgrp(s, job));
        write(ready[1], "r", 1);
        int status;
        CHECK_EQ(waitpid(job, &status, WUNTRACED), job);
        CHECK_EQ(WSTOPSIG(status), SIGTSTP);
        kill(job, SIGKILL);
        CHECK_KILLED(job, SIGKILL));
    CHECK_EQ(read(ready[0], &x, 1), 1);
    CHECK_EQ(write(m, "\x1a", 1), 1);
    CHECK_EXIT(pid, 0);
}
TEST(size_change_signals) {
    char name[32];
    int m = open_master(name), ready[2];
    char x;
    OK(pipe(ready));
    pid_t pid = CHILD(
        struct sigaction a = {.sa_handler = on_signal};
        sigset_t block;
        sigset_t none;
        sigemptyset(&none);
        sigemptyset(&block);
        sigaddset(&block, SIGWINCH);
        sigprocmask(SIG_BLOCK, &block, NULL);
        sigaction(SIGWINCH, &a, NULL);
        setsid();
        OK(open(name, O_RDWR));
        write(ready[1], "r", 1);
        while (!caught) sigsuspend(&none);
        CHECK_EQ(caught, SIGWINCH));
    CHECK_EQ(read(ready[0], &x, 1), 1);
    struct winsize w = {30, 90, 0, 0};
    OK(ioctl(m, TIOCSWINSZ, &w));
    CHECK_EXIT(pid, 0);
}
TEST(background_reads_stop) {
    char name[32];
    int m = open_master(name);
    CHECK_EXIT(CHILD(
        setsid();
        int s = OK(open(name, O_RDWR));
        char b;
        pid_t job = CHILD(setpgid(0, 0); read(s, &b, 1); for (;;) pause());
        setpgid(job, job);
        int status;
        CHECK_EQ(waitpid(job, &status, WUNTRACED), job);
        CHECK(WIFSTOPPED(status));
        CHECK_EQ(WSTOPSIG(status), SIGTTIN);
        kill(job, SIGKILL);
        CHECK_KILLED(job, SIGKILL);
        struct termios t;
        OK(tcgetattr(s, &t));
        t.c_lflag |= TOSTOP;
        OK(tcsetattr(s, TCSANOW, &t));
        job = CHILD(setpgid(0, 0); write(s, "x", 1); for (;;) pause());
        setpgid(job, job);
        CHECK_EQ(waitpid(job, &status, WUNTRACED), job);
        CHECK_EQ(WSTOPSIG(status), SIGTTOU);
        kill(job, SIGKILL);
        CHECK_KILLED(job, SIGKILL)), 0);
    close(m);
}
TEST(the_end_of_the_leader_hangs_up) {
    char name[32];
    int m = open_master(name), p[2];
    char x;
    OK(pipe(p));
    pid_t pid = CHILD(
        setsid();
        OK(open(name, O_RDWR));
        sigset_t block;
        sigemptyset(&block);
        sigaddset(&block, SIGHUP);
        sigprocmask(SIG_BLOCK, &block, NULL);
        if (fork() == 0) {
            siginfo_t i;
            int s = sigwaitinfo(&block, &i);
            write(p[1], s == SIGHUP ? "y" : "n", 1);
            _exit(0);
        });
    CHECK_EXIT(pid, 0);
    CHECK_EQ(read(p[0], &x, 1), 1);
    CHECK_EQ(x, 'y');
    close(m);
}
TEST(a_master_without_a_slave_yet) {
    char name[32];
    int m = open_master(name);
    struct pollfd f = {m, POLLIN | POLLOUT, 0};
    CHECK_EQ(poll(&f, 1, 0), 1);
    CHECK(f.revents & POLLOUT);
    CHECK_EQ(write(m, "early\n", 6), 6);
    int s = OK(open(name, O_RDWR | O_NOCTTY));
    CHECK_STR(take(s), "early\n");
    OK(tcflush(s, TCIOFLUSH));
    int n;
    CHECK_EQ(write(m, "xy\n", 3), 3);
    f = (struct pollfd){s, POLLIN, 0};
    CHECK_EQ(poll(&f, 1, 2000), 1);
    OK(ioctl(s, FIONREAD, &n));
    CHECK_EQ(n, 3);
    OK(tcflush(s, TCIFLUSH));
    OK(ioctl(s, FIONREAD, &n));
    CHECK_EQ(n, 0);
}
