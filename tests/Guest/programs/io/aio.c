// SPDX-License-Identifier: Apache-2.0
// syscalls: io_setup io_submit io_getevents io_pgetevents io_cancel io_destroy
// The kernel's asynchronous I/O.
#include "../guest.h"
#include <linux/aio_abi.h>
#include <sys/eventfd.h>

static aio_context_t context(void) {
    aio_context_t c = 0;
    if (SYS(io_setup, 8, &c) < 0) {
        if (errno == ENOSYS) SKIP("no asynchronous I/O here");
        FAIL("io_setup: %s", strerror(errno));
    }
    return c;
}

TEST(write_then_read) {
    aio_context_t c = context();
    int fd = OK(open("f", O_CREAT | O_RDWR, 0600));
    char b[8] = "";
    struct iocb w = {.aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = fd, .aio_buf = (uintptr_t) "hello", .aio_nbytes = 5, .aio_data = 1};
    struct iocb r = {.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = fd, .aio_buf = (uintptr_t)b, .aio_nbytes = 8, .aio_data = 2};
    struct iocb *one[] = {&w}, *two[] = {&r};
    struct io_event e;
    CHECK_EQ(SYS(io_submit, c, 1, one), 1);
    CHECK_EQ(SYS(io_getevents, c, 1, 1, &e, NULL), 1);
    CHECK_EQ(e.data, 1);
    CHECK_EQ(e.res, 5);
    CHECK_EQ(SYS(io_submit, c, 1, two), 1);
    CHECK_EQ(SYS(io_getevents, c, 1, 1, &e, NULL), 1);
    CHECK_EQ(e.data, 2);
    CHECK_EQ(e.res, 5);
    CHECK_STR(b, "hello");
    OK(SYS(io_destroy, c));
    CHECK_ERR(SYS(io_destroy, c), EINVAL);
}
TEST(many_with_an_eventfd) {
    aio_context_t c = context();
    int fd = OK(open("f", O_CREAT | O_RDWR, 0600)), ev = OK(eventfd(0, 0));
    struct iocb w[4], *all[4];
    struct io_event e[4];
    for (int i = 0; i < 4; i++) {
        w[i] = (struct iocb){.aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = fd, .aio_buf = (uintptr_t) "abcd", .aio_nbytes = 4, .aio_offset = i * 4, .aio_data = i, .aio_flags = IOCB_FLAG_RESFD, .aio_resfd = ev};
        all[i] = &w[i];
    }
    CHECK_EQ(SYS(io_submit, c, 4, all), 4);
    CHECK_EQ(SYS(io_getevents, c, 4, 4, e, NULL), 4);
    eventfd_t n;
    OK(eventfd_read(ev, &n));
    CHECK_EQ(n, 4);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 16);
    OK(SYS(io_destroy, c));
}
TEST(waiting_ends) {
    aio_context_t c = context();
    struct io_event e;
    struct timespec t = {0, 20000000};
    double begin = seconds();
    CHECK_EQ(SYS(io_getevents, c, 1, 1, &e, &t), 0);
    CHECK(seconds() - begin >= 0.019);
    CHECK_EQ(SYS(io_pgetevents, c, 0, 1, &e, &t, NULL), 0);
    OK(SYS(io_destroy, c));
}
TEST(refusals) {
    aio_context_t c = context(), bad = 0;
    struct iocb w = {.aio_lio_opcode = 99, .aio_fildes = 0}, *one[] = {&w};
    struct io_event e;
    CHECK_ERR(SYS(io_submit, c, 1, one), EINVAL);
    w.aio_lio_opcode = IOCB_CMD_PREAD;
    w.aio_fildes = 99;
    CHECK_ERR(SYS(io_submit, c, 1, one), EBADF);
    CHECK_ERR(SYS(io_submit, c, 1, BAD_POINTER), EFAULT);
    CHECK_ERR(SYS(io_submit, bad, 1, one), EINVAL);
    CHECK_ERR(SYS(io_getevents, bad, 1, 1, &e, NULL), EINVAL);
    CHECK_ERR(SYS(io_setup, 0, &bad), EINVAL);
    CHECK_ERR(SYS(io_setup, 8, BAD_POINTER), EFAULT);
    CHECK_ERR(SYS(io_cancel, c, &w, &e), EINVAL);
    OK(SYS(io_destroy, c));
}
