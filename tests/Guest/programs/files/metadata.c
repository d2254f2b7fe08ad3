// SPDX-License-Identifier: Apache-2.0
// syscalls: chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat utimensat truncate ftruncate fallocate
// Changing what is known of a file, and its size.
#include "../guest.h"
#include <sys/resource.h>
#include <sys/time.h>
#include <utime.h>
#include <grp.h>

static struct stat of(const char *p) {
    struct stat st;
    OK(lstat(p, &st));
    return st;
}

TEST(change_mode) {
    put_file("f", "");
    OK(SYS(chmod, "f", 0600));
    CHECK_EQ(of("f").st_mode, S_IFREG | 0600);
    OK(chmod("f", 07777));
    CHECK_EQ(of("f").st_mode, S_IFREG | 07777);
    OK(fchmod(OK(open("f", O_RDONLY)), 0444));
    CHECK_EQ(of("f").st_mode, S_IFREG | 0444);
    OK(SYS(fchmodat, AT_FDCWD, "f", 0640));
    CHECK_EQ(of("f").st_mode, S_IFREG | 0640);
    OK(symlink("f", "s"));
    OK(chmod("s", 0604));
    CHECK_EQ(of("f").st_mode, S_IFREG | 0604);
    CHECK_EQ(of("s").st_mode, S_IFLNK | 0777);
    CHECK_ERR(chmod("none", 0600), ENOENT);
    CHECK_ERR(SYS(chmod, BAD_POINTER, 0600), EFAULT);
    CHECK_ERR(fchmod(99, 0600), EBADF);
}
TEST(change_mode_with_flags) {
    put_file("f", "");
    long r = syscall(452 /* fchmodat2 */, AT_FDCWD, "f", 0610, 0);
    if (r < 0 && errno == ENOSYS) SKIP("no fchmodat2 here");
    CHECK_EQ(r, 0);
    CHECK_EQ(of("f").st_mode, S_IFREG | 0610);
    CHECK_EQ(syscall(452, OK(open("f", O_PATH)), "", 0600, AT_EMPTY_PATH), 0);
    CHECK_ERR(syscall(452, AT_FDCWD, "f", 0600, 1), EINVAL);
}
TEST(change_owner) {
    if (geteuid() != 0) SKIP("needs root");
    put_file("f", "");
    OK(SYS(chown, "f", 1000, 1001));
    CHECK_EQ(of("f").st_uid, 1000);
    CHECK_EQ(of("f").st_gid, 1001);
    OK(chown("f", -1, 1002));
    CHECK_EQ(of("f").st_uid, 1000);
    CHECK_EQ(of("f").st_gid, 1002);
    OK(fchown(OK(open("f", O_RDONLY)), 7, -1));
    CHECK_EQ(of("f").st_uid, 7);
    OK(symlink("f", "s"));
    OK(SYS(lchown, "s", 5, 6));
    CHECK_EQ(of("s").st_uid, 5);
    CHECK_EQ(of("f").st_uid, 7);
    OK(fchownat(AT_FDCWD, "s", 8, 9, AT_SYMLINK_NOFOLLOW));
    CHECK_EQ(of("s").st_gid, 9);
    OK(fchownat(OK(open("f", O_RDONLY)), "", 3, 3, AT_EMPTY_PATH));
    CHECK_EQ(of("f").st_uid, 3);
    CHECK_ERR(chown("none", 0, 0), ENOENT);
    CHECK_ERR(fchown(99, 0, 0), EBADF);
    CHECK_ERR(fchownat(AT_FDCWD, "f", 0, 0, 1), EINVAL);
}
TEST(owner_change_drops_set_id_bits) {
    if (geteuid() != 0) SKIP("needs root");
    put_file("f", "");
    OK(chmod("f", 06755));
    OK(chown("f", 1000, 1000));
    CHECK_EQ(of("f").st_mode & 07777, 0755);
}
TEST(a_user_owns_only_his_own) {
    if (geteuid() != 0) SKIP("needs root");
    put_file("f", "");
    put_file("g", "");
    OK(chown("g", 1000, 1000));
    OK(chmod(".", 0777));
    CHECK_EXIT(CHILD(
        gid_t groups[] = {1000, 1005};
        OK(setgroups(2, groups));
        OK(setgid(1000));
        OK(setuid(1000));
        CHECK_ERR(chmod("f", 0777), EPERM);
        CHECK_ERR(chown("g", 1001, -1), EPERM);
        CHECK_ERR(chown("g", -1, 1006), EPERM);
        OK(chown("g", -1, 1005));
        OK(chmod("g", 0600));
        // The set-group-id bit goes when the owner is not in the group.
        OK(chmod("g", 02755));
        CHECK_EQ(of("g").st_mode & 07777, 02755)), 0);
}
TEST(times) {
    put_file("f", "");
    struct utimbuf u = {1000, 2000};
    OK(SYS(utime, "f", &u));
    CHECK_EQ(of("f").st_atime, 1000);
    CHECK_EQ(of("f").st_mtime, 2000);
    struct timeval tv[2] = {{3, 500000}, {4, 250000}};
    OK(SYS(utimes, "f", tv));
    CHECK_EQ(of("f").st_atim.tv_nsec, 500000000);
    CHECK_EQ(of("f").st_mtime, 4);
    tv[0].tv_sec = 30;
    OK(SYS(futimesat, AT_FDCWD, "f", tv));
    CHECK_EQ(of("f").st_atime, 30);
    tv[0].tv_usec = 1000000;
    CHECK_ERR(SYS(utimes, "f", tv), EINVAL);
    OK(SYS(utimes, "f", NULL));
    CHECK(time(NULL) - of("f").st_mtime < 5);
}
TEST(times_in_nanoseconds) {
    put_file("f", "");
    struct timespec t[2] = {{10, 123456789}, {20, 987654321}};
    OK(SYS(utimensat, AT_FDCWD, "f", t, 0));
    CHECK_EQ(of("f").st_atim.tv_nsec, 123456789);
    CHECK_EQ(of("f").st_mtim.tv_nsec, 987654321);
    t[0].tv_nsec = UTIME_OMIT;
    t[1] = (struct timespec){40, 0};
    OK(utimensat(AT_FDCWD, "f", t, 0));
    CHECK_EQ(of("f").st_atime, 10);
    CHECK_EQ(of("f").st_mtime, 40);
    t[1].tv_nsec = UTIME_NOW;
    OK(utimensat(AT_FDCWD, "f", t, 0));
    CHECK(of("f").st_mtime > 1000000);
    t[0] = t[1] = (struct timespec){50, 0};
    OK(futimens(OK(open("f", O_RDONLY)), t));
    CHECK_EQ(of("f").st_mtime, 50);
    OK(symlink("f", "s"));
    t[1].tv_sec = 60;
    OK(utimensat(AT_FDCWD, "s", t, AT_SYMLINK_NOFOLLOW));
    CHECK_EQ(of("s").st_mtime, 60);
    CHECK_EQ(of("f").st_mtime, 50);
    t[0].tv_nsec = -1;
    CHECK_ERR(utimensat(AT_FDCWD, "f", t, 0), EINVAL);
    CHECK_ERR(utimensat(AT_FDCWD, "none", NULL, 0), ENOENT);
    CHECK_ERR(SYS(utimensat, AT_FDCWD, "f", BAD_POINTER, 0), EFAULT);
}
TEST(times_follow_changes) {
    put_file("f", "text");
    struct timespec old[2] = {{1000, 0}, {1000, 0}};
    OK(utimensat(AT_FDCWD, "f", old, 0));
    int fd = OK(open("f", O_RDWR));
    CHECK_EQ(write(fd, "x", 1), 1);
    CHECK(of("f").st_mtime > 1000);
    OK(utimensat(AT_FDCWD, ".", old, 0));
    put_file("new", "");
    CHECK(of(".").st_mtime > 1000);
    OK(utimensat(AT_FDCWD, ".", old, 0));
    OK(unlink("new"));
    CHECK(of(".").st_mtime > 1000);
}
TEST(change_size) {
    put_file("f", "0123456789");
    OK(SYS(truncate, "f", 4));
    CHECK_STR(get_file("f"), "0123");
    OK(truncate("f", 6));
    CHECK_EQ(of("f").st_size, 6);
    char b[8];
    int fd = OK(open("f", O_RDWR));
    CHECK_EQ(read(fd, b, 8), 6);
    CHECK_EQ(memcmp(b, "0123\0\0", 6), 0);
    OK(ftruncate(fd, 1 << 20));
    CHECK_EQ(of("f").st_size, 1 << 20);
    OK(ftruncate(fd, 0));
    CHECK_EQ(pread(fd, b, 8, 0), 0);
    CHECK_EQ(lseek(fd, 0, SEEK_CUR), 6);
}
TEST(size_refusals) {
    put_file("f", "x");
    int p[2];
    OK(pipe(p));
    CHECK_ERR(truncate("none", 0), ENOENT);
    CHECK_ERR(truncate("f", -1), EINVAL);
    CHECK_ERR(truncate(".", 0), EISDIR);
    CHECK_ERR(truncate("f/x", 0), ENOTDIR);
    CHECK_ERR(ftruncate(OK(open("f", O_RDONLY)), 0), EINVAL);
    CHECK_ERR(ftruncate(p[1], 0), EINVAL);
    CHECK_ERR(ftruncate(99, 0), EBADF);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit l = {100, 100};
    OK(setrlimit(RLIMIT_FSIZE, &l));
    CHECK_ERR(truncate("f", 101), EFBIG);
}
TEST(cut_off_old_bytes_stay_gone) {
    put_file("f", "0123456789");
    OK(truncate("f", 3));
    OK(truncate("f", 10));
    char b[10];
    CHECK_EQ(read(OK(open("f", O_RDONLY)), b, 10), 10);
    CHECK_EQ(memcmp(b, "012\0\0\0\0\0\0\0", 10), 0);
}
TEST(allocate) {
    int fd = OK(open("f", O_CREAT | O_RDWR, 0600)), p[2];
    OK(fallocate(fd, 0, 0, 8192));
    CHECK_EQ(of("f").st_size, 8192);
    OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 8192, 8192));
    CHECK_EQ(of("f").st_size, 8192);
    char b[8192];
    memset(b, 'x', sizeof b);
    CHECK_EQ(pwrite(fd, b, 8192, 0), 8192);
    OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096));
    CHECK_EQ(pread(fd, b, 8192, 0), 8192);
    CHECK_EQ(b[4095], 'x');
    CHECK_EQ(b[4096], 0);
    CHECK_EQ(b[8191], 0);
    CHECK_ERR(fallocate(fd, 0, -1, 10), EINVAL);
    CHECK_ERR(fallocate(fd, 0, 0, 0), EINVAL);
    CHECK_ERR(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10), EOPNOTSUPP);
    CHECK_ERR(fallocate(99, 0, 0, 10), EBADF);
    CHECK_ERR(fallocate(OK(open("f", O_RDONLY)), 0, 0, 10), EBADF);
    OK(pipe(p));
    CHECK_ERR(fallocate(p[1], 0, 0, 10), ESPIPE);
}
TEST(a_write_drops_set_id_bits) {
    if (geteuid() != 0) SKIP("needs root");
    put_file("f", "");
    OK(chown("f", 1000, 1000));
    OK(chmod("f", 06777));
    OK(chmod(".", 0755));
    CHECK_EXIT(CHILD(OK(setuid(1001)); int fd = OK(open("f", O_WRONLY)); CHECK_EQ(write(fd, "x", 1), 1)), 0);
    CHECK_EQ(of("f").st_mode & 06000, 0);
}
