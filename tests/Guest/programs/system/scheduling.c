// SPDX-License-Identifier: Apache-2.0
// syscalls: sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_getattr sched_setattr get_mempolicy set_mempolicy mbind
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
TEST(memory_policy) {
    int mode = -1;
    unsigned long nodes[16] = {0};
    long r = SYS(get_mempolicy, &mode, nodes, sizeof nodes * 8, NULL, 0);
    if (r < 0 && errno == ENOSYS) SKIP("no NUMA here");
    CHECK_EQ(r, 0);
    CHECK_EQ(mode, 0);
    OK(SYS(set_mempolicy, 0, NULL, 0));
    CHECK_ERR(SYS(set_mempolicy, 99, NULL, 0), EINVAL);
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    OK(SYS(mbind, p, 8192, 0, NULL, 0, 0));
    CHECK_ERR(SYS(mbind, p + 1, 8192, 0, NULL, 0, 0), EINVAL);
    CHECK_ERR(SYS(get_mempolicy, &mode, nodes, sizeof nodes * 8, NULL, 99), EINVAL);
}
