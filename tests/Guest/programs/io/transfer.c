// SPDX-License-Identifier: Apache-2.0
// syscalls: sendfile splice tee vmsplice copy_file_range
// Moving bytes between descriptors without a buffer of the program's.
#include "../guest.h"
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

static int source(void) {
    put_file("in", "0123456789");
    return OK(open("in", O_RDONLY));
}

TEST(sendfile_to_a_file) {
    int in = source(), out = OK(open("out", O_CREAT | O_RDWR, 0600));
    off_t offset = 2;
    CHECK_EQ(sendfile(out, in, &offset, 5), 5);
    CHECK_EQ(offset, 7);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 0);
    CHECK_EQ(sendfile(out, in, NULL, 100), 10);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 10);
    CHECK_EQ(sendfile(out, in, NULL, 100), 0);
    CHECK_STR(get_file("out"), "234560123456789");
}
TEST(sendfile_to_a_pipe_and_a_socket) {
    int in = source(), p[2], s[2];
    char b[16] = "";
    OK(pipe(p));
    OK(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
    CHECK_EQ(sendfile(p[1], in, NULL, 4), 4);
    CHECK_EQ(sendfile(s[0], in, NULL, 4), 4);
    CHECK_EQ(read(p[0], b, 16), 4);
    CHECK_EQ(memcmp(b, "0123", 4), 0);
    CHECK_EQ(read(s[1], b, 16), 4);
    CHECK_EQ(memcmp(b, "4567", 4), 0);
}
TEST(sendfile_refusals) {
    int in = source(), out = OK(open("out", O_CREAT | O_WRONLY, 0600)), p[2];
    off_t offset = -1;
    OK(pipe(p));
    CHECK_ERR(sendfile(out, 99, NULL, 1), EBADF);
    CHECK_ERR(sendfile(99, in, NULL, 1), EBADF);
    CHECK_ERR(sendfile(in, in, NULL, 1), EBADF);
    CHECK_ERR(sendfile(out, out, NULL, 1), EBADF);
    CHECK_ERR(sendfile(out, in, &offset, 1), EINVAL);
    CHECK_ERR(sendfile(out, in, BAD_POINTER, 1), EFAULT);
    offset = 0;
    CHECK_ERR(sendfile(out, p[0], &offset, 1), ESPIPE);
}
TEST(splice_file_to_pipe_to_file) {
    int in = source(), out = OK(open("out", O_CREAT | O_RDWR, 0600)), p[2];
    OK(pipe(p));
    loff_t offset = 3;
    CHECK_EQ(splice(in, &offset, p[1], NULL, 4, 0), 4);
    CHECK_EQ(offset, 7);
    CHECK_EQ(splice(p[0], NULL, out, NULL, 100, SPLICE_F_MOVE), 4);
    CHECK_STR(get_file("out"), "3456");
    close(p[1]);
    CHECK_EQ(splice(p[0], NULL, out, NULL, 100, 0), 0);
}
TEST(splice_between_pipes) {
    int a[2], b[2];
    char text[8] = "";
    OK(pipe(a));
    OK(pipe(b));
    CHECK_EQ(write(a[1], "abcdef", 6), 6);
    CHECK_EQ(splice(a[0], NULL, b[1], NULL, 4, 0), 4);
    CHECK_EQ(read(b[0], text, 8), 4);
    CHECK_STR(text, "abcd");
    CHECK_EQ(read(a[0], text, 8), 2);
}
TEST(splice_refusals) {
    int in = source(), out = OK(open("out", O_CREAT | O_RDWR, 0600)), p[2];
    loff_t offset = 0;
    OK(pipe(p));
    CHECK_ERR(splice(in, NULL, out, NULL, 4, 0), EINVAL);
    CHECK_ERR(splice(in, NULL, p[1], &offset, 4, 0), ESPIPE);
    CHECK_ERR(splice(p[0], NULL, p[1], NULL, 4, 0), EINVAL);
    CHECK_ERR(splice(p[0], NULL, out, NULL, 4, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_ERR(splice(p[0], NULL, out, NULL, 4, 1 << 20), EINVAL);
    CHECK_ERR(splice(99, NULL, p[1], NULL, 4, 0), EBADF);
}
TEST(tee_copies_without_consuming) {
    int a[2], b[2];
    char text[8] = "";
    OK(pipe(a));
    OK(pipe(b));
    CHECK_EQ(write(a[1], "abcd", 4), 4);
    CHECK_EQ(tee(a[0], b[1], 100, 0), 4);
    CHECK_EQ(read(b[0], text, 8), 4);
    CHECK_STR(text, "abcd");
    memset(text, 0, 8);
    CHECK_EQ(read(a[0], text, 8), 4);
    CHECK_STR(text, "abcd");
    CHECK_ERR(tee(a[0], b[1], 100, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_ERR(tee(a[0], a[1], 100, 0), EINVAL);
    CHECK_ERR(tee(0, b[1], 100, 0), EINVAL);
}
TEST(vmsplice_into_a_pipe) {
    int p[2];
    char text[16] = "";
    struct iovec v[2] = {{"hello ", 6}, {"world", 5}};
    OK(pipe(p));
    CHECK_EQ(vmsplice(p[1], v, 2, 0), 11);
    CHECK_EQ(read(p[0], text, 16), 11);
    CHECK_STR(text, "hello world");
    struct iovec in = {text, 4};
    CHECK_EQ(write(p[1], "back", 4), 4);
    CHECK_EQ(vmsplice(p[0], &in, 1, 0), 4);
    CHECK_EQ(memcmp(text, "back", 4), 0);
    CHECK_ERR(vmsplice(99, v, 2, 0), EBADF);
}
TEST(copy_file_range_copies) {
    int in = source(), out = OK(open("out", O_CREAT | O_RDWR, 0600));
    off64_t from = 4, to = 1;
    CHECK_EQ(copy_file_range(in, &from, out, &to, 3, 0), 3);
    CHECK_EQ(from, 7);
    CHECK_EQ(to, 4);
    CHECK_EQ(copy_file_range(in, NULL, out, NULL, 1, 0), 1);
    CHECK_EQ(lseek(in, 0, SEEK_CUR), 1);
    CHECK_STR(get_file("out"), "0456");
    from = 50;
    CHECK_EQ(copy_file_range(in, &from, out, NULL, 1, 0), 0);
}
TEST(copy_file_range_refusals) {
    int in = source(), out = OK(open("out", O_CREAT | O_WRONLY | O_APPEND, 0600)), p[2], dir = OK(open(".", O_RDONLY));
    OK(pipe(p));
    CHECK_ERR(copy_file_range(in, NULL, out, NULL, 1, 0), EBADF);
    CHECK_ERR(copy_file_range(in, NULL, in, NULL, 1, 0), EBADF);
    CHECK_ERR(copy_file_range(in, NULL, out, NULL, 1, 1), EINVAL);
    CHECK_ERR(copy_file_range(p[0], NULL, out, NULL, 1, 0), EINVAL);
    CHECK_ERR(copy_file_range(dir, NULL, OK(open("o2", O_CREAT | O_WRONLY, 0600)), NULL, 1, 0), EISDIR);
    CHECK_ERR(copy_file_range(99, NULL, out, NULL, 1, 0), EBADF);
}
