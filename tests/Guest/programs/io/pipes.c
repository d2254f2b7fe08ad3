// SPDX-License-Identifier: Apache-2.0
// syscalls: pipe pipe2 read write fcntl ioctl mknod
// Pipes and FIFOs.
#include "../guest.h"
#include <poll.h>
#include <sys/ioctl.h>

TEST(bytes_go_through) {
    int p[2];
    char b[8] = "";
    OK(pipe(p));
    CHECK_EQ(write(p[1], "abc", 3), 3);
    CHECK_EQ(write(p[1], "def", 3), 3);
    CHECK_EQ(read(p[0], b, 4), 4);
    CHECK_STR(b, "abcd");
    CHECK_EQ(read(p[0], b, 8), 2);
    CHECK_ERR(write(p[0], "x", 1), EBADF);
    CHECK_ERR(read(p[1], b, 1), EBADF);
}
TEST(end_of_file) {
    int p[2];
    char b;
    OK(pipe(p));
    CHECK_EQ(write(p[1], "x", 1), 1);
    OK(close(p[1]));
    CHECK_EQ(read(p[0], &b, 1), 1);
    CHECK_EQ(read(p[0], &b, 1), 0);
}
TEST(opened_again_when_the_other_end_is_gone) {
    int p[2];
    char path[64], c;
    OK(pipe(p));
    CHECK_EQ(write(p[1], "x", 1), 1);
    close(p[1]);
    snprintf(path, sizeof path, "/proc/self/fd/%d", p[0]);
    int again = open(path, O_RDONLY);
    CHECK(again >= 0);
    CHECK_EQ(read(again, &c, 1), 1);
    CHECK_EQ(read(again, &c, 1), 0);
    close(again);
    OK(pipe(p));
    close(p[0]);
    snprintf(path, sizeof path, "/proc/self/fd/%d", p[1]);
    again = open(path, O_WRONLY | O_NONBLOCK);
    CHECK(again >= 0);
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERR(write(again, "x", 1), EPIPE);
    close(again);
}
TEST(broken_pipe) {
    int p[2];
    OK(pipe(p));
    OK(close(p[0]));
    CHECK_KILLED(CHILD(write(p[1], "x", 1)), SIGPIPE);
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERR(write(p[1], "x", 1), EPIPE);
}
TEST(flags) {
    int p[2];
    char b;
    OK(pipe2(p, O_NONBLOCK | O_CLOEXEC));
    CHECK_EQ(OK(fcntl(p[0], F_GETFD)), FD_CLOEXEC);
    CHECK_EQ(OK(fcntl(p[1], F_GETFL)) & O_NONBLOCK, O_NONBLOCK);
    CHECK_ERR(read(p[0], &b, 1), EAGAIN);
    CHECK_ERR(pipe2(p, O_CREAT), EINVAL);
    CHECK_ERR(SYS(pipe2, BAD_POINTER, 0), EFAULT);
    CHECK_ERR(SYS(pipe, BAD_POINTER), EFAULT);
}
TEST(capacity) {
    int p[2];
    static char page[4096];
    OK(pipe2(p, O_NONBLOCK));
    int size = OK(fcntl(p[1], F_GETPIPE_SZ)), n = 0;
    CHECK_EQ(size, 65536);
    while (write(p[1], page, sizeof page) == sizeof page) n += sizeof page;
    CHECK_EQ(errno, EAGAIN);
    CHECK_EQ(n, size);
    int ready;
    OK(ioctl(p[0], FIONREAD, &ready));
    CHECK_EQ(ready, size);
    CHECK_EQ(read(p[0], page, sizeof page), sizeof page);
    CHECK_EQ(write(p[1], page, sizeof page), sizeof page);
}
TEST(resize) {
    int p[2];
    OK(pipe(p));
    CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 4096), 4096);
    CHECK_EQ(fcntl(p[0], F_GETPIPE_SZ), 4096);
    CHECK_EQ(fcntl(p[1], F_SETPIPE_SZ, 100000), 131072);
    CHECK_ERR(fcntl(0, F_GETPIPE_SZ), EBADF);
}
TEST(small_writes_are_whole) {
    int p[2];
    static char b[4096];
    OK(pipe2(p, O_NONBLOCK));
    while (write(p[1], b, 4096) == 4096) {
    }
    // Less than PIPE_BUF room left: nothing is written.
    CHECK_EQ(read(p[0], b, 100), 100);
    CHECK_ERR(write(p[1], b, 4096), EAGAIN);
}
TEST(writer_waits_for_room) {
    int p[2];
    static char b[1 << 18];
    OK(pipe(p));
    pid_t child = CHILD(close(p[0]); CHECK_EQ(write(p[1], b, sizeof b), sizeof b));
    OK(close(p[1]));
    size_t total = 0;
    for (ssize_t n; (n = read(p[0], b, 1000)) > 0;) total += n;
    CHECK_EQ(total, sizeof b);
    CHECK_EXIT(child, 0);
}
TEST(reader_waits_for_data) {
    int p[2];
    char b;
    OK(pipe(p));
    pid_t child = CHILD(sleep_ms(30); write(p[1], "y", 1));
    CHECK_EQ(read(p[0], &b, 1), 1);
    CHECK_EQ(b, 'y');
    CHECK_EXIT(child, 0);
}
static void nothing(int s) { (void)s; }
TEST(a_signal_interrupts_a_read) {
    int p[2];
    char b;
    OK(pipe(p));
    struct sigaction a = {.sa_handler = nothing};
    sigaction(SIGALRM, &a, NULL);
    ualarm(20000, 0);
    CHECK_ERR(read(p[0], &b, 1), EINTR);
}
TEST(a_partial_write_is_reported_on_interrupt) {
    int p[2];
    static char b[1 << 18];
    OK(pipe(p));
    struct sigaction a = {.sa_handler = nothing};
    sigaction(SIGALRM, &a, NULL);
    ualarm(20000, 0);
    CHECK_EQ(write(p[1], b, sizeof b), 65536);
}
TEST(packets) {
    int p[2];
    char b[16];
    OK(pipe2(p, O_DIRECT));
    CHECK_EQ(write(p[1], "abc", 3), 3);
    CHECK_EQ(write(p[1], "de", 2), 2);
    CHECK_EQ(read(p[0], b, 16), 3);
    CHECK_EQ(read(p[0], b, 1), 1);
    OK(fcntl(p[0], F_SETFL, O_NONBLOCK));
    CHECK_ERR(read(p[0], b, 1), EAGAIN);
}
TEST(fifo) {
    char b[8] = "";
    OK(mknod("fifo", S_IFIFO | 0600, 0));
    CHECK_ERR(open("fifo", O_WRONLY | O_NONBLOCK), ENXIO);
    pid_t child = CHILD(int w = OK(open("fifo", O_WRONLY)); CHECK_EQ(write(w, "named", 5), 5));
    int r = OK(open("fifo", O_RDONLY));
    CHECK_EQ(read(r, b, 8), 5);
    CHECK_STR(b, "named");
    CHECK_EQ(read(r, b, 8), 0);
    CHECK_EXIT(child, 0);
    int rn = OK(open("fifo", O_RDONLY | O_NONBLOCK)), both = OK(open("fifo", O_RDWR));
    CHECK_EQ(write(both, "z", 1), 1);
    CHECK_EQ(read(rn, b, 8), 1);
}
TEST(poll_events) {
    int p[2];
    char b;
    OK(pipe(p));
    struct pollfd f[2] = {{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}};
    CHECK_EQ(poll(f, 2, 0), 1);
    CHECK_EQ(f[0].revents, 0);
    CHECK_EQ(f[1].revents, POLLOUT);
    CHECK_EQ(write(p[1], "x", 1), 1);
    CHECK_EQ(poll(f, 2, 0), 2);
    CHECK_EQ(f[0].revents, POLLIN);
    close(p[1]);
    f[1].fd = -1;
    CHECK_EQ(poll(f, 2, 0), 1);
    CHECK_EQ(f[0].revents, POLLIN | POLLHUP);
    CHECK_EQ(read(p[0], &b, 1), 1);
    CHECK_EQ(poll(f, 2, 0), 1);
    CHECK_EQ(f[0].revents, POLLHUP);
}
TEST(open_again_through_proc) {
    int p[2];
    char path[64], b;
    OK(pipe(p));
    snprintf(path, sizeof path, "/proc/self/fd/%d", p[0]);
    int w = OK(open(path, O_WRONLY));
    CHECK_EQ(write(w, "q", 1), 1);
    CHECK_EQ(read(p[0], &b, 1), 1);
    CHECK_EQ(b, 'q');
    struct stat st;
    OK(fstat(p[0], &st));
    CHECK(S_ISFIFO(st.st_mode));
}
