// SPDX-License-Identifier: Apache-2.0
// syscalls: read write pread64 pwrite64 readv writev preadv pwritev preadv2 pwritev2 lseek close open
// Reading and writing at the file's position and elsewhere.
#include "../guest.h"
#include <sys/uio.h>

static int fresh(void) { return OK(open("file", O_CREAT | O_RDWR | O_TRUNC, 0600)); }

TEST(write_then_read) {
    char b[16] = "";
    int fd = fresh();
    CHECK_EQ(write(fd, "hello", 5), 5);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(read(fd, b, sizeof b), 5);
    CHECK_STR(b, "hello");
    CHECK_EQ(read(fd, b, sizeof b), 0);
}
TEST(zero_length) {
    int fd = fresh();
    CHECK_EQ(write(fd, "x", 0), 0);
    CHECK_EQ(read(fd, BAD_POINTER, 0), 0);
    CHECK_ERR(read(-1, BAD_POINTER, 0), EBADF);
}
TEST(wrong_mode) {
    char b[4];
    close(fresh());
    int r = OK(open("file", O_RDONLY)), w = OK(open("file", O_WRONLY));
    CHECK_ERR(write(r, "x", 1), EBADF);
    CHECK_ERR(read(w, b, 1), EBADF);
    CHECK_ERR(read(99, b, 1), EBADF);
    CHECK_ERR(write(99, b, 1), EBADF);
}
TEST(bad_pointers) {
    int fd = fresh();
    CHECK_EQ(write(fd, "abcd", 4), 4);
    CHECK_ERR(write(fd, BAD_POINTER, 4), EFAULT);
    CHECK_ERR(pread(fd, BAD_POINTER, 4, 0), EFAULT);
    CHECK_ERR(pread(fd, KERNEL_POINTER, 4, 0), EFAULT);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 4);
}
TEST(read_stops_at_an_unmapped_page) {
    char *p = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED);
    OK(munmap(p + 4096, 4096));
    int fds[2];
    OK(pipe(fds));
    memset(p, 'x', 4096);
    ssize_t n = write(fds[1], p + 4090, 12);
    // Linux gives the bytes before the fault, or EFAULT when it copies whole.
    CHECK(n == 6 || (n == -1 && errno == EFAULT));
}
TEST(directory_is_not_readable) {
    char b[4];
    int fd = OK(open(".", O_RDONLY | O_DIRECTORY));
    CHECK_ERR(read(fd, b, 4), EISDIR);
    CHECK_ERR(pread(fd, b, 4, 0), EISDIR);
}
TEST(pread_and_pwrite_leave_the_position) {
    char b[8] = "";
    int fd = fresh();
    CHECK_EQ(pwrite(fd, "hello", 5, 3), 5);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    CHECK_EQ(pread(fd, b, 5, 3), 5);
    CHECK_STR(b, "hello");
    CHECK_EQ(pread(fd, b, 3, 0), 3);
    CHECK_EQ(b[0] | b[1] | b[2], 0);
    CHECK_EQ(pread(fd, b, 3, 100), 0);
    CHECK_ERR(pread(fd, b, 3, -1), EINVAL);
    CHECK_ERR(pwrite(fd, b, 3, -1), EINVAL);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
}
TEST(pread_on_a_pipe) {
    char b[4];
    int fds[2];
    OK(pipe(fds));
    CHECK_ERR(pread(fds[0], b, 4, 0), ESPIPE);
    CHECK_ERR(pwrite(fds[1], b, 4, 0), ESPIPE);
    CHECK_ERR(lseek(fds[0], 0, SEEK_CUR), ESPIPE);
}
TEST(vectors) {
    char a[3] = "", b[4] = "";
    int fd = fresh();
    struct iovec out[3] = {{"ab", 2}, {"", 0}, {"cde", 3}}, in[2] = {{a, 2}, {b, 3}};
    CHECK_EQ(writev(fd, out, 3), 5);
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(readv(fd, in, 2), 5);
    CHECK_STR(a, "ab");
    CHECK_STR(b, "cde");
    CHECK_EQ(readv(fd, in, 2), 0);
    CHECK_EQ(writev(fd, out, 0), 0);
}
TEST(vector_refusals) {
    int fd = fresh();
    struct iovec v[2] = {{"ab", 2}, {"cd", 2}};
    CHECK_ERR(writev(fd, v, -1), EINVAL);
    CHECK_ERR(writev(fd, v, IOV_MAX + 1), EINVAL);
    CHECK_ERR(writev(fd, BAD_POINTER, 2), EFAULT);
    v[1].iov_len = (size_t)-1;
    CHECK_ERR(writev(fd, v, 2), EINVAL);
    CHECK_ERR(readv(fd, v, 2), EINVAL);
    CHECK_ERR(writev(99, v, 1), EBADF);
}
TEST(positioned_vectors) {
    char a[3] = "", b[3] = "";
    int fd = fresh();
    struct iovec out[2] = {{"12", 2}, {"34", 2}}, in[2] = {{a, 2}, {b, 2}};
    CHECK_EQ(pwritev(fd, out, 2, 10), 4);
    CHECK_EQ(preadv(fd, in, 2, 10), 4);
    CHECK_STR(a, "12");
    CHECK_STR(b, "34");
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 14);
    CHECK_ERR(preadv(fd, in, 2, -1), EINVAL);
}
TEST(positioned_vectors_with_flags) {
    char a[3] = "";
    int fd = fresh();
    struct iovec out = {"xy", 2}, in = {a, 2};
    CHECK_EQ(pwritev2(fd, &out, 1, -1, 0), 2);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 2);
    CHECK_EQ(pwritev2(fd, &out, 1, 4, RWF_SYNC), 2);
    CHECK_EQ(preadv2(fd, &in, 1, 4, RWF_HIPRI), 2);
    CHECK_STR(a, "xy");
    CHECK_EQ(lseek(fd, 0, SEEK_SET), 0);
    CHECK_EQ(preadv2(fd, &in, 1, -1, 0), 2);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 2);
    CHECK_ERR(preadv2(fd, &in, 1, 0, 1 << 30), EOPNOTSUPP);
    CHECK_ERR(preadv2(fd, &in, 1, -2, 0), EINVAL);
}
TEST(append_ignores_the_position) {
    put_file("log", "one");
    int fd = OK(open("log", O_RDWR | O_APPEND));
    CHECK_EQ(write(fd, "two", 3), 3);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
    OK(lseek(fd, 0, SEEK_SET));
    CHECK_EQ(write(fd, "3", 1), 1);
    CHECK_EQ(pwrite(fd, "4", 1, 0), 1);
    CHECK_STR(get_file("log"), "onetwo34");
}
TEST(seek) {
    int fd = fresh();
    CHECK_EQ(write(fd, "0123456789", 10), 10);
    CHECK_EQ(lseek(fd, -3, SEEK_END), 7);
    CHECK_EQ(lseek(fd, -2, SEEK_CUR), 5);
    CHECK_EQ(lseek(fd, 100, SEEK_SET), 100);
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK_EQ(lseek(fd, 0, SEEK_END), 101);
    CHECK_ERR(lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK_ERR(lseek(fd, -102, SEEK_END), EINVAL);
    CHECK_ERR(lseek(fd, 0, 77), EINVAL);
    CHECK_ERR(lseek(99, 0, SEEK_SET), EBADF);
}
TEST(seek_data_and_hole) {
    int fd = fresh();
    CHECK_EQ(write(fd, "0123456789", 10), 10);
    CHECK_EQ(lseek(fd, 2, SEEK_DATA), 2);
    CHECK_EQ(lseek(fd, 2, SEEK_HOLE), 10);
    CHECK_ERR(lseek(fd, 10, SEEK_DATA), ENXIO);
    CHECK_ERR(lseek(fd, 11, SEEK_HOLE), ENXIO);
}
TEST(hole_reads_as_zero) {
    char b[4096];
    int fd = fresh();
    OK(lseek(fd, 1 << 20, SEEK_SET));
    CHECK_EQ(write(fd, "end", 3), 3);
    memset(b, 'x', sizeof b);
    CHECK_EQ(pread(fd, b, sizeof b, 8192), sizeof b);
    for (unsigned i = 0; i < sizeof b; i++) CHECK_EQ(b[i], 0);
}
TEST(large_transfer) {
    size_t size = 3 << 20;
    char *a = malloc(size), *b = malloc(size);
    for (size_t i = 0; i < size; i++) a[i] = (char)(i * 7 + i / 4096);
    int fd = fresh();
    CHECK_EQ(write(fd, a, size), size);
    CHECK_EQ(pread(fd, b, size, 0), size);
    CHECK_EQ(memcmp(a, b, size), 0);
    CHECK_EQ(pread(fd, b, 4096, 4095), 4096);
    CHECK_EQ(memcmp(a + 4095, b, 4096), 0);
}
TEST(offset_is_shared_by_dup_and_fork) {
    char b[4] = "";
    put_file("file", "abcdef");
    int fd = OK(open("file", O_RDONLY)), copy = OK(dup(fd));
    CHECK_EQ(read(fd, b, 2), 2);
    CHECK_EXIT(CHILD(char c[4]; CHECK_EQ(read(fd, c, 2), 2); CHECK_EQ(c[0], 'c')), 0);
    CHECK_EQ(read(copy, b, 2), 2);
    CHECK_EQ(b[0], 'e');
}
TEST(file_size_limit_stops_a_write) {
    int fd = fresh();
    struct rlimit { unsigned long now, max; } limit = {10, 10};
    OK(SYS(setrlimit, 1 /* RLIMIT_FSIZE */, &limit));
    signal(SIGXFSZ, SIG_IGN);
    CHECK_EQ(write(fd, "0123456789abcdef", 16), 10);
    CHECK_ERR(write(fd, "x", 1), EFBIG);
    CHECK_KILLED(CHILD(signal(SIGXFSZ, SIG_DFL); if (write(fd, "x", 1) < 0) _exit(1)), SIGXFSZ);
}
TEST(device_files) {
    char b[64];
    int null = OK(open("/dev/null", O_RDWR)), zero = OK(open("/dev/zero", O_RDWR)), full = OK(open("/dev/full", O_RDWR));
    CHECK_EQ(write(null, "gone", 4), 4);
    CHECK_EQ(read(null, b, 4), 0);
    memset(b, 1, sizeof b);
    CHECK_EQ(read(zero, b, sizeof b), sizeof b);
    for (unsigned i = 0; i < sizeof b; i++) CHECK_EQ(b[i], 0);
    CHECK_ERR(write(full, "x", 1), ENOSPC);
    int random = OK(open("/dev/urandom", O_RDONLY));
    CHECK_EQ(read(random, b, sizeof b), sizeof b);
    int differing = 0;
    for (unsigned i = 1; i < sizeof b; i++) differing += b[i] != b[0];
    CHECK(differing > 10);
}
