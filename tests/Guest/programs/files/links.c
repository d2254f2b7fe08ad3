// SPDX-License-Identifier: Apache-2.0
// syscalls: link linkat symlink symlinkat readlink readlinkat rename renameat renameat2 unlink unlinkat mknod mknodat
// Names: giving, taking, moving them.
#include "../guest.h"
#include <sys/socket.h>
#include <sys/un.h>

static ino_t ino(const char *p) {
    struct stat st;
    OK(lstat(p, &st));
    return st.st_ino;
}
static int exists(const char *p) {
    struct stat st;
    return lstat(p, &st) == 0;
}

TEST(hard_links) {
    struct stat st;
    put_file("a", "x");
    OK(SYS(link, "a", "b"));
    CHECK_EQ(ino("a"), ino("b"));
    OK(stat("a", &st));
    CHECK_EQ(st.st_nlink, 2);
    OK(SYS(unlink, "a"));
    OK(stat("b", &st));
    CHECK_EQ(st.st_nlink, 1);
    CHECK_STR(get_file("b"), "x");
}
TEST(hard_link_refusals) {
    put_file("a", "x");
    OK(mkdir("d", 0700));
    CHECK_ERR(link("none", "b"), ENOENT);
    CHECK_ERR(link("a", "a"), EEXIST);
    CHECK_ERR(link("d", "e"), EPERM);
    CHECK_ERR(link("a", "none/b"), ENOENT);
    CHECK_ERR(link("a", "/dev/b"), EXDEV);
    CHECK_ERR(link("a/x", "b"), ENOTDIR);
    CHECK_ERR(linkat(AT_FDCWD, "a", AT_FDCWD, "b", 1), EINVAL);
}
TEST(link_at) {
    put_file("a", "x");
    OK(symlink("a", "s"));
    OK(linkat(AT_FDCWD, "s", AT_FDCWD, "t", 0));
    CHECK_EQ(ino("t"), ino("s"));
    OK(linkat(AT_FDCWD, "s", AT_FDCWD, "u", AT_SYMLINK_FOLLOW));
    CHECK_EQ(ino("u"), ino("a"));
}
TEST(symbolic_links) {
    char b[64];
    OK(SYS(symlink, "some/where", "s"));
    CHECK_EQ(SYS(readlink, "s", b, sizeof b), 10);
    CHECK_EQ(memcmp(b, "some/where", 10), 0);
    CHECK_EQ(readlink("s", b, 4), 4);
    CHECK_ERR(readlink("s", b, 0), EINVAL);
    CHECK_ERR(readlink(".", b, 4), EINVAL);
    CHECK_ERR(readlink("none", b, 4), ENOENT);
    CHECK_ERR(readlink("s", BAD_POINTER, 4), EFAULT);
    CHECK_ERR(symlink("x", "s"), EEXIST);
    CHECK_ERR(symlink("", "t"), ENOENT);
    CHECK_ERR(symlink("x", "none/t"), ENOENT);
    int d = OK(open(".", O_RDONLY));
    OK(symlinkat("target", d, "at"));
    CHECK_EQ(readlinkat(d, "at", b, sizeof b), 6);
    int l = OK(open("at", O_PATH | O_NOFOLLOW));
    CHECK_EQ(readlinkat(l, "", b, sizeof b), 6);
}
TEST(resolution) {
    OK(mkdir("d", 0755));
    put_file("d/f", "found");
    OK(symlink("d", "one"));
    OK(symlink("one", "two"));
    CHECK_STR(get_file("two/f"), "found");
    CHECK_STR(get_file("two/../d/./f"), "found");
    CHECK_STR(get_file("d//f"), "found");
    char name[32] = "chain0", next[32];
    OK(symlink("d/f", name));
    for (int i = 1; i < 42; i++) {
        snprintf(next, sizeof next, "chain%d", i);
        OK(symlink(name, next));
        strcpy(name, next);
    }
    OK(open("chain39", O_RDONLY));
    CHECK_ERR(open("chain41", O_RDONLY), ELOOP);
}
TEST(unlink_refusals) {
    OK(mkdir("d", 0700));
    CHECK_ERR(unlink("d"), EISDIR);
    CHECK_ERR(unlink("none"), ENOENT);
    CHECK_ERR(unlink("d/x/y"), ENOENT);
    CHECK_ERR(unlink(""), ENOENT);
    CHECK_ERR(SYS(unlink, BAD_POINTER), EFAULT);
    put_file("f", "");
    CHECK_ERR(unlink("f/"), ENOTDIR);
}
TEST(an_open_file_outlives_its_name) {
    char b[8] = "";
    struct stat st;
    put_file("f", "alive");
    int fd = OK(open("f", O_RDWR));
    OK(unlink("f"));
    CHECK_EQ(read(fd, b, 8), 5);
    CHECK_STR(b, "alive");
    OK(fstat(fd, &st));
    CHECK_EQ(st.st_nlink, 0);
    CHECK_EQ(write(fd, "more", 4), 4);
    char link[64], path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = OK(readlink(path, link, 63));
    link[n] = 0;
    CHECK(strstr(link, "f (deleted)") != NULL || n == 63);
}
TEST(rename_replaces) {
    put_file("a", "A");
    put_file("b", "B");
    ino_t i = ino("a");
    OK(SYS(rename, "a", "b"));
    CHECK(!exists("a"));
    CHECK_EQ(ino("b"), i);
    CHECK_STR(get_file("b"), "A");
    OK(rename("b", "b"));
    OK(link("b", "c"));
    // Two names of one file: nothing happens.
    OK(rename("b", "c"));
    CHECK(exists("b") && exists("c"));
}
TEST(rename_directories) {
    OK(mkdir("d", 0700));
    OK(mkdir("e", 0700));
    put_file("d/f", "x");
    OK(rename("d", "e"));
    CHECK(!exists("d") && exists("e/f"));
    OK(mkdir("d", 0700));
    CHECK_ERR(rename("d", "e"), ENOTEMPTY);
    CHECK_ERR(rename("e", "e/inside"), EINVAL);
    put_file("f", "");
    CHECK_ERR(rename("f", "d"), EISDIR);
    CHECK_ERR(rename("d", "f"), ENOTDIR);
    CHECK_ERR(rename("none", "x"), ENOENT);
    CHECK_ERR(rename("f", "none/x"), ENOENT);
    CHECK_ERR(rename("f", "/proc/x"), EXDEV);
    CHECK_ERR(rename(".", "x"), EBUSY);
    // The working directory moves along.
    OK(chdir("e"));
    OK(rename("../e", "../moved"));
    char b[4096];
    CHECK(getcwd(b, sizeof b) != NULL);
    CHECK_STR(strrchr(b, '/'), "/moved");
}
TEST(rename_at) {
    OK(mkdir("d", 0755));
    put_file("f", "x");
    int d = OK(open("d", O_RDONLY));
    OK(SYS(renameat, AT_FDCWD, "f", d, "g"));
    CHECK(exists("d/g"));
    CHECK_ERR(renameat(99, "f", d, "g"), EBADF);
}
TEST(rename_flags) {
    put_file("a", "A");
    put_file("b", "B");
    CHECK_ERR(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE), EEXIST);
    OK(renameat2(AT_FDCWD, "a", AT_FDCWD, "c", RENAME_NOREPLACE));
    CHECK(!exists("a") && exists("c"));
    CHECK_ERR(renameat2(AT_FDCWD, "c", AT_FDCWD, "b", 64), EINVAL);
    CHECK_ERR(renameat2(AT_FDCWD, "c", AT_FDCWD, "b", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
    CHECK_ERR(renameat2(AT_FDCWD, "c", AT_FDCWD, "none", RENAME_EXCHANGE), ENOENT);
}
TEST(rename_exchange) {
    put_file("a", "A");
    OK(mkdir("d", 0755));
    int r = renameat2(AT_FDCWD, "a", AT_FDCWD, "d", RENAME_EXCHANGE);
    if (r < 0 && errno == EINVAL) SKIP("this file system does not exchange");
    CHECK_EQ(r, 0);
    struct stat st;
    OK(stat("a", &st));
    CHECK(S_ISDIR(st.st_mode));
    CHECK_STR(get_file("d"), "A");
}
TEST(special_files) {
    struct stat st;
    OK(SYS(mknod, "fifo", S_IFIFO | 0640, 0));
    OK(lstat("fifo", &st));
    CHECK(S_ISFIFO(st.st_mode));
    CHECK_EQ(st.st_mode & 0777, 0640);
    OK(mknodat(AT_FDCWD, "plain", S_IFREG | 0600, 0));
    OK(lstat("plain", &st));
    CHECK(S_ISREG(st.st_mode));
    OK(mknod("sock", S_IFSOCK | 0600, 0));
    OK(lstat("sock", &st));
    CHECK(S_ISSOCK(st.st_mode));
    CHECK_ERR(open("sock", O_RDONLY), ENXIO);
    CHECK_ERR(mknod("fifo", S_IFIFO | 0600, 0), EEXIST);
    CHECK_ERR(mknod("d", S_IFDIR | 0600, 0), EPERM);
    CHECK_ERR(mknod("d", 0170000 | 0600, 0), EINVAL);
}
TEST(names_are_bytes) {
    put_file("\xff\xfe\x01 \t\n", "odd");
    CHECK_STR(get_file("\xff\xfe\x01 \t\n"), "odd");
    put_file("ünïcödé", "utf8");
    CHECK_STR(get_file("ünïcödé"), "utf8");
}
TEST(sticky_directories) {
    if (geteuid() != 0) SKIP("needs root");
    OK(mkdir("sticky", 0700));
    OK(chmod("sticky", 01777));
    OK(chmod(".", 0755));
    put_file("sticky/mine", "");
    OK(chown("sticky/mine", 1001, 1001));
    CHECK_EXIT(CHILD(
        OK(setuid(1000));
        CHECK_ERR(unlink("sticky/mine"), EPERM);
        CHECK_ERR(rename("sticky/mine", "sticky/other"), EPERM)), 0);
    CHECK_EXIT(CHILD(OK(setuid(1001)); OK(unlink("sticky/mine"))), 0);
}
