// SPDX-License-Identifier: Apache-2.0
// syscalls: stat fstat lstat newfstatat statx statfs fstatfs access faccessat faccessat2
// What is known of a file.
#include "../guest.h"
#include <sys/statfs.h>
#include <sys/sysmacros.h>

TEST(a_file) {
    struct stat a, b;
    put_file("f", "12345");
    OK(SYS(stat, "f", &a));
    CHECK_EQ(a.st_size, 5);
    CHECK_EQ(a.st_mode, S_IFREG | 0644);
    CHECK_EQ(a.st_nlink, 1);
    CHECK_EQ(a.st_uid, geteuid());
    CHECK_EQ(a.st_gid, getegid());
    CHECK(a.st_ino != 0);
    CHECK(a.st_blksize >= 512);
    time_t now = time(NULL);
    // Both may be read from a coarse clock, of which one may be a tick behind the other.
    CHECK(now - a.st_mtime >= -1 && now - a.st_mtime < 5);
    OK(SYS(fstat, OK(open("f", O_RDONLY)), &b));
    CHECK_EQ(b.st_ino, a.st_ino);
    CHECK_EQ(b.st_dev, a.st_dev);
    OK(SYS(lstat, "f", &b));
    CHECK_EQ(b.st_ino, a.st_ino);
}
TEST(links) {
    struct stat st;
    put_file("f", "abc");
    OK(symlink("f", "s"));
    OK(link("f", "h"));
    OK(stat("s", &st));
    CHECK(S_ISREG(st.st_mode) && st.st_nlink == 2);
    OK(lstat("s", &st));
    CHECK(S_ISLNK(st.st_mode) && st.st_size == 1);
    CHECK_EQ(st.st_mode & 0777, 0777);
}
TEST(a_directory) {
    struct stat st;
    OK(mkdir("d", 0755));
    OK(mkdir("d/e", 0755));
    OK(stat("d", &st));
    CHECK(S_ISDIR(st.st_mode));
    CHECK(st.st_nlink == 3 || st.st_nlink == 1);
}
TEST(devices) {
    struct stat st;
    OK(stat("/dev/null", &st));
    CHECK(S_ISCHR(st.st_mode));
    CHECK_EQ(st.st_rdev, makedev(1, 3));
    OK(stat("/dev/zero", &st));
    CHECK_EQ(st.st_rdev, makedev(1, 5));
}
TEST(fstatat) {
    struct stat st;
    put_file("f", "abc");
    OK(symlink("f", "s"));
    int d = OK(open(".", O_RDONLY)), f = OK(open("f", O_RDONLY));
    OK(fstatat(d, "s", &st, 0));
    CHECK(S_ISREG(st.st_mode));
    OK(fstatat(d, "s", &st, AT_SYMLINK_NOFOLLOW));
    CHECK(S_ISLNK(st.st_mode));
    OK(fstatat(f, "", &st, AT_EMPTY_PATH));
    CHECK_EQ(st.st_size, 3);
    CHECK_ERR(fstatat(f, "", &st, 0), ENOENT);
    CHECK_ERR(fstatat(d, "f", &st, 1), EINVAL);
    CHECK_ERR(fstatat(f, "x", &st, 0), ENOTDIR);
    CHECK_ERR(fstatat(99, "x", &st, 0), EBADF);
}
TEST(refusals) {
    struct stat st;
    CHECK_ERR(SYS(stat, "none", &st), ENOENT);
    CHECK_ERR(SYS(stat, BAD_POINTER, &st), EFAULT);
    CHECK_ERR(SYS(stat, ".", BAD_POINTER), EFAULT);
    CHECK_ERR(SYS(fstat, 99, &st), EBADF);
    CHECK_ERR(SYS(lstat, "", &st), ENOENT);
}
TEST(extended) {
    struct statx x;
    put_file("f", "abc");
    OK(statx(AT_FDCWD, "f", 0, STATX_BASIC_STATS | STATX_BTIME, &x));
    CHECK_EQ(x.stx_mask & STATX_BASIC_STATS, STATX_BASIC_STATS);
    CHECK_EQ(x.stx_size, 3);
    CHECK_EQ(x.stx_mode, S_IFREG | 0644);
    CHECK_EQ(x.stx_nlink, 1);
    struct stat st;
    OK(stat("f", &st));
    CHECK_EQ(st.st_ino, x.stx_ino);
    CHECK_EQ(st.st_dev, makedev(x.stx_dev_major, x.stx_dev_minor));
    CHECK_EQ(st.st_mtim.tv_nsec, x.stx_mtime.tv_nsec);
    OK(statx(OK(open("f", O_RDONLY)), "", AT_EMPTY_PATH, STATX_SIZE, &x));
    CHECK_EQ(x.stx_size, 3);
    CHECK_ERR(statx(AT_FDCWD, "f", 1, STATX_SIZE, &x), EINVAL);
    CHECK_ERR(statx(AT_FDCWD, "f", 0, 0x80000000u, &x), EINVAL);
    CHECK_ERR(statx(AT_FDCWD, "none", 0, STATX_SIZE, &x), ENOENT);
    CHECK_ERR(statx(AT_FDCWD, "f", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_SIZE, &x), EINVAL);
    CHECK_ERR(SYS(statx, AT_FDCWD, "f", 0, STATX_SIZE, BAD_POINTER), EFAULT);
}
TEST(file_systems) {
    struct statfs s;
    OK(statfs(".", &s));
    CHECK(s.f_bsize >= 512);
    CHECK_EQ(s.f_namelen, 255);
    OK(statfs("/proc", &s));
    CHECK_EQ(s.f_type, 0x9fa0);
    OK(fstatfs(OK(open(".", O_RDONLY)), &s));
    int p[2];
    OK(pipe(p));
    OK(fstatfs(p[0], &s));
    CHECK_EQ(s.f_type, 0x50495045);
    CHECK_ERR(statfs("none", &s), ENOENT);
    CHECK_ERR(fstatfs(99, &s), EBADF);
    CHECK_ERR(statfs(".", BAD_POINTER), EFAULT);
}
TEST(access_as_root) {
    put_file("f", "");
    OK(chmod("f", 0644));
    OK(SYS(access, "f", F_OK));
    OK(SYS(access, "f", R_OK | W_OK));
    CHECK_ERR(SYS(access, "f", X_OK), EACCES);
    OK(chmod("f", 0100));
    OK(access("f", X_OK));
    CHECK_ERR(access("none", F_OK), ENOENT);
    CHECK_ERR(access("f", 8), EINVAL);
    CHECK_ERR(SYS(access, BAD_POINTER, F_OK), EFAULT);
}
TEST(access_at) {
    put_file("f", "");
    OK(symlink("none", "s"));
    int d = OK(open(".", O_RDONLY));
    OK(SYS(faccessat, d, "f", R_OK));
    CHECK_ERR(SYS(faccessat, d, "s", F_OK), ENOENT);
    OK(SYS(faccessat2, d, "s", F_OK, AT_SYMLINK_NOFOLLOW));
    OK(SYS(faccessat2, d, "f", R_OK, AT_EACCESS));
    OK(SYS(faccessat2, OK(open("f", O_PATH)), "", R_OK, AT_EMPTY_PATH));
    CHECK_ERR(SYS(faccessat2, d, "f", R_OK, 1), EINVAL);
    CHECK_ERR(SYS(faccessat, 99, "f", R_OK), EBADF);
}
TEST(access_uses_the_real_ids) {
    if (geteuid() != 0) SKIP("needs root");
    put_file("f", "");
    OK(chmod("f", 0600));
    OK(chmod(".", 0755));
    CHECK_EXIT(CHILD(
        OK(setresuid(1000, 0, 0));
        OK(close(OK(open("f", O_RDONLY))));
        CHECK_ERR(access("f", R_OK), EACCES);
        OK(SYS(faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS))), 0);
}
