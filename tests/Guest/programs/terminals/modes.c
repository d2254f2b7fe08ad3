// SPDX-License-Identifier: Apache-2.0
// syscalls: ioctl open read write poll setsid
// What a terminal's settings do: raw mode, editing, echo, flow control, packet mode, job control's refusals.
#include "../guest.h"
#include "../terminals.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif
#ifndef TIOCSIG
#define TIOCSIG 0x40045436
#endif

static struct termios settings(int s) {
    struct termios t;
    OK(tcgetattr(s, &t));
    return t;
}
static void set(int s, struct termios t) { OK(tcsetattr(s, TCSANOW, &t)); }
static void raw(int s, int min, int time) {
    struct termios t = settings(s);
    cfmakeraw(&t);
    t.c_cc[VMIN] = min;
    t.c_cc[VTIME] = time;
    set(s, t);
}
static char *take(int fd) {
    static char b[4096];
    struct pollfd f = {fd, POLLIN, 0};
    CHECK_EQ(poll(&f, 1, 2000), 1);
    ssize_t n = OK(read(fd, b, sizeof b - 1));
    b[n] = 0;
    return b;
}
// All that comes until nothing comes for a while: echo may come in pieces.
static char *take_all(int fd) {
    static char b[8192];
    size_t n = 0;
    struct pollfd f = {fd, POLLIN, 0};
    while (n < sizeof b - 1 && poll(&f, 1, 50) == 1) {
        ssize_t r = read(fd, b + n, sizeof b - 1 - n);
        if (r <= 0) break;
        n += r;
    }
    b[n] = 0;
    return b;
}
static void put(int fd, const char *text) { CHECK_EQ(write(fd, text, strlen(text)), strlen(text)); }
static int ready(int fd) {
    struct pollfd f = {fd, POLLIN, 0};
    poll(&f, 1, 20);
    return f.revents;
}

