// SPDX-License-Identifier: Apache-2.0
// syscalls: setxattr lsetxattr fsetxattr getxattr lgetxattr fgetxattr listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr
// Extended attributes. The trusted name space is used: every file system of a root user has it, and "user." where it is offered.
#include "../guest.h"
#include <sys/xattr.h>

static const char *prefix(void) {
    put_file("probe", "");
    if (setxattr("probe", "user.x", "1", 1, 0) == 0) return "user";
    if (geteuid() == 0 && setxattr("probe", "trusted.x", "1", 1, 0) == 0) return "trusted";
    SKIP("no extended attributes here");
}
static char name_buffer[4][64];
static char *name(int i, const char *rest) {
    snprintf(name_buffer[i], sizeof name_buffer[i], "%s.%s", prefix(), rest);
    return name_buffer[i];
}

TEST(set_and_get) {
    char b[32], *n = name(0, "color");
    put_file("f", "");
    OK(setxattr("f", n, "blue", 4, 0));
    CHECK_EQ(getxattr("f", n, b, sizeof b), 4);
    CHECK_EQ(memcmp(b, "blue", 4), 0);
    CHECK_EQ(getxattr("f", n, NULL, 0), 4);
    CHECK_ERR(getxattr("f", n, b, 2), ERANGE);
    OK(setxattr("f", n, "red", 3, 0));
    CHECK_EQ(getxattr("f", n, b, sizeof b), 3);
    OK(setxattr("f", n, "", 0, 0));
    CHECK_EQ(getxattr("f", n, b, sizeof b), 0);
}
TEST(by_descriptor) {
    char b[32], *n = name(0, "k");
    put_file("f", "");
    int fd = OK(open("f", O_RDWR));
    OK(fsetxattr(fd, n, "v", 1, 0));
    CHECK_EQ(fgetxattr(fd, n, b, sizeof b), 1);
    CHECK(flistxattr(fd, b, sizeof b) > 0);
    OK(fremovexattr(fd, n));
    CHECK_ERR(fgetxattr(fd, n, b, sizeof b), ENODATA);
    CHECK_ERR(fsetxattr(99, n, "v", 1, 0), EBADF);
}
TEST(create_and_replace) {
    char *n = name(0, "k");
    put_file("f", "");
    CHECK_ERR(setxattr("f", n, "v", 1, XATTR_REPLACE), ENODATA);
    OK(setxattr("f", n, "v", 1, XATTR_CREATE));
    CHECK_ERR(setxattr("f", n, "v", 1, XATTR_CREATE), EEXIST);
    OK(setxattr("f", n, "w", 1, XATTR_REPLACE));
    CHECK_ERR(setxattr("f", n, "v", 1, 8), EINVAL);
}
TEST(list_and_remove) {
    char b[256], *one = name(0, "one"), *two = name(1, "two");
    put_file("f", "");
    CHECK_EQ(listxattr("f", b, sizeof b), 0);
    OK(setxattr("f", one, "1", 1, 0));
    OK(setxattr("f", two, "2", 1, 0));
    ssize_t n = OK(listxattr("f", b, sizeof b));
    CHECK_EQ(n, strlen(one) + strlen(two) + 2);
    CHECK(memmem(b, n, one, strlen(one) + 1) && memmem(b, n, two, strlen(two) + 1));
    CHECK_EQ(listxattr("f", NULL, 0), n);
    CHECK_ERR(listxattr("f", b, 3), ERANGE);
    OK(removexattr("f", one));
    CHECK_ERR(removexattr("f", one), ENODATA);
    CHECK_EQ(listxattr("f", b, sizeof b), strlen(two) + 1);
}
TEST(links_themselves) {
    char b[64];
    put_file("f", "");
    OK(symlink("f", "s"));
    if (geteuid() != 0) SKIP("needs root");
    if (lsetxattr("s", "trusted.l", "x", 1, 0) < 0 && (errno == EOPNOTSUPP || errno == EPERM)) SKIP("no attributes on links here");
    CHECK_EQ(lgetxattr("s", "trusted.l", b, sizeof b), 1);
    CHECK_ERR(lgetxattr("f", "trusted.l", b, sizeof b), ENODATA);
    CHECK_ERR(getxattr("s", "trusted.l", b, sizeof b), ENODATA);
    CHECK(llistxattr("s", b, sizeof b) >= 10);
    OK(lremovexattr("s", "trusted.l"));
    CHECK_ERR(lremovexattr("s", "trusted.l"), ENODATA);
}
TEST(refusals) {
    char b[64], long_name[300], *n = name(0, "k");
    put_file("f", "");
    CHECK_ERR(getxattr("none", n, b, sizeof b), ENOENT);
    CHECK_ERR(getxattr("f", n, b, sizeof b), ENODATA);
    CHECK_ERR(setxattr("f", "", "v", 1, 0), ERANGE);
    CHECK_ERR(setxattr("f", "nonsense.k", "v", 1, 0), EOPNOTSUPP);
    memset(long_name, 'a', sizeof long_name);
    memcpy(long_name, "user.", 5);
    long_name[299] = 0;
    CHECK_ERR(setxattr("f", long_name, "v", 1, 0), ERANGE);
    CHECK_ERR(setxattr("f", n, NULL, 70000, 0), E2BIG);
    CHECK_ERR(setxattr("f", n, BAD_POINTER, 4, 0), EFAULT);
    CHECK_ERR(getxattr("f", BAD_POINTER, b, 4), EFAULT);
}
