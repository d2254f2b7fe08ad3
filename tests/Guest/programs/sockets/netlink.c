// SPDX-License-Identifier: Apache-2.0
// syscalls: socket bind sendto recvfrom getsockname
// Asking the kernel about its interfaces by netlink.
#include "../guest.h"
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

static char buffer[32768];
static int route_socket(void) {
    int s = OK(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    struct sockaddr_nl a = {.nl_family = AF_NETLINK};
    OK(bind(s, (void *)&a, sizeof a));
    return s;
}
static void ask(int s, int type, int family) {
    struct { struct nlmsghdr h; struct rtgenmsg g; } q = {{sizeof q, type, NLM_F_REQUEST | NLM_F_DUMP, 77, 0}, {family}};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    CHECK_EQ(sendto(s, &q, sizeof q, 0, (void *)&kernel, sizeof kernel), sizeof q);
}

TEST(an_address_of_its_own) {
    int s = route_socket();
    struct sockaddr_nl a;
    socklen_t n = sizeof a;
    OK(getsockname(s, (void *)&a, &n));
    CHECK_EQ(n, sizeof a);
    CHECK_EQ(a.nl_family, AF_NETLINK);
    CHECK(a.nl_pid != 0);
    CHECK_ERR(socket(AF_NETLINK, SOCK_STREAM, NETLINK_ROUTE), ESOCKTNOSUPPORT);
}
TEST(links) {
    int s = route_socket(), lo = 0, done = 0;
    ask(s, RTM_GETLINK, AF_UNSPEC);
    while (!done) {
        ssize_t n = OK(recv(s, buffer, sizeof buffer, 0));
        for (struct nlmsghdr *h = (void *)buffer; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
            CHECK_EQ(h->nlmsg_seq, 77);
            if (h->nlmsg_type == NLMSG_DONE) {
                done = 1;
                break;
            }
            CHECK_EQ(h->nlmsg_type, RTM_NEWLINK);
            struct ifinfomsg *i = NLMSG_DATA(h);
            int rest = h->nlmsg_len - NLMSG_LENGTH(sizeof *i);
            for (struct rtattr *a = IFLA_RTA(i); RTA_OK(a, rest); a = RTA_NEXT(a, rest))
                if (a->rta_type == IFLA_IFNAME && strcmp(RTA_DATA(a), "lo") == 0) {
                    lo = 1;
                    CHECK(i->ifi_flags & IFF_LOOPBACK);
                    CHECK_EQ(i->ifi_index, 1);
                }
        }
    }
    CHECK_EQ(lo, 1);
}
TEST(addresses_through_the_library) {
    struct ifaddrs *all;
    int v4 = 0, v6 = 0;
    OK(getifaddrs(&all));
    for (struct ifaddrs *a = all; a; a = a->ifa_next) {
        if (!a->ifa_addr || strcmp(a->ifa_name, "lo")) continue;
        if (a->ifa_addr->sa_family == AF_INET) v4 |= ntohl(((struct sockaddr_in *)a->ifa_addr)->sin_addr.s_addr) == INADDR_LOOPBACK;
        if (a->ifa_addr->sa_family == AF_INET6) v6 |= memcmp(&((struct sockaddr_in6 *)a->ifa_addr)->sin6_addr, &in6addr_loopback, 16) == 0;
    }
    CHECK(v4 && v6);
    CHECK_EQ(if_nametoindex("lo"), 1);
    char name[IF_NAMESIZE];
    CHECK(if_indextoname(1, name) != NULL);
    CHECK_STR(name, "lo");
}
TEST(an_unknown_question) {
    int s = route_socket();
    struct { struct nlmsghdr h; char more[16]; } q = {{sizeof q, 9999, NLM_F_REQUEST | NLM_F_ACK, 5, 0}, ""};
    CHECK_EQ(send(s, &q, sizeof q, 0), sizeof q);
    ssize_t n = OK(recv(s, buffer, sizeof buffer, 0));
    struct nlmsghdr *h = (void *)buffer;
    CHECK(NLMSG_OK(h, n));
    CHECK_EQ(h->nlmsg_type, NLMSG_ERROR);
    CHECK_EQ(((struct nlmsgerr *)NLMSG_DATA(h))->error, -EOPNOTSUPP);
}
