// SPDX-License-Identifier: Apache-2.0
// syscalls: mq_open mq_unlink mq_timedsend mq_timedreceive mq_notify mq_getsetattr
// POSIX message queues.
#include "../guest.h"
#include <mqueue.h>

static mqd_t fresh(const char *name, int flags) {
    struct mq_attr a = {.mq_maxmsg = 4, .mq_msgsize = 32};
    mqd_t q = mq_open(name, O_CREAT | O_EXCL | O_RDWR | flags, 0600, &a);
    if (q < 0 && errno == ENOSYS) SKIP("no message queues here");
    if (q < 0) FAIL("mq_open: %s", strerror(errno));
    return q;
}

TEST(by_priority) {
    mqd_t q = fresh("/order", 0);
    char b[32] = "";
    unsigned p;
    OK(mq_send(q, "low", 4, 1));
    OK(mq_send(q, "high", 5, 9));
    OK(mq_send(q, "low2", 5, 1));
    CHECK_EQ(mq_receive(q, b, 32, &p), 5);
    CHECK_STR(b, "high");
    CHECK_EQ(p, 9);
    CHECK_EQ(mq_receive(q, b, 32, &p), 4);
    CHECK_STR(b, "low");
    CHECK_EQ(mq_receive(q, b, 32, &p), 5);
    CHECK_STR(b, "low2");
    OK(mq_unlink("/order"));
    CHECK_ERR(mq_unlink("/order"), ENOENT);
}
TEST(attributes) {
    mqd_t q = fresh("/attr", O_NONBLOCK);
    struct mq_attr a, n = {.mq_flags = 0};
    OK(mq_getattr(q, &a));
    CHECK_EQ(a.mq_maxmsg, 4);
    CHECK_EQ(a.mq_msgsize, 32);
    CHECK_EQ(a.mq_curmsgs, 0);
    CHECK_EQ(a.mq_flags, O_NONBLOCK);
    OK(mq_setattr(q, &n, &a));
    OK(mq_getattr(q, &a));
    CHECK_EQ(a.mq_flags, 0);
    OK(mq_unlink("/attr"));
}
TEST(full_and_empty) {
    mqd_t q = fresh("/full", O_NONBLOCK);
    char b[32];
    CHECK_ERR(mq_receive(q, b, 32, NULL), EAGAIN);
    for (int i = 0; i < 4; i++) OK(mq_send(q, "x", 1, 0));
    CHECK_ERR(mq_send(q, "x", 1, 0), EAGAIN);
    CHECK_ERR(mq_send(q, b, 33, 0), EMSGSIZE);
    CHECK_ERR(mq_receive(q, b, 31, NULL), EMSGSIZE);
    CHECK_ERR(mq_send(q, "x", 1, 99999), EINVAL);
    OK(mq_unlink("/full"));
}
TEST(waiting) {
    mqd_t q = fresh("/wait", 0);
    char b[32];
    pid_t pid = CHILD(sleep_ms(20); OK(mq_send(q, "hi", 3, 0)));
    CHECK_EQ(mq_receive(q, b, 32, NULL), 3);
    CHECK_EXIT(pid, 0);
    struct timespec t;
    OK(clock_gettime(CLOCK_REALTIME, &t));
    t.tv_nsec += 20000000;
    if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
    CHECK_ERR(mq_timedreceive(q, b, 32, NULL, &t), ETIMEDOUT);
    for (int i = 0; i < 4; i++) OK(mq_send(q, "x", 1, 0));
    CHECK_ERR(mq_timedsend(q, "x", 1, 0, &t), ETIMEDOUT);
    OK(mq_unlink("/wait"));
}
TEST(notification) {
    mqd_t q = fresh("/note", 0);
    sigset_t m;
    sigemptyset(&m);
    sigaddset(&m, SIGUSR1);
    OK(sigprocmask(SIG_BLOCK, &m, NULL));
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 31};
    OK(mq_notify(q, &e));
    CHECK_ERR(mq_notify(q, &e), EBUSY);
    OK(mq_send(q, "x", 1, 0));
    siginfo_t i;
    CHECK_EQ(sigwaitinfo(&m, &i), SIGUSR1);
    CHECK_EQ(i.si_code, SI_MESGQ);
    CHECK_EQ(i.si_value.sival_int, 31);
    OK(mq_notify(q, NULL));
    OK(mq_unlink("/note"));
}
TEST(names) {
    mqd_t q = fresh("/name", 0);
    close(q);
    struct mq_attr a = {.mq_maxmsg = 4, .mq_msgsize = 32};
    CHECK_ERR(mq_open("/name", O_CREAT | O_EXCL | O_RDWR, 0600, &a), EEXIST);
    CHECK_ERR(mq_open("/none", O_RDWR), ENOENT);
    q = OK(mq_open("/name", O_RDONLY));
    CHECK_ERR(mq_send(q, "x", 1, 0), EBADF);
    OK(mq_unlink("/name"));
    a.mq_maxmsg = 0;
    CHECK_ERR(mq_open("/bad", O_CREAT | O_RDWR, 0600, &a), EINVAL);
    CHECK_ERR(SYS(mq_open, "a/b", O_CREAT | O_RDWR, 0600, NULL), EACCES);
    CHECK_ERR(SYS(mq_open, BAD_POINTER, O_RDWR, 0, NULL), EFAULT);
}
