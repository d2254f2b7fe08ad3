// SPDX-License-Identifier: Apache-2.0
// syscalls: socket socketpair bind listen accept accept4 connect getsockname getpeername sendto recvfrom sendmsg recvmsg shutdown getsockopt setsockopt
// Unix sockets: streams, datagrams, packets, and what travels beside the bytes.
#include "../guest.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un address(const char *path) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    strcpy(a.sun_path, path);
    return a;
}
static int listener(const char *path, int type) {
    struct sockaddr_un a = address(path);
    int s = OK(socket(AF_UNIX, type, 0));
    OK(bind(s, (void *)&a, sizeof a));
    if (type != SOCK_DGRAM) OK(listen(s, 4));
    return s;
}
static int client(const char *path, int type) {
    struct sockaddr_un a = address(path);
    int s = OK(socket(AF_UNIX, type, 0));
    OK(connect(s, (void *)&a, sizeof a));
    return s;
}

TEST(a_pair) {
    int s[2];
    char b[8] = "";
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    CHECK_EQ(write(s[0], "abc", 3), 3);
    CHECK_EQ(write(s[0], "def", 3), 3);
    CHECK_EQ(read(s[1], b, 8), 6);
    CHECK_STR(b, "abcdef");
    CHECK_EQ(write(s[1], "back", 4), 4);
    CHECK_EQ(read(s[0], b, 2), 2);
    close(s[1]);
    CHECK_EQ(read(s[0], b, 8), 2);
    CHECK_EQ(read(s[0], b, 8), 0);
    signal(SIGPIPE, SIG_IGN);
    CHECK_ERR(write(s[0], "x", 1), EPIPE);
}
TEST(connect_and_accept) {
    int l = listener("sock", SOCK_STREAM), c = client("sock", SOCK_STREAM), s = OK(accept(l, NULL, NULL));
    char b[8] = "";
    struct stat st;
    OK(stat("sock", &st));
    CHECK(S_ISSOCK(st.st_mode));
    CHECK_EQ(send(c, "hi", 2, 0), 2);
    CHECK_EQ(recv(s, b, 8, 0), 2);
    CHECK_STR(b, "hi");
    struct sockaddr_un a;
    socklen_t n = sizeof a;
    OK(getpeername(c, (void *)&a, &n));
    CHECK_STR(a.sun_path, "sock");
    CHECK_EQ(n, offsetof(struct sockaddr_un, sun_path) + 5);
    n = sizeof a;
    OK(getsockname(c, (void *)&a, &n));
    CHECK_EQ(n, sizeof(sa_family_t));
    int s2;
    client("sock", SOCK_STREAM);
    n = sizeof a;
    s2 = OK(accept4(l, (void *)&a, &n, SOCK_CLOEXEC | SOCK_NONBLOCK));
    CHECK_EQ(n, sizeof(sa_family_t));
    CHECK_EQ(fcntl(s2, F_GETFD), FD_CLOEXEC);
    CHECK_ERR(read(s2, b, 1), EAGAIN);
    CHECK_ERR(accept4(l, NULL, NULL, 1), EINVAL);
}
TEST(connection_refusals) {
    int l = listener("sock", SOCK_STREAM), s = OK(socket(AF_UNIX, SOCK_STREAM, 0)), d = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    struct sockaddr_un a = address("none"), taken = address("sock");
    CHECK_ERR(connect(s, (void *)&a, sizeof a), ENOENT);
    CHECK_ERR(bind(s, (void *)&taken, sizeof taken), EADDRINUSE);
    put_file("file", "");
    a = address("file");
    CHECK_ERR(connect(s, (void *)&a, sizeof a), ECONNREFUSED);
    CHECK_ERR(connect(d, (void *)&taken, sizeof taken), EPROTOTYPE);
    CHECK_ERR(listen(d, 1), EOPNOTSUPP);
    CHECK_ERR(accept(s, NULL, NULL), EINVAL);
    CHECK_ERR(accept(d, NULL, NULL), EOPNOTSUPP);
    CHECK_ERR(accept(0, NULL, NULL), ENOTSOCK);
    CHECK_ERR(accept(99, NULL, NULL), EBADF);
    CHECK_ERR(getpeername(s, (void *)&a, &(socklen_t){sizeof a}), ENOTCONN);
    CHECK_ERR(send(s, "x", 1, MSG_NOSIGNAL), ENOTCONN);
    CHECK_ERR(connect(s, BAD_POINTER, sizeof a), EFAULT);
    CHECK_ERR(connect(s, (void *)&taken, 1), EINVAL);
    CHECK_ERR(connect(s, (void *)&taken, 500), EINVAL);
    close(l);
    CHECK_ERR(connect(s, (void *)&taken, sizeof taken), ECONNREFUSED);
    CHECK_ERR(socket(AF_UNIX, 99, 0), EINVAL);
    CHECK_ERR(socket(99, SOCK_STREAM, 0), EAFNOSUPPORT);
    CHECK_ERR(socket(AF_UNIX, SOCK_STREAM, 77), EPROTONOSUPPORT);
}
TEST(a_full_backlog) {
    struct sockaddr_un a = address("sock");
    int l = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    OK(bind(l, (void *)&a, sizeof a));
    OK(listen(l, 0));
    int one = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)), two = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
    OK(connect(one, (void *)&a, sizeof a));
    CHECK_ERR(connect(two, (void *)&a, sizeof a), EAGAIN);
    OK(accept(l, NULL, NULL));
    OK(connect(two, (void *)&a, sizeof a));
    OK(accept(l, NULL, NULL));
    CHECK_ERR(connect(two, (void *)&a, sizeof a), EISCONN);
}
TEST(abstract_names) {
    struct sockaddr_un a = {.sun_family = AF_UNIX}, b;
    memcpy(a.sun_path, "\0name\0x", 7);
    socklen_t n = offsetof(struct sockaddr_un, sun_path) + 7, m = sizeof b;
    int l = OK(socket(AF_UNIX, SOCK_STREAM, 0)), c = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    OK(bind(l, (void *)&a, n));
    OK(listen(l, 1));
    OK(connect(c, (void *)&a, n));
    OK(getpeername(c, (void *)&b, &m));
    CHECK_EQ(m, n);
    CHECK_EQ(memcmp(&a, &b, n), 0);
    CHECK_ERR(connect(OK(socket(AF_UNIX, SOCK_STREAM, 0)), (void *)&a, n - 1), ECONNREFUSED);
    // A name of its own on an empty bind.
    int u = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    OK(bind(u, (void *)&a, sizeof(sa_family_t)));
    m = sizeof b;
    OK(getsockname(u, (void *)&b, &m));
    CHECK_EQ(m, sizeof(sa_family_t) + 6);
    CHECK_EQ(b.sun_path[0], 0);
}
TEST(datagrams) {
    int r = listener("r", SOCK_DGRAM), s = listener("s", SOCK_DGRAM);
    struct sockaddr_un to = address("r"), from;
    socklen_t n = sizeof from;
    char b[16] = "";
    CHECK_EQ(sendto(s, "one", 3, 0, (void *)&to, sizeof to), 3);
    CHECK_EQ(sendto(s, "second", 6, 0, (void *)&to, sizeof to), 6);
    CHECK_EQ(recvfrom(r, b, 16, 0, (void *)&from, &n), 3);
    CHECK_STR(from.sun_path, "s");
    // What does not fit is lost.
    CHECK_EQ(recv(r, b, 3, 0), 3);
    CHECK_ERR(recv(r, b, 3, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(sendto(s, "", 0, 0, (void *)&to, sizeof to), 0);
    CHECK_EQ(recv(r, b, 3, 0), 0);
    CHECK_EQ(sendto(s, "second", 6, 0, (void *)&to, sizeof to), 6);
    CHECK_EQ(recv(r, b, 3, MSG_TRUNC), 6);
    OK(connect(s, (void *)&to, sizeof to));
    CHECK_EQ(send(s, "x", 1, 0), 1);
    CHECK_EQ(recv(r, b, 3, 0), 1);
    close(r);
    CHECK_ERR(send(s, "x", 1, 0), ECONNREFUSED);
    CHECK_ERR(sendto(OK(socket(AF_UNIX, SOCK_DGRAM, 0)), "x", 1, 0, NULL, 0), ENOTCONN);
}
TEST(packets_keep_their_bounds) {
    int s[2];
    char b[16];
    OK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
    CHECK_EQ(send(s[0], "abc", 3, 0), 3);
    CHECK_EQ(send(s[0], "de", 2, 0), 2);
    CHECK_EQ(recv(s[1], b, 16, 0), 3);
    CHECK_EQ(recv(s[1], b, 1, 0), 1);
    close(s[0]);
    CHECK_EQ(recv(s[1], b, 16, 0), 0);
    int l = listener("q", SOCK_SEQPACKET), c = client("q", SOCK_SEQPACKET), a = OK(accept(l, NULL, NULL));
    CHECK_EQ(send(c, "hello", 5, MSG_EOR), 5);
    CHECK_EQ(recv(a, b, 16, 0), 5);
}
TEST(receive_flags) {
    int s[2];
    char b[16] = "";
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    CHECK_ERR(recv(s[0], b, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(send(s[1], "peek", 4, 0), 4);
    CHECK_EQ(recv(s[0], b, 16, MSG_PEEK), 4);
    CHECK_STR(b, "peek");
    CHECK_EQ(recv(s[0], b, 2, MSG_PEEK), 2);
    CHECK_EQ(recv(s[0], b, 16, 0), 4);
    pid_t child = CHILD(send(s[1], "12", 2, 0); sleep_ms(20); send(s[1], "34", 2, 0));
    CHECK_EQ(recv(s[0], b, 4, MSG_WAITALL), 4);
    CHECK_EQ(memcmp(b, "1234", 4), 0);
    CHECK_EXIT(child, 0);
    int ready;
    CHECK_EQ(send(s[1], "abcde", 5, 0), 5);
    OK(ioctl(s[0], FIONREAD, &ready));
    CHECK_EQ(ready, 5);
}
TEST(time_limits) {
    int s[2];
    char b;
    struct timeval t = {0, 20000}, now;
    socklen_t n = sizeof now;
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    OK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
    OK(getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &now, &n));
    CHECK(now.tv_usec >= 20000 && now.tv_usec <= 24000);
    double begin = seconds();
    CHECK_ERR(recv(s[0], &b, 1, 0), EAGAIN);
    CHECK(seconds() - begin >= 0.019);
    static char big[1 << 20];
    OK(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t));
    ssize_t sent = send(s[0], big, sizeof big, 0);
    CHECK(sent > 0 && sent < (ssize_t)sizeof big);
    CHECK_ERR(send(s[0], big, sizeof big, 0), EAGAIN);
}
static void send_fd(int s, int fd, const char *text) {
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec v = {(void *)text, strlen(text)};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    CHECK_EQ(sendmsg(s, &m, 0), v.iov_len);
}
static int receive_fd(int s, char *text, int flags, int *message_flags) {
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec v = {text, 16};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t n = OK(recvmsg(s, &m, flags));
    text[n] = 0;
    if (message_flags) *message_flags = m.msg_flags;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    if (!c) return -1;
    CHECK_EQ(c->cmsg_level, SOL_SOCKET);
    CHECK_EQ(c->cmsg_type, SCM_RIGHTS);
    int fd;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}
TEST(descriptors_travel) {
    int s[2], p[2];
    char text[32], b[8] = "";
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    OK(pipe(p));
    send_fd(s[0], p[0], "take");
    close(p[0]);
    int fd = receive_fd(s[1], text, MSG_CMSG_CLOEXEC, NULL);
    CHECK_STR(text, "take");
    CHECK(fd >= 0);
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(write(p[1], "through", 7), 7);
    CHECK_EQ(read(fd, b, 8), 7);
    CHECK_STR(b, "through");
}
TEST(descriptors_in_flight_are_closed_with_the_socket) {
    int s[2], p[2];
    char b;
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    OK(pipe(p));
    send_fd(s[0], p[1], "x");
    close(p[1]);
    close(s[0]);
    close(s[1]);
    CHECK_EQ(read(p[0], &b, 1), 0);
}
TEST(descriptors_split_the_stream) {
    int s[2], flags;
    char text[32];
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    CHECK_EQ(write(s[0], "aa", 2), 2);
    send_fd(s[0], 0, "bb");
    CHECK_EQ(write(s[0], "cc", 2), 2);
    // The bytes before come alone or with it, those after never do.
    int fd = receive_fd(s[1], text, 0, &flags);
    if (fd < 0) {
        CHECK_STR(text, "aa");
        fd = receive_fd(s[1], text, 0, &flags);
    }
    CHECK(fd >= 0);
    CHECK(strstr(text, "bb") && !strstr(text, "cc"));
    CHECK_EQ(read(s[1], text, 16), 2);
}
TEST(no_room_for_descriptors) {
    int s[2];
    char b[4];
    struct iovec v = {b, 4};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    send_fd(s[0], 0, "x");
    CHECK_EQ(recvmsg(s[1], &m, 0), 1);
    CHECK_EQ(m.msg_flags & MSG_CTRUNC, MSG_CTRUNC);
}
TEST(credentials_travel) {
    int s[2], on = 1;
    char b[4], control[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec v = {b, 4};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    OK(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    pid_t child = CHILD(CHECK_EQ(write(s[0], "x", 1), 1));
    CHECK_EQ(recvmsg(s[1], &m, 0), 1);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    CHECK(c != NULL);
    CHECK_EQ(c->cmsg_type, SCM_CREDENTIALS);
    struct ucred u;
    memcpy(&u, CMSG_DATA(c), sizeof u);
    CHECK_EQ(u.pid, child);
    CHECK_EQ(u.uid, getuid());
    CHECK_EXIT(child, 0);
}
TEST(peer_credentials) {
    int s[2];
    struct ucred u;
    socklen_t n = sizeof u;
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    OK(getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &u, &n));
    CHECK_EQ(u.pid, getpid());
    CHECK_EQ(u.uid, geteuid());
    CHECK_EQ(u.gid, getegid());
}
TEST(shut_down) {
    int s[2];
    char b[4];
    signal(SIGPIPE, SIG_IGN);
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    CHECK_EQ(write(s[0], "x", 1), 1);
    OK(shutdown(s[0], SHUT_WR));
    CHECK_EQ(read(s[1], b, 4), 1);
    CHECK_EQ(read(s[1], b, 4), 0);
    CHECK_ERR(write(s[0], "x", 1), EPIPE);
    CHECK_EQ(write(s[1], "y", 1), 1);
    CHECK_EQ(read(s[0], b, 4), 1);
    OK(shutdown(s[0], SHUT_RD));
    CHECK_EQ(read(s[0], b, 4), 0);
    CHECK_ERR(shutdown(s[0], 9), EINVAL);
    CHECK_ERR(shutdown(0, 0), ENOTSOCK);
}
TEST(options) {
    int s = OK(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)), v;
    socklen_t n = sizeof v;
    CHECK_EQ(fcntl(s, F_GETFD), FD_CLOEXEC);
    OK(getsockopt(s, SOL_SOCKET, SO_TYPE, &v, &n));
    CHECK_EQ(v, SOCK_STREAM);
    OK(getsockopt(s, SOL_SOCKET, SO_DOMAIN, &v, &n));
    CHECK_EQ(v, AF_UNIX);
    OK(getsockopt(s, SOL_SOCKET, SO_PROTOCOL, &v, &n));
    CHECK_EQ(v, 0);
    OK(getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, &v, &n));
    CHECK_EQ(v, 0);
    OK(getsockopt(s, SOL_SOCKET, SO_ERROR, &v, &n));
    CHECK_EQ(v, 0);
    v = 32768;
    OK(setsockopt(s, SOL_SOCKET, SO_SNDBUF, &v, sizeof v));
    OK(getsockopt(s, SOL_SOCKET, SO_SNDBUF, &v, &n));
    CHECK_EQ(v, 65536);
    CHECK_ERR(getsockopt(s, SOL_SOCKET, 9999, &v, &n), ENOPROTOOPT);
    CHECK_ERR(setsockopt(s, SOL_SOCKET, 9999, &v, n), ENOPROTOOPT);
    CHECK_ERR(setsockopt(s, SOL_SOCKET, SO_SNDBUF, &v, 1), EINVAL);
    CHECK_ERR(getsockopt(s, SOL_SOCKET, SO_TYPE, BAD_POINTER, &n), EFAULT);
    CHECK_ERR(getsockopt(0, SOL_SOCKET, SO_TYPE, &v, &n), ENOTSOCK);
}
TEST(bytes_keep_their_order_under_load) {
    int s[2];
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    pid_t child = CHILD(
        unsigned char b[777];
        unsigned next = 0;
        for (int i = 0; i < 1000; i++) {
            for (unsigned j = 0; j < sizeof b; j++) b[j] = next++ % 251;
            CHECK_EQ(write(s[0], b, sizeof b), sizeof b);
        });
    close(s[0]);
    unsigned char b[1000];
    unsigned next = 0;
    for (ssize_t n; (n = OK(read(s[1], b, sizeof b))) > 0;)
        for (int i = 0; i < n; i++)
            if (b[i] != next++ % 251) FAIL("byte %u differs", next - 1);
    CHECK_EQ(next, 777000);
    CHECK_EXIT(child, 0);
}
