// SPDX-License-Identifier: Apache-2.0
// syscalls: open openat openat2 creat close umask
// Opening files: every flag, every refusal.
#include "../guest.h"
#include <linux/openat2.h>

TEST(create_and_exclusive) {
    int fd = OK(open("f", O_CREAT | O_EXCL | O_WRONLY, 0640));
    struct stat st;
    OK(fstat(fd, &st));
    CHECK_EQ(st.st_mode, S_IFREG | 0640);
    CHECK_EQ(st.st_size, 0);
    CHECK_EQ(st.st_nlink, 1);
    CHECK_ERR(open("f", O_CREAT | O_EXCL | O_WRONLY, 0640), EEXIST);
    OK(symlink("nowhere", "link"));
    CHECK_ERR(open("link", O_CREAT | O_EXCL | O_WRONLY, 0640), EEXIST);
}
TEST(old_open_and_creat) {
    int fd = OK(SYS(open, "f", O_CREAT | O_WRONLY, 0600));
    CHECK_EQ(write(fd, "content", 7), 7);
    fd = OK(SYS(creat, "f", 0600));
    struct stat st;
    OK(fstat(fd, &st));
    CHECK_EQ(st.st_size, 0);
    CHECK_EQ(fcntl(fd, F_GETFL) & O_ACCMODE, O_WRONLY);
}
TEST(truncate_flag) {
    put_file("f", "content");
    close(OK(open("f", O_WRONLY | O_TRUNC)));
    CHECK_STR(get_file("f"), "");
}
TEST(mask_of_creation) {
    struct stat st;
    CHECK_EQ(umask(027), 022);
    OK(open("f", O_CREAT | O_WRONLY, 0777));
    OK(stat("f", &st));
    CHECK_EQ(st.st_mode & 07777, 0750);
    OK(mkdir("d", 0777));
    OK(stat("d", &st));
    CHECK_EQ(st.st_mode & 07777, 0750);
    CHECK_EQ(umask(07777), 027);
    CHECK_EQ(umask(0), 0777);
}
TEST(missing) {
    CHECK_ERR(open("none", O_RDONLY), ENOENT);
    CHECK_ERR(open("none/x", O_CREAT | O_RDWR, 0600), ENOENT);
    CHECK_ERR(open("", O_RDONLY), ENOENT);
    CHECK_ERR(open(BAD_POINTER, O_RDONLY), EFAULT);
    OK(symlink("nowhere", "link"));
    CHECK_ERR(open("link", O_RDONLY), ENOENT);
    // A dangling link is followed for creation.
    OK(open("link", O_CREAT | O_RDWR, 0600));
    OK(access("nowhere", F_OK));
}
TEST(not_a_directory) {
    put_file("f", "x");
    CHECK_ERR(open("f/x", O_RDONLY), ENOTDIR);
    CHECK_ERR(open("f/", O_RDONLY), ENOTDIR);
    CHECK_ERR(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERR(open("f/.", O_RDONLY), ENOTDIR);
}
TEST(a_directory) {
    OK(mkdir("d", 0755));
    OK(open("d", O_RDONLY));
    OK(open("d/", O_RDONLY | O_DIRECTORY));
    CHECK_ERR(open("d", O_WRONLY), EISDIR);
    CHECK_ERR(open("d", O_RDWR), EISDIR);
    CHECK_ERR(open("d", O_CREAT | O_RDWR, 0600), EISDIR);
    CHECK_ERR(open("new/", O_CREAT | O_RDWR, 0600), EISDIR);
}
TEST(no_follow) {
    put_file("f", "x");
    OK(symlink("f", "link"));
    OK(open("link", O_RDONLY));
    CHECK_ERR(open("link", O_RDONLY | O_NOFOLLOW), ELOOP);
    OK(symlink("loop", "loop"));
    CHECK_ERR(open("loop", O_RDONLY), ELOOP);
}
TEST(long_names) {
    char name[5000];
    memset(name, 'n', sizeof name);
    name[255] = 0;
    OK(open(name, O_CREAT | O_RDWR, 0600));
    name[255] = 'n', name[256] = 0;
    CHECK_ERR(open(name, O_CREAT | O_RDWR, 0600), ENAMETOOLONG);
    for (int i = 0; i < 4999; i++) name[i] = i % 2 ? '/' : '.';
    name[4999] = 0;
    CHECK_ERR(open(name, O_RDONLY), ENAMETOOLONG);
    name[4095] = 0;
    OK(open(name, O_RDONLY));
}
TEST(path_only) {
    put_file("f", "x");
    int fd = OK(open("f", O_PATH));
    char b;
    struct stat st;
    CHECK_ERR(read(fd, &b, 1), EBADF);
    CHECK_ERR(write(fd, &b, 1), EBADF);
    CHECK_ERR(fchmod(fd, 0600), EBADF);
    OK(fstat(fd, &st));
    CHECK_EQ(fcntl(fd, F_GETFL) & O_PATH, O_PATH);
    OK(symlink("f", "link"));
    int link = OK(open("link", O_PATH | O_NOFOLLOW));
    OK(fstat(link, &st));
    CHECK(S_ISLNK(st.st_mode));
}
TEST(relative_to_a_directory) {
    OK(mkdir("d", 0755));
    int d = OK(open("d", O_RDONLY | O_DIRECTORY)), f;
    f = OK(openat(d, "x", O_CREAT | O_RDWR, 0600));
    OK(access("d/x", F_OK));
    CHECK_ERR(openat(f, "y", O_CREAT | O_RDWR, 0600), ENOTDIR);
    CHECK_ERR(openat(99, "y", O_CREAT | O_RDWR, 0600), EBADF);
    OK(openat(99, "/dev/null", O_RDONLY));
    OK(openat(AT_FDCWD, "d/x", O_RDONLY));
    OK(openat(d, "../d/x", O_RDONLY));
}
TEST(temporary_file) {
    int fd = open(".", O_TMPFILE | O_RDWR, 0600);
    if (fd < 0 && errno == EOPNOTSUPP) SKIP("no O_TMPFILE here");
    CHECK(fd >= 0);
    struct stat st;
    OK(fstat(fd, &st));
    CHECK_EQ(st.st_nlink, 0);
    CHECK_EQ(write(fd, "t", 1), 1);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    OK(linkat(AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    CHECK_STR(get_file("named"), "t");
}
TEST(access_modes) {
    put_file("f", "");
    CHECK_EQ(fcntl(OK(open("f", O_RDONLY)), F_GETFL) & O_ACCMODE, O_RDONLY);
    CHECK_EQ(fcntl(OK(open("f", O_WRONLY)), F_GETFL) & O_ACCMODE, O_WRONLY);
    CHECK_EQ(fcntl(OK(open("f", O_RDWR)), F_GETFL) & O_ACCMODE, O_RDWR);
}
TEST(permission_of_another_user) {
    put_file("f", "x");
    OK(chmod("f", 0600));
    OK(mkdir("closed", 0700));
    put_file("closed/x", "");
    OK(chmod(".", 0755));
    if (geteuid() != 0) SKIP("needs root");
    CHECK_EXIT(CHILD(
        OK(setgid(1000));
        OK(setuid(1000));
        CHECK_ERR(open("f", O_RDONLY), EACCES);
        CHECK_ERR(open("closed/x", O_RDONLY), EACCES);
        CHECK_ERR(open("new", O_CREAT | O_RDWR, 0600), EACCES)), 0);
}
static long openat2_(int d, const char *p, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {flags, mode, resolve};
    return SYS(openat2, d, p, &how, sizeof how);
}
TEST(openat2_resolution) {
    OK(mkdir("d", 0755));
    put_file("d/f", "x");
    OK(symlink("/etc", "d/abs"));
    OK(symlink("f", "d/rel"));
    OK(symlink("..", "d/up"));
    int d = OK(open("d", O_RDONLY));
    OK(openat2_(d, "f", O_RDONLY, 0, 0));
    OK(openat2_(d, "rel", O_RDONLY, 0, RESOLVE_BENEATH));
    CHECK_ERR(openat2_(d, "../d/f", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    CHECK_ERR(openat2_(d, "up", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    CHECK_ERR(openat2_(d, "abs", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    CHECK_ERR(openat2_(d, "/f", O_RDONLY, 0, RESOLVE_BENEATH), EXDEV);
    OK(openat2_(d, "/f", O_RDONLY, 0, RESOLVE_IN_ROOT));
    OK(openat2_(d, "../../f", O_RDONLY, 0, RESOLVE_IN_ROOT));
    CHECK_ERR(openat2_(d, "rel", O_RDONLY, 0, RESOLVE_NO_SYMLINKS), ELOOP);
    CHECK_ERR(openat2_(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS), ELOOP);
    CHECK_ERR(openat2_(AT_FDCWD, "/proc/self", O_RDONLY, 0, RESOLVE_NO_XDEV), EXDEV);
}
TEST(openat2_refusals) {
    struct { struct open_how how; uint64_t more; } big = {{O_RDONLY, 0, 0}, 1};
    put_file("f", "x");
    CHECK_ERR(openat2_(AT_FDCWD, "f", 1ull << 40, 0, 0), EINVAL);
    CHECK_ERR(openat2_(AT_FDCWD, "f", O_RDONLY, 0600, 0), EINVAL);
    CHECK_ERR(openat2_(AT_FDCWD, "f", O_CREAT, 1 << 20, 0), EINVAL);
    CHECK_ERR(openat2_(AT_FDCWD, "f", O_RDONLY, 0, 1 << 20), EINVAL);
    CHECK_ERR(openat2_(AT_FDCWD, "f", O_RDONLY, 0, RESOLVE_IN_ROOT | RESOLVE_BENEATH), EINVAL);
    CHECK_ERR(SYS(openat2, AT_FDCWD, "f", &big.how, 8), EINVAL);
    CHECK_ERR(SYS(openat2, AT_FDCWD, "f", &big, sizeof big), E2BIG);
    big.more = 0;
    OK(SYS(openat2, AT_FDCWD, "f", &big, sizeof big));
    CHECK_ERR(SYS(openat2, AT_FDCWD, "f", BAD_POINTER, 24), EFAULT);
}
