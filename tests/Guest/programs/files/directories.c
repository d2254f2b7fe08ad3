// SPDX-License-Identifier: Apache-2.0
// syscalls: getdents getdents64 mkdir mkdirat rmdir unlinkat chdir fchdir getcwd chroot
// Directories: making, listing, standing in them.
// needs: root
#include "../guest.h"
#include <dirent.h>

struct entry64 {
    uint64_t ino;
    int64_t off;
    uint16_t length;
    uint8_t type;
    char name[];
};

TEST(make_and_remove) {
    struct stat st;
    OK(SYS(mkdir, "d", 0755));
    OK(stat("d", &st));
    CHECK_EQ(st.st_mode, S_IFDIR | 0755);
    CHECK_ERR(mkdir("d", 0755), EEXIST);
    CHECK_ERR(mkdir("x/y", 0755), ENOENT);
    OK(mkdir("d/e/", 0700));
    CHECK_ERR(rmdir("d"), ENOTEMPTY);
    OK(rmdir("d/e"));
    OK(SYS(rmdir, "d"));
    CHECK_ERR(rmdir("d"), ENOENT);
    CHECK_ERR(mkdir("", 0700), ENOENT);
    CHECK_ERR(SYS(mkdir, BAD_POINTER, 0700), EFAULT);
}
TEST(remove_refusals) {
    put_file("f", "");
    OK(mkdir("d", 0700));
    OK(symlink("d", "s"));
    CHECK_ERR(rmdir("f"), ENOTDIR);
    CHECK_ERR(rmdir("s"), ENOTDIR);
    CHECK_ERR(rmdir("d/."), EINVAL);
    CHECK_ERR(rmdir("d/.."), ENOTEMPTY);
    CHECK_ERR(rmdir("/"), EBUSY);
    CHECK_ERR(unlinkat(AT_FDCWD, "d", 0), EISDIR);
    CHECK_ERR(unlinkat(AT_FDCWD, "d", 1), EINVAL);
    CHECK_ERR(unlinkat(AT_FDCWD, "f", AT_REMOVEDIR), ENOTDIR);
    OK(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
    OK(unlinkat(AT_FDCWD, "f", 0));
}
TEST(make_at) {
    OK(mkdir("d", 0755));
    int d = OK(open("d", O_RDONLY));
    OK(mkdirat(d, "e", 0755));
    OK(access("d/e", F_OK));
    CHECK_ERR(mkdirat(99, "e", 0755), EBADF);
    CHECK_ERR(mkdirat(d, "e", 0755), EEXIST);
}
TEST(list) {
    char b[2048];
    int found = 0;
    put_file("a", "");
    OK(mkdir("b", 0755));
    OK(symlink("a", "c"));
    int d = OK(open(".", O_RDONLY | O_DIRECTORY));
    for (long n; (n = OK(SYS(getdents64, d, b, sizeof b))) > 0;)
        for (long at = 0; at < n;) {
            struct entry64 *e = (void *)(b + at);
            at += e->length;
            CHECK_EQ(e->length % 8, 0);
            if (!strcmp(e->name, ".") || !strcmp(e->name, "..")) {
                CHECK_EQ(e->type, DT_DIR);
                found += 1;
                continue;
            }
            CHECK(strlen(e->name) == 1);
            CHECK_EQ(e->type, e->name[0] == 'a' ? DT_REG : e->name[0] == 'b' ? DT_DIR : DT_LNK);
            struct stat st;
            OK(lstat(e->name, &st));
            CHECK_EQ(e->ino, st.st_ino);
            found += 10;
        }
    CHECK_EQ(found, 32);
    OK(lseek(d, 0, SEEK_SET));
    CHECK(OK(SYS(getdents64, d, b, sizeof b)) > 0);
}
TEST(old_list) {
    char b[2048];
    put_file("a", "");
    int d = OK(open(".", O_RDONLY | O_DIRECTORY)), n = OK(SYS(getdents, d, b, sizeof b)), count = 0;
    for (int at = 0; at < n; count++) {
        unsigned short length = *(unsigned short *)(b + at + 16);
        const char *name = b + at + 18;
        // The type is the record's last byte.
        CHECK_EQ(b[at + length - 1], name[0] == 'a' ? DT_REG : DT_DIR);
        at += length;
    }
    CHECK_EQ(count, 3);
}
TEST(many_entries_in_pieces) {
    char name[32], b[512];
    char seen[500] = {0};
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "file%03d", i);
        close(OK(open(name, O_CREAT | O_WRONLY, 0600)));
    }
    int d = OK(open(".", O_RDONLY | O_DIRECTORY)), total = 0;
    for (long n; (n = OK(SYS(getdents64, d, b, sizeof b))) > 0;)
        for (long at = 0; at < n;) {
            struct entry64 *e = (void *)(b + at);
            at += e->length;
            int i;
            if (sscanf(e->name, "file%03d", &i) != 1) continue;
            CHECK_EQ(seen[i], 0);
            seen[i] = 1;
            total++;
        }
    CHECK_EQ(total, 500);
}
TEST(list_refusals) {
    char b[512];
    put_file("f", "");
    CHECK_ERR(SYS(getdents64, OK(open("f", O_RDONLY)), b, sizeof b), ENOTDIR);
    CHECK_ERR(SYS(getdents64, 99, b, sizeof b), EBADF);
    int d = OK(open(".", O_RDONLY));
    CHECK_ERR(SYS(getdents64, d, b, 8), EINVAL);
    CHECK_ERR(SYS(getdents64, d, BAD_POINTER, 512), EFAULT);
    OK(mkdir("gone", 0700));
    d = OK(open("gone", O_RDONLY));
    OK(rmdir("gone"));
    CHECK_ERR(SYS(getdents64, d, b, sizeof b), ENOENT);
}
TEST(working_directory) {
    char here[4096], b[4096];
    CHECK(getcwd(here, sizeof here) != NULL);
    OK(mkdir("d", 0755));
    OK(chdir("d"));
    strcat(here, "/d");
    CHECK_EQ(SYS(getcwd, b, sizeof b), strlen(here) + 1);
    CHECK_STR(b, here);
    int up = OK(open("..", O_RDONLY));
    OK(fchdir(up));
    OK(access("d", F_OK));
    put_file("f", "");
    CHECK_ERR(chdir("f"), ENOTDIR);
    CHECK_ERR(chdir("none"), ENOENT);
    CHECK_ERR(fchdir(OK(open("f", O_RDONLY))), ENOTDIR);
    CHECK_ERR(fchdir(99), EBADF);
    CHECK_ERR(SYS(getcwd, b, 3), ERANGE);
    CHECK_ERR(SYS(getcwd, BAD_POINTER, 4096), EFAULT);
    CHECK_ERR(SYS(chdir, BAD_POINTER), EFAULT);
}
TEST(a_removed_working_directory) {
    char b[4096];
    OK(mkdir("d", 0755));
    OK(chdir("d"));
    OK(rmdir("../d"));
    CHECK_ERR(SYS(getcwd, b, sizeof b), ENOENT);
    CHECK_ERR(open("x", O_CREAT | O_RDWR, 0600), ENOENT);
    OK(chdir(".."));
}
TEST(change_root) {
    OK(mkdir("jail", 0755));
    put_file("jail/inside", "in");
    OK(mkdir("jail/sub", 0755));
    CHECK_EXIT(CHILD(
        char b[64];
        OK(chroot("jail"));
        OK(chdir("/sub"));
        CHECK_STR(get_file("/inside"), "in");
        CHECK_STR(get_file("../../../inside"), "in");
        OK(SYS(getcwd, b, sizeof b));
        CHECK_STR(b, "/sub");
        CHECK_ERR(open("/dev/null", O_RDONLY), ENOENT)), 0);
    CHECK_ERR(chroot("none"), ENOENT);
    put_file("f", "");
    CHECK_ERR(chroot("f"), ENOTDIR);
    CHECK_EXIT(CHILD(OK(setuid(1000)); CHECK_ERR(chroot("."), EPERM)), 0);
}
TEST(deep_trees) {
    char top[4096];
    CHECK(getcwd(top, sizeof top) != NULL);
    for (int i = 0; i < 100; i++) {
        OK(mkdir("deep", 0755));
        OK(chdir("deep"));
    }
    char b[4096];
    CHECK(getcwd(b, sizeof b) != NULL);
    CHECK_EQ(strlen(b), strlen(top) + 500);
    for (int i = 0; i < 100; i++) {
        OK(chdir(".."));
        OK(rmdir("deep"));
    }
}