TEST(a_least_number_of_bytes) {
    int m, s;
    char b[8];
    open_pair(&m, &s);
    raw(s, 3, 0);
    put(m, "ab");
    CHECK_EQ(ready(s), 0);
    put(m, "c");
    CHECK_EQ(ready(s), POLLIN);
    CHECK_EQ(read(s, b, 8), 3);
    // Fewer are enough when the reader has no room for more.
    put(m, "xy");
    CHECK_EQ(read(s, b, 2), 2);
    OK(fcntl(s, F_SETFL, O_NONBLOCK));
    CHECK_ERR(read(s, b, 8), EAGAIN);
    put(m, "z");
    sleep_ms(20);
    CHECK_EQ(read(s, b, 8), 1);
}
TEST(a_time_limit) {
    int m, s;
    char b[8];
    open_pair(&m, &s);
    raw(s, 0, 0);
    CHECK_EQ(read(s, b, 8), 0);
    raw(s, 0, 2);
    double start = seconds();
    CHECK_EQ(read(s, b, 8), 0);
    CHECK(seconds() - start > 0.15);
    // Between bytes: the limit begins with the first.
    raw(s, 5, 1);
    put(m, "ab");
    start = seconds();
    CHECK_EQ(read(s, b, 8), 2);
    CHECK(seconds() - start < 1.5);
}
TEST(words_lines_and_literals) {
    int m, s;
    open_pair(&m, &s);
    put(m, "one two  \x17" "2\n");
    CHECK_STR(take(s), "one 2\n");
    put(m, "ab\x16\x03" "c\n");
    CHECK_STR(take(s), "ab\x03" "c\n");
    put(m, "a\x15" "b\x12" "c\n");
    CHECK_STR(take(s), "bc\n");
    CHECK_STR(take_all(m), "one two  \b \b\b \b\b \b\b \b\b \b2\r\nab^\b^Cc\r\na\b \bb^R\r\nbc\r\n");
}
TEST(echo_of_control_characters) {
    int m, s;
    open_pair(&m, &s);
    put(m, "\x01\t\x7f\x7f\n");
    CHECK_STR(take(s), "\n");
    CHECK_STR(take_all(m), "^A\t\b\b\b\b\b\b\b \b\b \b\r\n" + 0);
    struct termios t = settings(s);
    t.c_lflag &= ~(ECHOCTL | ECHOE);
    set(s, t);
    put(m, "a\x7f" "b\n");
    CHECK_STR(take(s), "b\n");
    CHECK_STR(take_all(m), "a\x7f" "b\r\n");
    t.c_lflag &= ~ECHO;
    t.c_lflag |= ECHONL;
    set(s, t);
    put(m, "abc\n");
    CHECK_STR(take(s), "abc\n");
    CHECK_STR(take_all(m), "\r\n");
}
TEST(other_line_ends) {
    int m, s, n;
    open_pair(&m, &s);
    struct termios t = settings(s);
    t.c_cc[VEOL] = ';';
    t.c_iflag &= ~ICRNL;
    t.c_iflag |= INLCR;
    set(s, t);
    put(m, "a;b\nc;");
    sleep_ms(20);
    OK(ioctl(s, FIONREAD, &n));
    CHECK_EQ(n, 6);
    CHECK_STR(take(s), "a;");
    CHECK_STR(take(s), "b\rc;");
}
TEST(output_translation) {
    int m, s;
    open_pair(&m, &s);
    struct termios t = settings(s);
    t.c_oflag |= XTABS | OLCUC;
    set(s, t);
    put(s, "ab\tc\n\td\n");
    CHECK_STR(take_all(m), "AB      C\r\n        D\r\n");
    t.c_oflag = OPOST | OCRNL;
    set(s, t);
    put(s, "a\rb\n");
    CHECK_STR(take_all(m), "a\nb\n");
    t.c_oflag = ONLCR;
    set(s, t);
    put(s, "a\n");
    CHECK_STR(take_all(m), "a\n");
}
TEST(a_partial_line_becomes_one_in_raw_mode_and_back) {
    int m, s;
    open_pair(&m, &s);
    put(m, "half");
    CHECK_EQ(ready(s), 0);
    struct termios before = settings(s);
    raw(s, 1, 0);
    CHECK_EQ(ready(s), POLLIN);
    set(s, before);
    CHECK_EQ(ready(s), POLLIN);
    CHECK_STR(take(s), "half");
}
TEST(short_reads_of_a_line) {
    int m, s;
    char b[8];
    open_pair(&m, &s);
    put(m, "abcdef\n");
    CHECK_EQ(read(s, b, 4), 4);
    CHECK_EQ(read(s, b, 8), 3);
    // The end of file does not come a second time when the text filled the buffer.
    put(m, "wxyz\x04n\n");
    CHECK_EQ(read(s, b, 4), 4);
    CHECK_EQ(read(s, b, 8), 2);
    CHECK_EQ(b[0], 'n');
}
TEST(a_line_that_is_too_long_still_ends) {
    int m, s;
    char big[5000], b[8192];
    open_pair(&m, &s);
    struct termios t = settings(s);
    t.c_lflag &= ~ECHO;
    set(s, t);
    memset(big, 'x', sizeof big);
    CHECK_EQ(write(m, big, sizeof big), sizeof big);
    put(m, "\nnext\n");
    CHECK_EQ(ready(s), POLLIN);
    CHECK_EQ(read(s, b, sizeof b), 4096);
    CHECK_EQ(b[4095], '\n');
    CHECK_STR(take(s), "next\n");
}
TEST(flow_control) {
    int m, s;
    char b[8];
    open_pair(&m, &s);
    put(m, "\x13");
    sleep_ms(20);
    OK(fcntl(s, F_SETFL, O_NONBLOCK));
    CHECK_ERR(write(s, "x", 1), EAGAIN);
    put(m, "\x11");
    sleep_ms(20);
    CHECK_EQ(write(s, "x", 1), 1);
    CHECK_STR(take(m), "x");
    OK(tcflow(s, TCOOFF));
    CHECK_ERR(write(s, "y", 1), EAGAIN);
    OK(tcflow(s, TCOON));
    CHECK_EQ(write(s, "y", 1), 1);
    CHECK_STR(take(m), "y");
    OK(tcflow(s, TCIOFF));
    CHECK_EQ(read(m, b, 8), 1);
    CHECK_EQ(b[0], 0x13);
}
TEST(packet_mode) {
    int m, s, on = 1, is_on = 0;
    char b[16];
    open_pair(&m, &s);
    OK(ioctl(m, TIOCPKT, &on));
    OK(ioctl(m, TIOCGPKT, &is_on));
    CHECK_EQ(is_on, 1);
    put(s, "data");
    CHECK_EQ(ready(m), POLLIN);
    CHECK_EQ(read(m, b, 16), 5);
    CHECK_EQ(b[0], TIOCPKT_DATA);
    CHECK_EQ(b[1], 'd');
    OK(tcflush(s, TCIFLUSH));
    struct pollfd f = {m, POLLIN | POLLPRI, 0};
    CHECK_EQ(poll(&f, 1, 1000), 1);
    CHECK(f.revents & POLLPRI);
    CHECK_EQ(read(m, b, 16), 1);
    CHECK_EQ(b[0], TIOCPKT_FLUSHREAD);
    struct termios t = settings(s);
    t.c_iflag &= ~IXON;
    set(s, t);
    CHECK_EQ(read(m, b, 16), 1);
    CHECK_EQ(b[0], TIOCPKT_NOSTOP);
    t.c_iflag |= IXON;
    set(s, t);
    CHECK_EQ(read(m, b, 16), 1);
    CHECK_EQ(b[0], TIOCPKT_DOSTOP);
    put(m, "\x13");
    CHECK_EQ(poll(&f, 1, 1000), 1);
    CHECK_EQ(read(m, b, 16), 1);
    CHECK_EQ(b[0], TIOCPKT_STOP);
}
TEST(requests_of_the_master) {
    char name[32];
    int m = open_master(name), n;
    int s = OK(ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    CHECK_EQ(fcntl(s, F_GETFD), FD_CLOEXEC);
    CHECK_STR(ttyname(s), name);
    OK(ioctl(s, TIOCEXCL));
    OK(ioctl(s, TIOCGEXCL, &n));
    CHECK_EQ(n, 1);
    OK(ioctl(s, TIOCNXCL));
    OK(ioctl(s, TIOCOUTQ, &n));
    CHECK_EQ(n, 0);
    CHECK_ERR(ioctl(m, TIOCSIG, SIGKILL), EINVAL);
    CHECK_ERR(ioctl(s, TIOCGPTN, &n), ENOTTY);
    CHECK_ERR(ioctl(s, TIOCGPGRP, &n), ENOTTY);
    OK(ioctl(m, TIOCGPGRP, &n));
    CHECK_EQ(n, 0);
    CHECK_ERR(ioctl(m, TIOCGSID, &n), ENOTTY);
    CHECK_ERR(ioctl(s, 0x54ff, &n), ENOTTY);
    CHECK_ERR(ioctl(s, TCFLSH, 7), EINVAL);
    OK(tcdrain(s));
    OK(tcsendbreak(s, 0));
    OK(ioctl(s, TIOCGETD, &n));
    CHECK_EQ(n, 0);
}
TEST(foreground_group_rules) {
    char name[32];
    int m = open_master(name);
    CHECK_EXIT(CHILD(
        signal(SIGTTOU, SIG_DFL);
        OK(setsid());
        int s = OK(open(name, O_RDWR | O_NOCTTY));
        CHECK_ERR(tcsetpgrp(s, getpgrp()), ENOTTY);
        OK(ioctl(s, TIOCSCTTY, 0));
        CHECK_ERR(tcsetpgrp(s, 1 << 21), ESRCH);
        CHECK_ERR(tcsetpgrp(s, -1), EINVAL);
        CHECK_ERR(tcsetpgrp(s, getppid()), EPERM);
        pid_t job = CHILD(setpgid(0, 0); for (;;) pause());
        setpgid(job, job);
        OK(tcsetpgrp(s, job));
        CHECK_EQ(tcgetpgrp(s), job);
        // In the background: ignoring SIGTTOU lets it through.
        signal(SIGTTOU, SIG_IGN);
        OK(tcsetpgrp(s, getpgrp()));
        kill(job, SIGKILL);
        CHECK_KILLED(job, SIGKILL)), 0);
    close(m);
}
TEST(orphans_in_the_background_get_errors) {
    char name[32];
    int m = open_master(name), p[2];
    char x;
    OK(pipe(p));
    CHECK_EXIT(CHILD(
        OK(setsid());
        int s = OK(open(name, O_RDWR));
        pid_t middle = CHILD(
            if (fork() == 0) {
                setpgid(0, 0);
                while (getppid() != 1 && kill(getppid(), 0) == 0) sleep_ms(5);
                sleep_ms(30);
                int r = read(s, &x, 1);
                x = r < 0 && errno == EIO ? 'y' : 'n';
                write(p[1], &x, 1);
                _exit(0);
            }
            setpgid(0, 0); _exit(0));
        CHECK_EXIT(middle, 0);
        signal(SIGTTIN, SIG_IGN);
        pid_t job = CHILD(setpgid(0, 0); char c; CHECK_ERR(read(s, &c, 1), EIO));
        CHECK_EXIT(job, 0);
        CHECK_EQ(read(p[0], &x, 1), 1)), 0);
    close(m);
}
TEST(more_than_fits) {
    int m, s;
    open_pair(&m, &s);
    raw(s, 1, 0);
    enum { TOTAL = 1 << 20 };
    static char out[TOTAL], in[8192];
    for (int i = 0; i < TOTAL; i++) out[i] = i * 7 + (i >> 9);
    for (int way = 0; way < 2; way++) {
        int from = way ? m : s, to = way ? s : m;
        pid_t pid = CHILD(for (int done = 0; done < TOTAL;) done += OK(write(from, out + done, TOTAL - done)));
        for (int done = 0; done < TOTAL;) {
            int n = OK(read(to, in, sizeof in));
            CHECK(memcmp(in, out + done, n) == 0);
            done += n;
        }
        CHECK_EXIT(pid, 0);
    }
}
TEST(old_and_new_settings) {
    int m, s;
    open_pair(&m, &s);
    unsigned char old[18];
    OK(ioctl(s, TCGETA, old));
    CHECK_EQ(old[6] & ICANON, ICANON);
    unsigned int two[11];
    OK(ioctl(s, 0x802c542a, two));
    CHECK_EQ(two[10], 38400);
    struct termios t = settings(s);
    cfsetspeed(&t, B115200);
    t.c_cflag = (t.c_cflag & ~CSIZE) | CS7 | PARENB;
    set(s, t);
    t = settings(s);
    CHECK_EQ(cfgetospeed(&t), B115200);
    CHECK_EQ(t.c_cflag & (CSIZE | PARENB), CS8);
    OK(ioctl(s, 0x802c542a, two));
    CHECK_EQ(two[10], 115200);
}
TEST(hung_up) {
    int m, s, n;
    struct termios t;
    open_pair(&m, &s);
    close(m);
    struct pollfd f = {s, POLLIN | POLLOUT, 0};
    CHECK_EQ(poll(&f, 1, 0), 1);
    CHECK(f.revents & POLLHUP);
    CHECK_ERR(ioctl(s, TCGETS, &t), EIO);
    CHECK_ERR(ioctl(s, TIOCSPGRP, &n), ENOTTY);
    // The other way round: the master goes on once the slave is opened again.
    char name[32];
    m = open_master(name);
    s = OK(open(name, O_RDWR | O_NOCTTY));
    close(s);
    CHECK_ERR(read(m, name + 16, 1), EIO);
    s = OK(open(name, O_RDWR | O_NOCTTY));
    put(s, "again");
    CHECK_STR(take(m), "again");
}
TEST(a_waiting_reader_sees_the_hang_up) {
    int m, s;
    open_pair(&m, &s);
    pid_t pid = CHILD(char b; close(m); CHECK_ERR(read(s, &b, 1), EIO));
    sleep_ms(50);
    close(m);
    CHECK_EXIT(pid, 0);
}
TEST(who_owns_a_slave) {
    char name[32];
    int m = open_master(name);
    struct stat st;
    OK(stat(name, &st));
    CHECK_EQ(st.st_uid, getuid());
    CHECK_EQ(st.st_mode & 0600, 0600);
    OK(chmod(name, 0600));
    OK(stat(name, &st));
    CHECK_EQ(st.st_mode & 07777, 0600);
    CHECK_ERR(mkdir("/dev/pts/x", 0700), EPERM);
    close(m);
    CHECK_ERR(stat(name, &st), ENOENT);
}
