// SPDX-License-Identifier: Apache-2.0
// syscalls: socket bind listen accept accept4 connect getsockname getpeername sendto recvfrom sendmsg recvmsg sendmmsg recvmmsg shutdown getsockopt setsockopt ioctl poll
// TCP and UDP over the loopback, IPv4 and IPv6.
#include "../guest.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static struct sockaddr_in v4(int port) {
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}
static struct sockaddr_in6 v6(int port) {
    return (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
}
static int port_of(int s) {
    struct sockaddr_in6 a;
    socklen_t n = sizeof a;
    OK(getsockname(s, (void *)&a, &n));
    return ntohs(a.sin6_port);
}
static int listener(void) {
    struct sockaddr_in a = v4(0);
    int l = OK(socket(AF_INET, SOCK_STREAM, 0));
    OK(bind(l, (void *)&a, sizeof a));
    OK(listen(l, 8));
    return l;
}
static void tcp_pair(int s[2]) {
    int l = listener();
    struct sockaddr_in a = v4(port_of(l));
    s[0] = OK(socket(AF_INET, SOCK_STREAM, 0));
    OK(connect(s[0], (void *)&a, sizeof a));
    s[1] = OK(accept(l, NULL, NULL));
    close(l);
}

TEST(tcp_talks) {
    int l = listener(), c = OK(socket(AF_INET, SOCK_STREAM, 0));
    struct sockaddr_in a = v4(port_of(l)), peer, mine;
    socklen_t n = sizeof peer;
    char b[16] = "";
    CHECK(ntohs(a.sin_port) >= 1024);
    OK(connect(c, (void *)&a, sizeof a));
    int s = OK(accept(l, (void *)&peer, &n));
    CHECK_EQ(n, sizeof peer);
    n = sizeof mine;
    OK(getsockname(c, (void *)&mine, &n));
    CHECK_EQ(mine.sin_port, peer.sin_port);
    CHECK_EQ(ntohl(peer.sin_addr.s_addr), INADDR_LOOPBACK);
    OK(getpeername(c, (void *)&mine, &n));
    CHECK_EQ(mine.sin_port, a.sin_port);
    CHECK_EQ(send(c, "hello", 5, 0), 5);
    CHECK_EQ(recv(s, b, 16, 0), 5);
    CHECK_STR(b, "hello");
    CHECK_EQ(send(s, "bye", 3, 0), 3);
    close(s);
    CHECK_EQ(recv(c, b, 16, 0), 3);
    CHECK_EQ(recv(c, b, 16, 0), 0);
}
TEST(tcp_v6) {
    struct sockaddr_in6 a = v6(0), peer;
    socklen_t n = sizeof peer;
    int l = OK(socket(AF_INET6, SOCK_STREAM, 0)), c = OK(socket(AF_INET6, SOCK_STREAM, 0));
    OK(bind(l, (void *)&a, sizeof a));
    OK(listen(l, 1));
    a = v6(port_of(l));
    OK(connect(c, (void *)&a, sizeof a));
    int s = OK(accept4(l, (void *)&peer, &n, SOCK_CLOEXEC));
    CHECK_EQ(peer.sin6_family, AF_INET6);
    CHECK_EQ(memcmp(&peer.sin6_addr, &in6addr_loopback, 16), 0);
    char b[8] = "";
    CHECK_EQ(write(c, "six", 3), 3);
    CHECK_EQ(read(s, b, 8), 3);
    CHECK_STR(b, "six");
}
TEST(v4_into_a_v6_socket) {
    struct sockaddr_in6 a = {.sin6_family = AF_INET6}, peer;
    socklen_t n = sizeof peer;
    int l = OK(socket(AF_INET6, SOCK_STREAM, 0)), c = OK(socket(AF_INET, SOCK_STREAM, 0)), off = 0, on = 1;
    OK(setsockopt(l, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off));
    OK(bind(l, (void *)&a, sizeof a));
    OK(listen(l, 1));
    struct sockaddr_in to = v4(port_of(l));
    OK(connect(c, (void *)&to, sizeof to));
    OK(accept(l, (void *)&peer, &n));
    CHECK(IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
    int only = OK(socket(AF_INET6, SOCK_STREAM, 0));
    OK(setsockopt(only, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
    OK(bind(only, (void *)&a, sizeof a));
    OK(listen(only, 1));
    to = v4(port_of(only));
    CHECK_ERR(connect(OK(socket(AF_INET, SOCK_STREAM, 0)), (void *)&to, sizeof to), ECONNREFUSED);
}
TEST(both_families_on_one_port) {
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    int l = OK(socket(AF_INET, SOCK_STREAM, 0)), dual = OK(socket(AF_INET6, SOCK_STREAM, 0)), only = OK(socket(AF_INET6, SOCK_STREAM, 0)), off = 0, on = 1;
    OK(bind(l, (void *)&four, sizeof four));
    OK(listen(l, 1));
    six.sin6_port = htons(port_of(l));
    OK(setsockopt(dual, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off));
    CHECK_ERR(bind(dual, (void *)&six, sizeof six), EADDRINUSE);
    OK(setsockopt(only, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on));
    OK(bind(only, (void *)&six, sizeof six));
    OK(listen(only, 1));
    int u = OK(socket(AF_INET6, SOCK_DGRAM, 0)), v = OK(socket(AF_INET, SOCK_DGRAM, 0));
    six.sin6_port = 0;
    OK(bind(u, (void *)&six, sizeof six));
    four.sin_port = htons(port_of(u));
    CHECK_ERR(bind(v, (void *)&four, sizeof four), EADDRINUSE);
}
TEST(refused) {
    int l = listener(), c = OK(socket(AF_INET, SOCK_STREAM, 0));
    struct sockaddr_in a = v4(port_of(l)), wrong = a;
    close(l);
    CHECK_ERR(connect(c, (void *)&a, sizeof a), ECONNREFUSED);
    wrong.sin_family = AF_UNIX;
    CHECK_ERR(connect(c, (void *)&wrong, sizeof wrong), EAFNOSUPPORT);
    CHECK_ERR(connect(c, (void *)&a, 4), EINVAL);
    CHECK_ERR(connect(c, BAD_POINTER, sizeof a), EFAULT);
    CHECK_ERR(send(c, "x", 1, MSG_NOSIGNAL), EPIPE);
    CHECK_ERR(recv(c, &a, 1, 0), ENOTCONN);
    wrong = v4(0);
    wrong.sin_addr.s_addr = inet_addr("1.2.3.4");
    CHECK_ERR(bind(c, (void *)&wrong, sizeof wrong), EADDRNOTAVAIL);
    CHECK_ERR(bind(c, (void *)&a, 4), EINVAL);
}
TEST(an_address_in_use) {
    int l = listener(), s = OK(socket(AF_INET, SOCK_STREAM, 0)), on = 1;
    struct sockaddr_in a = v4(port_of(l));
    CHECK_ERR(bind(s, (void *)&a, sizeof a), EADDRINUSE);
    OK(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
    CHECK_ERR(bind(s, (void *)&a, sizeof a), EADDRINUSE);
    int x = OK(socket(AF_INET, SOCK_STREAM, 0)), y = OK(socket(AF_INET, SOCK_STREAM, 0));
    OK(setsockopt(x, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
    OK(setsockopt(y, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
    a = v4(0);
    OK(bind(x, (void *)&a, sizeof a));
    a = v4(port_of(x));
    OK(bind(y, (void *)&a, sizeof a));
    CHECK_ERR(bind(y, (void *)&a, sizeof a), EINVAL);
}
TEST(low_ports_need_a_right) {
    if (geteuid() != 0) SKIP("needs root");
    struct sockaddr_in a = v4(80);
    int s = OK(socket(AF_INET, SOCK_STREAM, 0));
    CHECK_EXIT(CHILD(OK(setuid(1000)); CHECK_ERR(bind(s, (void *)&a, sizeof a), EACCES)), 0);
    OK(bind(s, (void *)&a, sizeof a));
}
TEST(connect_without_waiting) {
    int l = listener(), c = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)), error = 99;
    struct sockaddr_in a = v4(port_of(l));
    socklen_t n = sizeof error;
    int r = connect(c, (void *)&a, sizeof a);
    CHECK(r == 0 || errno == EINPROGRESS);
    struct pollfd f = {c, POLLOUT, 0};
    CHECK_EQ(poll(&f, 1, 2000), 1);
    CHECK_EQ(f.revents, POLLOUT);
    OK(getsockopt(c, SOL_SOCKET, SO_ERROR, &error, &n));
    CHECK_EQ(error, 0);
    CHECK_ERR(accept(OK(fcntl(c, F_DUPFD, 0)), NULL, NULL), EINVAL);
    OK(fcntl(l, F_SETFL, O_NONBLOCK));
    OK(accept(l, NULL, NULL));
    CHECK_ERR(accept(l, NULL, NULL), EAGAIN);
}
TEST(shut_down_and_reset) {
    int s[2];
    char b[8];
    signal(SIGPIPE, SIG_IGN);
    tcp_pair(s);
    CHECK_EQ(send(s[0], "last", 4, 0), 4);
    OK(shutdown(s[0], SHUT_WR));
    CHECK_EQ(recv(s[1], b, 8, 0), 4);
    CHECK_EQ(recv(s[1], b, 8, 0), 0);
    CHECK_ERR(send(s[0], "x", 1, 0), EPIPE);
    CHECK_EQ(send(s[1], "still", 5, 0), 5);
    CHECK_EQ(recv(s[0], b, 8, 0), 5);
    tcp_pair(s);
    struct linger no = {1, 0};
    OK(setsockopt(s[0], SOL_SOCKET, SO_LINGER, &no, sizeof no));
    close(s[0]);
    CHECK_ERR(recv(s[1], b, 8, 0), ECONNRESET);
    CHECK_EQ(recv(s[1], b, 8, 0), 0);
}
TEST(peek_wait_and_count) {
    int s[2], n;
    char b[8] = "";
    tcp_pair(s);
    CHECK_ERR(recv(s[0], b, 1, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(send(s[1], "abcd", 4, 0), 4);
    CHECK_EQ(recv(s[0], b, 8, MSG_PEEK), 4);
    OK(ioctl(s[0], FIONREAD, &n));
    CHECK_EQ(n, 4);
    CHECK_EQ(recv(s[0], b, 8, 0), 4);
    pid_t child = CHILD(send(s[1], "12", 2, 0); sleep_ms(20); send(s[1], "34", 2, 0));
    CHECK_EQ(recv(s[0], b, 4, MSG_WAITALL), 4);
    CHECK_EXIT(child, 0);
    struct timeval t = {0, 20000};
    OK(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
    double begin = seconds();
    CHECK_ERR(recv(s[0], b, 1, 0), EAGAIN);
    CHECK(seconds() - begin >= 0.019);
}
TEST(a_long_stream) {
    int s[2];
    enum { total = 8 << 20 };
    tcp_pair(s);
    pid_t child = CHILD(
        close(s[1]);
        unsigned char *b = malloc(total);
        for (unsigned i = 0; i < total; i++) b[i] = i % 251;
        for (unsigned at = 0; at < total;) at += OK(send(s[0], b + at, total - at, 0)));
    close(s[0]);
    static unsigned char b[100000];
    unsigned at = 0;
    for (ssize_t n; (n = OK(recv(s[1], b, sizeof b, 0))) > 0;)
        for (ssize_t i = 0; i < n; i++)
            if (b[i] != at++ % 251) FAIL("byte %u differs", at - 1);
    CHECK_EQ(at, total);
    CHECK_EXIT(child, 0);
}
TEST(room_again_after_sends_that_all_fitted) {
    int l = listener(), c = OK(socket(AF_INET, SOCK_STREAM, 0));
    struct sockaddr_in a = v4(port_of(l));
    OK(connect(c, (void *)&a, sizeof a));
    int s = OK(accept(l, 0, 0));
    static char b[65536];
    struct pollfd p = {.fd = c, .events = POLLOUT};
    long sent = 0;
    while (poll(&p, 1, 0) == 1) {
        CHECK_EQ(send(c, b, 1024, MSG_DONTWAIT), 1024);
        sent += 1024;
    }
    pid_t child = fork();
    if (child == 0) {
        usleep(50000);
        while (sent > 0) {
            ssize_t n = recv(s, b, sizeof b, 0);
            CHECK(n > 0);
            sent -= n;
        }
        _exit(0);
    }
    CHECK_EQ(poll(&p, 1, 5000), 1);
    CHECK_EQ(send(c, b, 1024, MSG_DONTWAIT), 1024);
    CHECK_EXIT(child, 0);
}
TEST(a_full_window) {
    int s[2];
    static char b[1 << 20];
    tcp_pair(s);
    OK(fcntl(s[0], F_SETFL, O_NONBLOCK));
    size_t sent = 0;
    for (ssize_t n; (n = send(s[0], b, sizeof b, 0)) > 0;) sent += n;
    CHECK_EQ(errno, EAGAIN);
    struct pollfd f = {s[0], POLLOUT, 0};
    CHECK_EQ(poll(&f, 1, 0), 0);
    size_t got = 0;
    while (got < sent) got += OK(recv(s[1], b, sizeof b, 0));
    CHECK_EQ(poll(&f, 1, 2000), 1);
}
TEST(many_connections) {
    int l = listener();
    struct sockaddr_in a = v4(port_of(l));
    pid_t child = CHILD(
        for (int i = 0; i < 50; i++) {
            int c = OK(accept(l, NULL, NULL));
            char b[8];
            ssize_t n = OK(recv(c, b, 8, 0));
            CHECK_EQ(send(c, b, n, 0), n);
            close(c);
        });
    for (int i = 0; i < 50; i++) {
        int c = OK(socket(AF_INET, SOCK_STREAM, 0));
        char b[8];
        OK(connect(c, (void *)&a, sizeof a));
        CHECK_EQ(send(c, "ping", 4, 0), 4);
        CHECK_EQ(recv(c, b, 8, MSG_WAITALL), 4);
        close(c);
    }
    CHECK_EXIT(child, 0);
}
TEST(tcp_options) {
    int s[2], v = 1, got = 0;
    socklen_t n = sizeof got;
    tcp_pair(s);
    OK(setsockopt(s[0], IPPROTO_TCP, TCP_NODELAY, &v, sizeof v));
    OK(getsockopt(s[0], IPPROTO_TCP, TCP_NODELAY, &got, &n));
    CHECK_EQ(got, 1);
    OK(setsockopt(s[0], SOL_SOCKET, SO_KEEPALIVE, &v, sizeof v));
    OK(getsockopt(s[0], SOL_SOCKET, SO_KEEPALIVE, &got, &n));
    CHECK_EQ(got, 1);
    v = 42;
    OK(setsockopt(s[0], IPPROTO_TCP, TCP_KEEPIDLE, &v, sizeof v));
    OK(getsockopt(s[0], IPPROTO_TCP, TCP_KEEPIDLE, &got, &n));
    CHECK_EQ(got, 42);
    struct tcp_info info;
    n = sizeof info;
    OK(getsockopt(s[0], IPPROTO_TCP, TCP_INFO, &info, &n));
    CHECK_EQ(info.tcpi_state, TCP_ESTABLISHED);
    n = sizeof got;
    OK(getsockopt(s[0], SOL_SOCKET, SO_PROTOCOL, &got, &n));
    CHECK_EQ(got, IPPROTO_TCP);
    CHECK_ERR(getsockopt(s[0], IPPROTO_TCP, 9999, &got, &n), ENOPROTOOPT);
}
TEST(udp_talks) {
    struct sockaddr_in a = v4(0), from;
    socklen_t n = sizeof from;
    int r = OK(socket(AF_INET, SOCK_DGRAM, 0)), s = OK(socket(AF_INET, SOCK_DGRAM, 0));
    char b[16] = "";
    OK(bind(r, (void *)&a, sizeof a));
    a = v4(port_of(r));
    CHECK_EQ(sendto(s, "dgram", 5, 0, (void *)&a, sizeof a), 5);
    CHECK_EQ(sendto(s, "", 0, 0, (void *)&a, sizeof a), 0);
    CHECK_EQ(recvfrom(r, b, 16, 0, (void *)&from, &n), 5);
    CHECK_STR(b, "dgram");
    CHECK_EQ(ntohs(from.sin_port), port_of(s));
    CHECK_EQ(recv(r, b, 16, 0), 0);
    CHECK_ERR(recv(r, b, 16, MSG_DONTWAIT), EAGAIN);
    CHECK_EQ(sendto(s, "too long", 8, 0, (void *)&a, sizeof a), 8);
    CHECK_EQ(recv(r, b, 3, MSG_TRUNC), 8);
    static char huge[70000];
    CHECK_ERR(sendto(s, huge, sizeof huge, 0, (void *)&a, sizeof a), EMSGSIZE);
    CHECK_ERR(send(s, "x", 1, 0), EDESTADDRREQ);
    OK(connect(s, (void *)&a, sizeof a));
    CHECK_EQ(send(s, "x", 1, 0), 1);
    CHECK_EQ(recv(r, b, 16, 0), 1);
    close(r);
    CHECK_EQ(send(s, "x", 1, 0), 1);
    CHECK_ERR(recv(s, b, 1, 0), ECONNREFUSED);
}
TEST(udp_v6) {
    struct sockaddr_in6 a = v6(0);
    int r = OK(socket(AF_INET6, SOCK_DGRAM, 0)), s = OK(socket(AF_INET6, SOCK_DGRAM, 0));
    char b[16] = "";
    OK(bind(r, (void *)&a, sizeof a));
    a = v6(port_of(r));
    CHECK_EQ(sendto(s, "six", 3, 0, (void *)&a, sizeof a), 3);
    CHECK_EQ(recv(r, b, 16, 0), 3);
}
TEST(many_messages_a_call) {
    struct sockaddr_in a = v4(0);
    int r = OK(socket(AF_INET, SOCK_DGRAM, 0)), s = OK(socket(AF_INET, SOCK_DGRAM, 0));
    OK(bind(r, (void *)&a, sizeof a));
    a = v4(port_of(r));
    OK(connect(s, (void *)&a, sizeof a));
    char *text[] = {"one", "three", "fourteen"}, in[4][16] = {"", "", "", ""};
    struct iovec out_v[3], in_v[4];
    struct mmsghdr out[3] = {0}, got[4] = {0};
    for (int i = 0; i < 3; i++) {
        out_v[i] = (struct iovec){text[i], strlen(text[i])};
        out[i].msg_hdr.msg_iov = &out_v[i];
        out[i].msg_hdr.msg_iovlen = 1;
    }
    for (int i = 0; i < 4; i++) {
        in_v[i] = (struct iovec){in[i], 16};
        got[i].msg_hdr.msg_iov = &in_v[i];
        got[i].msg_hdr.msg_iovlen = 1;
    }
    CHECK_EQ(sendmmsg(s, out, 3, 0), 3);
    CHECK_EQ(out[2].msg_len, 8);
    CHECK_EQ(recvmmsg(r, got, 4, MSG_WAITFORONE, NULL), 3);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(got[i].msg_len, strlen(text[i]));
        CHECK_STR(in[i], text[i]);
    }
    CHECK_ERR(recvmmsg(r, got, 4, MSG_DONTWAIT, NULL), EAGAIN);
    CHECK_ERR(sendmmsg(99, out, 3, 0), EBADF);
}
TEST(gather_and_scatter) {
    int s[2];
    char a[3] = "", b[4] = "";
    tcp_pair(s);
    struct iovec out[2] = {{"ab", 2}, {"cde", 3}}, in[2] = {{a, 2}, {b, 3}};
    struct msghdr m = {.msg_iov = out, .msg_iovlen = 2};
    CHECK_EQ(sendmsg(s[0], &m, 0), 5);
    m.msg_iov = in;
    CHECK_EQ(recvmsg(s[1], &m, MSG_WAITALL), 5);
    CHECK_STR(a, "ab");
    CHECK_STR(b, "cde");
    m.msg_iovlen = 2000;
    CHECK_ERR(sendmsg(s[0], &m, 0), EMSGSIZE);
    CHECK_ERR(sendmsg(s[0], BAD_POINTER, 0), EFAULT);
    CHECK_ERR(recvmsg(s[0], BAD_POINTER, 0), EFAULT);
}
TEST(what_the_header_said) {
    struct sockaddr_in a = v4(0);
    int r = OK(socket(AF_INET, SOCK_DGRAM, 0)), s = OK(socket(AF_INET, SOCK_DGRAM, 0)), on = 1, ttl = 9, got = -1;
    OK(bind(r, (void *)&a, sizeof a));
    a.sin_port = htons(port_of(r));
    OK(setsockopt(r, IPPROTO_IP, IP_RECVTTL, &on, sizeof on));
    OK(setsockopt(r, IPPROTO_IP, IP_RECVTOS, &on, sizeof on));
    OK(setsockopt(r, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on));
    OK(setsockopt(s, IPPROTO_IP, IP_TTL, &ttl, sizeof ttl));
    char control[256], b[4];
    struct iovec v = {b, sizeof b};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    time_t before = time(0);
    OK(sendto(s, "x", 1, 0, (void *)&a, sizeof a));
    CHECK_EQ(recvmsg(r, &m, 0), 1);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    CHECK(c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMP);
    struct timeval when;
    memcpy(&when, CMSG_DATA(c), sizeof when);
    // time(2) reads the coarse clock, the time stamp the precise one.
    CHECK(when.tv_sec >= before && when.tv_sec <= time(0) + 1);
    c = CMSG_NXTHDR(&m, c);
    CHECK(c && c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL && c->cmsg_len == CMSG_LEN(4));
    memcpy(&got, CMSG_DATA(c), 4);
    CHECK_EQ(got, 9);
    c = CMSG_NXTHDR(&m, c);
    CHECK(c && c->cmsg_type == IP_TOS && c->cmsg_len == CMSG_LEN(1) && *CMSG_DATA(c) == 0);
    // One datagram's own, and values that there are not.
    struct msghdr out = {.msg_name = &a, .msg_namelen = sizeof a, .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(4)};
    c = CMSG_FIRSTHDR(&out);
    *c = (struct cmsghdr){.cmsg_len = CMSG_LEN(4), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_TTL};
    ttl = 33;
    memcpy(CMSG_DATA(c), &ttl, 4);
    v.iov_len = 1;
    CHECK_EQ(sendmsg(s, &out, 0), 1);
    ttl = 0;
    memcpy(CMSG_DATA(c), &ttl, 4);
    CHECK_ERR(sendmsg(s, &out, 0), EINVAL);
    c->cmsg_type = 99;
    CHECK_ERR(sendmsg(s, &out, 0), EINVAL);
    m.msg_controllen = CMSG_SPACE(sizeof when) + CMSG_LEN(0);
    CHECK_EQ(recvmsg(r, &m, 0), 1);
    CHECK(m.msg_flags & MSG_CTRUNC);
    int r6 = OK(socket(AF_INET6, SOCK_DGRAM, 0)), s6 = OK(socket(AF_INET6, SOCK_DGRAM, 0));
    struct sockaddr_in6 a6 = v6(0);
    OK(bind(r6, (void *)&a6, sizeof a6));
    a6.sin6_port = htons(port_of(r6));
    OK(setsockopt(r6, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on));
    OK(setsockopt(r6, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof on));
    int class = 12;
    OK(setsockopt(s6, IPPROTO_IPV6, IPV6_TCLASS, &class, sizeof class));
    OK(sendto(s6, "x", 1, 0, (void *)&a6, sizeof a6));
    m.msg_controllen = sizeof control;
    CHECK_EQ(recvmsg(r6, &m, 0), 1);
    c = CMSG_FIRSTHDR(&m);
    CHECK(c && c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT);
    memcpy(&got, CMSG_DATA(c), 4);
    CHECK_EQ(got, 64);
    c = CMSG_NXTHDR(&m, c);
    CHECK(c && c->cmsg_type == IPV6_TCLASS);
    memcpy(&got, CMSG_DATA(c), 4);
    CHECK_EQ(got, 12);
}
TEST(interfaces) {
    int s = OK(socket(AF_INET, SOCK_DGRAM, 0));
    struct ifreq r = {.ifr_name = "lo"};
    OK(ioctl(s, SIOCGIFINDEX, &r));
    CHECK_EQ(r.ifr_ifindex, 1);
    OK(ioctl(s, SIOCGIFFLAGS, &r));
    CHECK_EQ(r.ifr_flags & (IFF_UP | IFF_LOOPBACK), IFF_UP | IFF_LOOPBACK);
    OK(ioctl(s, SIOCGIFADDR, &r));
    CHECK_EQ(ntohl(((struct sockaddr_in *)&r.ifr_addr)->sin_addr.s_addr), INADDR_LOOPBACK);
    OK(ioctl(s, SIOCGIFMTU, &r));
    CHECK_EQ(r.ifr_mtu, 65536);
    strcpy(r.ifr_name, "none0");
    CHECK_ERR(ioctl(s, SIOCGIFINDEX, &r), ENODEV);
}
