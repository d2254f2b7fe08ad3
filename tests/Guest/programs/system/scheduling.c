// SPDX-License-Identifier: Apache-2.0
// syscalls: sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_getattr sched_setattr get_mempolicy set_mempolicy mbind move_pages migrate_pages
// The scheduler's settings and the memory's homes.
#include "../guest.h"

TEST(give_way) { OK(sched_yield()); }
TEST(affinity) {
    unsigned long m[16] = {0};
    int n = OK(SYS(sched_getaffinity, 0, sizeof m, m));
    CHECK(n >= 8 && n % 8 == 0);
    CHECK(m[0] != 0);
    unsigned long first = m[0] & -m[0], one[16] = {first}, now[16] = {0};
    OK(SYS(sched_setaffinity, 0, sizeof one, one));
    OK(SYS(sched_getaffinity, 0, sizeof now, now));
    CHECK_EQ(now[0], first);
    CHECK_EXIT(CHILD(OK(SYS(sched_getaffinity, 0, sizeof now, now)); CHECK_EQ(now[0], first)), 0);
    OK(SYS(sched_setaffinity, 0, sizeof m, m));
    CHECK_ERR(SYS(sched_getaffinity, 0, 1, m), EINVAL);
    CHECK_ERR(SYS(sched_getaffinity, 999999, sizeof m, m), ESRCH);
    CHECK_ERR(SYS(sched_getaffinity, 0, sizeof m, BAD_POINTER), EFAULT);
    memset(one, 0, sizeof one);
    CHECK_ERR(SYS(sched_setaffinity, 0, sizeof one, one), EINVAL);
    CHECK_ERR(SYS(sched_setaffinity, 0, sizeof one, BAD_POINTER), EFAULT);
}
TEST(policy) {
    struct sched_param p = {9};
    CHECK_EQ(sched_getscheduler(0), SCHED_OTHER);
    OK(sched_getparam(0, &p));
    CHECK_EQ(p.sched_priority, 0);
    OK(sched_setscheduler(0, SCHED_BATCH, &p));
    int now = sched_getscheduler(0);
    CHECK(now == SCHED_BATCH || (in_cvisor() && now == SCHED_OTHER));
    OK(sched_setscheduler(0, SCHED_OTHER, &p));
    OK(sched_setparam(0, &p));
    p.sched_priority = 5;
    CHECK_ERR(sched_setparam(0, &p), EINVAL);
    CHECK_ERR(sched_setscheduler(0, SCHED_OTHER, &p), EINVAL);
    CHECK_ERR(sched_setscheduler(0, 99, &p), EINVAL);
    CHECK_ERR(sched_getscheduler(999999), ESRCH);
    CHECK_ERR(sched_getscheduler(-1), EINVAL);
    CHECK_ERR(SYS(sched_getparam, 0, NULL), EINVAL);
}
TEST(priority_ranges) {
    CHECK_EQ(sched_get_priority_max(SCHED_FIFO), 99);
    CHECK_EQ(sched_get_priority_min(SCHED_FIFO), 1);
    CHECK_EQ(sched_get_priority_max(SCHED_OTHER), 0);
    CHECK_EQ(sched_get_priority_min(SCHED_OTHER), 0);
    CHECK_ERR(sched_get_priority_max(99), EINVAL);
    CHECK_ERR(sched_get_priority_min(99), EINVAL);
}
TEST(time_slice) {
    struct timespec t;
    OK(sched_rr_get_interval(0, &t));
    CHECK_EQ(t.tv_sec, 0);
    CHECK_ERR(sched_rr_get_interval(999999, &t), ESRCH);
    CHECK_ERR(sched_rr_get_interval(-1, &t), EINVAL);
}
TEST(attributes) {
    struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t runtime, deadline, period; } a = {0};
    long r = SYS(sched_getattr, 0, &a, 48, 0);
    if (r < 0 && errno == ENOSYS) SKIP("no sched_getattr here");
    CHECK_EQ(r, 0);
    CHECK_EQ(a.size, 48);
    CHECK_EQ(a.policy, SCHED_OTHER);
    OK(SYS(sched_setattr, 0, &a, 0));
    CHECK_ERR(SYS(sched_getattr, 0, &a, 8, 0), EINVAL);
    CHECK_ERR(SYS(sched_getattr, 0, &a, 48, 1), EINVAL);
    CHECK_ERR(SYS(sched_setattr, 0, &a, 1), EINVAL);
    CHECK_ERR(SYS(sched_getattr, 999999, &a, 48, 0), ESRCH);
}
static long set_deadline(uint64_t flags, uint32_t priority, uint64_t runtime, uint64_t deadline, uint64_t period) {
    struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t runtime, deadline, period; } a = {
        48, 6, flags, 0, priority, runtime, deadline, period};
    return SYS(sched_setattr, 0, &a, 0);
}
TEST(deadline_policy) {
    struct { uint32_t size, policy; uint64_t flags; int32_t nice; uint32_t priority; uint64_t runtime, deadline, period; } a;
    struct sched_param none = {0};
    struct timespec t;
    CHECK_ERR(set_deadline(0, 0, 1000, 100000, 0), EINVAL);      // a runtime too short to tell from none
    CHECK_ERR(set_deadline(0, 0, 90000, 99999, 0), EINVAL);      // a period too short
    CHECK_ERR(set_deadline(0, 0, 90000, 100000, 4194305000), EINVAL);
    CHECK_ERR(set_deadline(0, 0, 90000, 80000, 100000), EINVAL); // runtime <= deadline <= period
    CHECK_ERR(set_deadline(0, 0, 90000, 200000, 100000), EINVAL);
    CHECK_ERR(set_deadline(0, 0, 90000, 1ul << 63, 1ul << 63), EINVAL);
    CHECK_ERR(set_deadline(0, 0, 90000, 0, 0), EINVAL);
    CHECK_ERR(set_deadline(0, 1, 90000, 100000, 0), EINVAL);
    CHECK_ERR(sched_setscheduler(0, 6, &none), EINVAL);
    if (set_deadline(0, 0, 90000, 100000, 0) < 0 && errno == EPERM) SKIP("no right to SCHED_DEADLINE");
    CHECK_EQ(sched_getscheduler(0), 6);
    OK(SYS(sched_getattr, 0, &a, 48, 0));
    CHECK_EQ(a.policy, 6);
    CHECK_EQ(a.runtime, 90000);
    CHECK_EQ(a.deadline, 100000);
    CHECK_EQ(a.period, 100000); // that of the deadline, where none is given
    OK(sched_rr_get_interval(0, &t));
    CHECK_EQ(t.tv_nsec, 0);
    CHECK_ERR(sched_setparam(0, &none), EINVAL);
    // Its time is not to be had twice.
    CHECK_ERR(fork(), EAGAIN);
    OK(set_deadline(1, 0, 90000, 200000, 300000));
    OK(SYS(sched_getattr, 0, &a, 48, 0));
    CHECK_EQ(a.period, 300000);
    CHECK_EXIT(CHILD(CHECK_EQ(sched_getscheduler(0), SCHED_OTHER)), 0);
    OK(sched_setscheduler(0, SCHED_OTHER, &none));
}
enum { Default, Preferred, Bind, Interleave, Local, StaticNodes = 1 << 15, RelativeNodes = 1 << 14, Balancing = 1 << 13 };
static int mode;
static unsigned long nodes[16];
static void check_policy(int expected, unsigned long mask) {
    memset(nodes, 0xff, sizeof nodes);
    OK(SYS(get_mempolicy, &mode, nodes, sizeof nodes * 8, NULL, 0));
    CHECK_EQ(mode, expected);
    CHECK_EQ(nodes[0], mask);
    CHECK_EQ(nodes[1], 0);
}
TEST(memory_policy) {
    unsigned long one = 1, zero = 0, high = 1ul << 62, both = 1 | high;
    if (SYS(get_mempolicy, NULL, NULL, 0, NULL, 0) < 0 && errno == ENOSYS) SKIP("no NUMA here");
    check_policy(Default, 0);
    OK(SYS(set_mempolicy, Default, NULL, 0));
    OK(SYS(set_mempolicy, Default, &one, 1)); // no bit of it counts
    CHECK_ERR(SYS(set_mempolicy, Default, &one, 8), EINVAL);
    CHECK_ERR(SYS(set_mempolicy, Default, &one, 0), EINVAL);
    OK(SYS(set_mempolicy, Preferred, NULL, 0));
    check_policy(Local, 0);
    CHECK_ERR(SYS(set_mempolicy, Preferred | StaticNodes, &zero, 8), EINVAL);
    OK(SYS(set_mempolicy, Preferred | StaticNodes, &one, 8));
    check_policy(Preferred | StaticNodes, 1);
    OK(SYS(set_mempolicy, Bind, &both, 64));
    check_policy(Bind, 1);
    CHECK_ERR(SYS(get_mempolicy, &mode, NULL, 0, NULL, 1), EINVAL); // its next node is not known in advance
    CHECK_ERR(SYS(set_mempolicy, Bind, &high, 64), EINVAL);
    CHECK_ERR(SYS(set_mempolicy, Bind, &zero, 8), EINVAL);
    CHECK_ERR(SYS(set_mempolicy, Bind, NULL, 0), EINVAL);
    CHECK_ERR(SYS(set_mempolicy, Bind, BAD_POINTER, 8), EFAULT);
    CHECK_ERR(SYS(set_mempolicy, Bind | StaticNodes | RelativeNodes, &one, 8), EINVAL);
    CHECK_ERR(SYS(set_mempolicy, Interleave | Balancing, &one, 8), EINVAL);
    CHECK_ERR(SYS(set_mempolicy, Local, &one, 8), EINVAL);
    CHECK_ERR(SYS(set_mempolicy, Local | StaticNodes, NULL, 0), EINVAL);
    CHECK_ERR(SYS(set_mempolicy, 99, NULL, 0), EINVAL);
    CHECK_ERR(SYS(set_mempolicy, -1, NULL, 0), EINVAL);
    OK(SYS(set_mempolicy, Interleave, &one, 8));
    OK(SYS(get_mempolicy, &mode, NULL, 0, NULL, 1));
    CHECK_EQ(mode, 0);
    CHECK_EXIT(CHILD(check_policy(Interleave, 1)), 0);
    OK(SYS(set_mempolicy, Default, NULL, 0));
}
TEST(memory_policy_of_an_address) {
    unsigned long one = 1, high = 1ul << 62;
    if (SYS(get_mempolicy, NULL, NULL, 0, NULL, 0) < 0 && errno == ENOSYS) SKIP("no NUMA here");
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    OK(SYS(get_mempolicy, &mode, nodes, 1024, p, 3));
    CHECK_EQ(mode, 0);
    OK(SYS(get_mempolicy, &mode, nodes, 1024, p, 2));
    CHECK_ERR(SYS(get_mempolicy, &mode, nodes, 1024, NULL, 2), EFAULT);
    CHECK_ERR(SYS(get_mempolicy, &mode, nodes, 1024, -1L, 2), EFAULT);
    CHECK_ERR(SYS(get_mempolicy, &mode, nodes, 1024, p, 0), EINVAL);
    CHECK_ERR(SYS(get_mempolicy, &mode, nodes, 0, NULL, 0), EINVAL);
    CHECK_ERR(SYS(get_mempolicy, &mode, nodes, 1ul << 40, NULL, 0), EINVAL);
    CHECK_ERR(SYS(get_mempolicy, &mode, nodes, 1024, NULL, 99), EINVAL);
    OK(SYS(get_mempolicy, &mode, nodes, 1024, NULL, 4));
    CHECK_EQ(nodes[0] & 1, 1);
    CHECK_ERR(SYS(get_mempolicy, &mode, nodes, 1024, NULL, 5), EINVAL);
    OK(SYS(mbind, p, 8192, Default, NULL, 0, 0));
    OK(SYS(mbind, p, 8192, Bind, &one, 8, 3));
    OK(SYS(mbind, p, 0, Bind, &high, 64, 0));
    CHECK_ERR(SYS(mbind, p, 8192, Bind, &high, 64, 0), EINVAL);
    CHECK_ERR(SYS(mbind, p + 1, 8192, Default, NULL, 0, 0), EINVAL);
    CHECK_ERR(SYS(mbind, p, 8192, 99, NULL, 0, 0), EINVAL);
    CHECK_ERR(SYS(mbind, p, 8192, Default, NULL, 0, 8), EINVAL);
    OK(SYS(mbind, p, -1L, Default, NULL, 0, 0));
    OK(munmap(p, 8192));
    CHECK_ERR(SYS(mbind, p, 8192, Bind, &one, 8, 0), EFAULT);
}
TEST(pages_and_their_nodes) {
    if (SYS(get_mempolicy, NULL, NULL, 0, NULL, 0) < 0 && errno == ENOSYS) SKIP("no NUMA here");
    char *p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *pages[3] = {p, p + 8192, (void *)4096};
    int to[3] = {0}, status[3] = {7, 7, 7};
    OK(madvise(p, 4 * 4096, MADV_NOHUGEPAGE));
    p[0] = 1;
    OK(SYS(move_pages, 0, 3, pages, NULL, status, 0));
    CHECK_EQ(status[0], 0);
    CHECK(status[1] == -ENOENT || in_cvisor()); // we make more than one page at a touch
    CHECK_EQ(status[2], -EFAULT);
    OK(SYS(move_pages, getpid(), 3, pages, to, status, 2));
    CHECK_EQ(status[0], 0);
    OK(SYS(move_pages, 0, 0, NULL, NULL, NULL, 0));
    to[1] = 1023;
    CHECK_ERR(SYS(move_pages, 0, 3, pages, to, status, 2), ENODEV);
    CHECK_ERR(SYS(move_pages, 0, 3, pages, NULL, status, 1), EINVAL);
    CHECK_ERR(SYS(move_pages, 0, 3, BAD_POINTER, NULL, status, 2), EFAULT);
    CHECK_ERR(SYS(move_pages, 0, 3, pages, BAD_POINTER, status, 2), EFAULT);
    CHECK_ERR(SYS(move_pages, 0, 3, pages, NULL, NULL, 2), EFAULT);
    CHECK_ERR(SYS(move_pages, 999999, 3, pages, NULL, status, 2), ESRCH);
    unsigned long one = 1, none = 0;
    OK(SYS(migrate_pages, 0, 8, &one, &one));
    CHECK_ERR(SYS(migrate_pages, 0, 8, &one, &none), EINVAL);
    CHECK_ERR(SYS(migrate_pages, 0, 8, &one, BAD_POINTER), EFAULT);
    CHECK_ERR(SYS(migrate_pages, 999999, 8, &one, &one), ESRCH);
}
