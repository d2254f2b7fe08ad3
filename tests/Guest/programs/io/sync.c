// SPDX-License-Identifier: Apache-2.0
// syscalls: fsync fdatasync sync syncfs sync_file_range readahead fadvise64
// Asking for durability, and telling how a file will be used.
#include "../guest.h"

TEST(sync_a_file) {
    int fd = OK(open("file", O_CREAT | O_RDWR, 0600)), p[2];
    CHECK_EQ(write(fd, "data", 4), 4);
    OK(fsync(fd));
    OK(fdatasync(fd));
    OK(syncfs(fd));
    sync();
    CHECK_ERR(fsync(99), EBADF);
    CHECK_ERR(fdatasync(99), EBADF);
    CHECK_ERR(syncfs(99), EBADF);
    OK(pipe(p));
    CHECK_ERR(fsync(p[0]), EINVAL);
}
TEST(sync_a_directory) { OK(fsync(OK(open(".", O_RDONLY | O_DIRECTORY)))); }
TEST(sync_range) {
    int fd = OK(open("file", O_CREAT | O_RDWR, 0600)), p[2];
    OK(pipe(p));
    CHECK_EQ(write(fd, "data", 4), 4);
    OK(sync_file_range(fd, 0, 4, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER));
    CHECK_ERR(sync_file_range(fd, -1, 4, 0), EINVAL);
    CHECK_ERR(sync_file_range(fd, 0, 4, 64), EINVAL);
    CHECK_ERR(sync_file_range(99, 0, 4, 0), EBADF);
    CHECK_ERR(sync_file_range(p[0], 0, 4, 0), ESPIPE);
}
TEST(advice) {
    int fd = OK(open("file", O_CREAT | O_RDWR, 0600)), p[2];
    OK(pipe(p));
    for (int advice = 0; advice <= 5; advice++) CHECK_EQ(posix_fadvise(fd, 0, 0, advice), 0);
    CHECK_EQ(posix_fadvise(fd, 0, 0, 99), EINVAL);
    CHECK_EQ(posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL), EINVAL);
    CHECK_EQ(posix_fadvise(99, 0, 0, 0), EBADF);
    CHECK_EQ(posix_fadvise(p[0], 0, 0, 0), ESPIPE);
}
TEST(read_ahead) {
    put_file("file", "text");
    int fd = OK(open("file", O_RDONLY)), w = OK(open("file", O_WRONLY)), p[2];
    OK(pipe(p));
    OK(readahead(fd, 0, 4096));
    CHECK_ERR(readahead(w, 0, 4096), EBADF);
    CHECK_ERR(readahead(99, 0, 4096), EBADF);
    CHECK_ERR(readahead(p[0], 0, 4096), EINVAL);
}
