// SPDX-License-Identifier: Apache-2.0
// syscalls: mount umount2 pivot_root fsopen fsconfig fsmount open_tree move_mount mount_setattr chroot name_to_handle_at open_by_handle_at
// Mounts in a namespace of one's own: flags, copies, moves, and the calls that take descriptors.
// needs: root
#include "../guest.h"
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

struct attributes { uint64_t set, clear, propagation, user_namespace; };

// The case's folder becomes a tmpfs in a mount namespace where nothing spreads.
static void own_namespace(void) {
    OK(unshare(CLONE_NEWNS));
    OK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
    OK(mkdir("top", 0755));
    OK(mount("none", "top", "tmpfs", 0, NULL));
    OK(chdir("top"));
}
static int is_listed(const char *text) { return strstr(get_file("/proc/self/mountinfo"), text) != NULL; }

TEST(options_of_a_tmpfs) {
    own_namespace();
    struct stat st;
    struct statfs fs;
    OK(mkdir("m", 0755));
    OK(mount("some source", "m", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOATIME, "mode=0751,uid=5,gid=6,size=64k"));
    OK(stat("m", &st));
    CHECK_EQ(st.st_mode & 07777, 0751);
    CHECK_EQ(st.st_uid, 5);
    CHECK_EQ(st.st_gid, 6);
    OK(statfs("m", &fs));
    CHECK_EQ(fs.f_type, 0x01021994);
    CHECK_EQ(fs.f_blocks * fs.f_bsize, 65536);
    CHECK_EQ(fs.f_flags & (ST_NOSUID | ST_NODEV | ST_NOATIME | ST_NOEXEC), ST_NOSUID | ST_NODEV | ST_NOATIME);
    CHECK(is_listed("/m rw,nosuid,nodev,noatime"));
    CHECK(is_listed("- tmpfs some\\040source rw"));
    int fd = OK(open("m/f", O_CREAT | O_RDWR, 0600));
    static char block[65536];
    CHECK_EQ(write(fd, block, sizeof block), 65536);
    CHECK_ERR(write(fd, block, 4096), ENOSPC);
    OK(unlink("m/f"));
    close(fd);
    CHECK_ERR(mount("none", "m", "tmpfs", 0, "nonsense=1"), EINVAL);
    CHECK_ERR(mount("none", "m", "tmpfs", 0, "mode=9"), EINVAL);
    CHECK_ERR(mount("none", "m", NULL, 0, NULL), EINVAL);
}
TEST(remounting) {
    own_namespace();
    OK(mkdir("m", 0755));
    OK(mount("none", "m", "tmpfs", 0, NULL));
    int fd = OK(open("m/f", O_CREAT | O_RDWR, 0600));
    close(fd);
    OK(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
    CHECK_ERR(open("m/f", O_RDWR), EROFS);
    OK(mount(NULL, "m", NULL, MS_REMOUNT, NULL));
    close(OK(open("m/f", O_RDWR)));
    CHECK_ERR(mount(NULL, "m/f", NULL, MS_REMOUNT, NULL), EINVAL);
    OK(mount("m/f", "m/f", NULL, MS_BIND, NULL));
    CHECK_ERR(unlink("m/f"), EBUSY);
    OK(umount2("m/f", 0));
    OK(unlink("m/f"));
}
TEST(binds_with_what_lies_on_them) {
    own_namespace();
    OK(mkdir("a", 0755));
    OK(mkdir("a/sub", 0755));
    OK(mount("none", "a/sub", "tmpfs", 0, NULL));
    put_file("a/sub/f", "x");
    OK(mkdir("b", 0755));
    OK(mount("a", "b", NULL, MS_BIND, NULL));
    CHECK_ERR(access("b/sub/f", F_OK), ENOENT);
    OK(umount2("b", 0));
    OK(mount("a", "b", NULL, MS_BIND | MS_REC, NULL));
    OK(access("b/sub/f", F_OK));
    CHECK_ERR(umount2("b", 0), EBUSY);
    OK(umount2("b", MNT_DETACH));
    CHECK_ERR(access("b/sub/f", F_OK), ENOENT);
    OK(access("a/sub/f", F_OK));
    OK(mount(NULL, "a/sub", NULL, MS_UNBINDABLE, NULL));
    CHECK_ERR(mount("a/sub", "b", NULL, MS_BIND, NULL), EINVAL);
    CHECK_ERR(mount(NULL, "b", NULL, MS_BIND, NULL), EINVAL);
    CHECK_ERR(mount(NULL, "a/sub", NULL, MS_PRIVATE | MS_SHARED, NULL), EINVAL);
    CHECK_ERR(mount(NULL, "b", NULL, MS_PRIVATE, NULL), EINVAL);
}
TEST(moves) {
    own_namespace();
    OK(mkdir("a", 0755));
    OK(mkdir("b", 0755));
    OK(mount("none", "a", "tmpfs", 0, NULL));
    put_file("a/f", "");
    OK(mkdir("a/inside", 0755));
    OK(mount("a", "b", NULL, MS_MOVE, NULL));
    OK(access("b/f", F_OK));
    CHECK_ERR(access("a/f", F_OK), ENOENT);
    CHECK_ERR(mount("b", "b/inside", NULL, MS_MOVE, NULL), ELOOP);
    CHECK_ERR(mount("a", "b", NULL, MS_MOVE, NULL), EINVAL);
}
TEST(stacked_mounts) {
    own_namespace();
    OK(mkdir("m", 0755));
    OK(mount("one", "m", "tmpfs", 0, NULL));
    put_file("m/one", "");
    OK(mount("two", "m", "tmpfs", 0, NULL));
    put_file("m/two", "");
    CHECK_ERR(access("m/one", F_OK), ENOENT);
    CHECK_ERR(umount2("m", MNT_EXPIRE), EAGAIN);
    OK(umount2("m", MNT_EXPIRE));
    OK(access("m/one", F_OK));
    CHECK_ERR(umount2("m", MNT_EXPIRE | MNT_DETACH), EINVAL);
    OK(umount2("m", 0));
}
TEST(a_new_root_in_the_manual_s_way) {
    own_namespace();
    OK(mkdir("new", 0755));
    OK(mount("none", "new", "tmpfs", 0, NULL));
    put_file("new/here", "");
    OK(chdir("new"));
    OK(SYS(pivot_root, ".", "."));
    OK(umount2(".", MNT_DETACH));
    OK(chdir("/"));
    OK(access("/here", F_OK));
    CHECK_ERR(access("/proc", F_OK), ENOENT);
    CHECK_ERR(SYS(pivot_root, "/here", "/"), ENOTDIR);
    CHECK_ERR(SYS(pivot_root, "/", "/"), EBUSY);
}
TEST(mounts_by_descriptor) {
    own_namespace();
    int context = SYS(fsopen, "tmpfs", 1);
    if (context < 0 && errno == ENOSYS) SKIP("no fsopen");
    CHECK(context >= 0);
    CHECK_EQ(fcntl(context, F_GETFD), FD_CLOEXEC);
    CHECK_ERR(SYS(fsopen, "nosuchfs", 0), ENODEV);
    CHECK_ERR(SYS(fsopen, "tmpfs", 2), EINVAL);
    CHECK_ERR(SYS(fsmount, context, 0, 0), EINVAL);
    OK(SYS(fsconfig, context, 1, "source", "from here", 0));
    OK(SYS(fsconfig, context, 1, "mode", "0700", 0));
    CHECK_ERR(SYS(fsconfig, context, 1, "mode", NULL, 0), EINVAL);
    CHECK_ERR(SYS(fsconfig, 0, 1, "mode", "0700", 0), EINVAL);
    CHECK_ERR(SYS(fsconfig, 99, 1, "mode", "0700", 0), EBADF);
    OK(SYS(fsconfig, context, 6, NULL, NULL, 0));
    CHECK_ERR(SYS(fsconfig, context, 6, NULL, NULL, 0), EBUSY);
    int made = OK(SYS(fsmount, context, 1, 8 /* MOUNT_ATTR_NOEXEC */));
    CHECK_EQ(fcntl(made, F_GETFD), FD_CLOEXEC);
    int f = OK(openat(made, "f", O_CREAT | O_RDWR, 0600));
    close(f);
    OK(mkdir("m", 0755));
    OK(SYS(move_mount, made, "", AT_FDCWD, "m", 4));
    OK(access("m/f", F_OK));
    CHECK(is_listed("/m rw,noexec"));
    CHECK(is_listed("- tmpfs from\\040here rw"));
    struct stat st;
    OK(stat("m", &st));
    CHECK_EQ(st.st_mode & 07777, 0700);
    close(made);
    close(context);
    OK(access("m/f", F_OK));
    OK(umount2("m", 0));
    CHECK_ERR(access("m/f", F_OK), ENOENT);
}
TEST(trees_by_descriptor) {
    own_namespace();
    OK(mkdir("a", 0755));
    OK(mkdir("a/sub", 0755));
    OK(mount("none", "a/sub", "tmpfs", 0, NULL));
    put_file("a/f", "");
    put_file("a/sub/g", "");
    OK(mkdir("b", 0755));
    int tree = SYS(open_tree, AT_FDCWD, "a", 1 | 0x8000 /* OPEN_TREE_CLONE | AT_RECURSIVE */);
    if (tree < 0 && errno == ENOSYS) SKIP("no open_tree");
    CHECK(tree >= 0);
    OK(faccessat(tree, "sub/g", F_OK, 0));
    struct attributes read_only = {.set = 1 /* MOUNT_ATTR_RDONLY */};
    OK(SYS(mount_setattr, tree, "", AT_EMPTY_PATH | 0x8000, &read_only, sizeof read_only));
    OK(SYS(move_mount, tree, "", AT_FDCWD, "b", 4));
    OK(access("b/sub/g", F_OK));
    CHECK_ERR(open("b/sub/h", O_CREAT | O_RDWR, 0600), EROFS);
    close(OK(open("a/sub/h", O_CREAT | O_RDWR, 0600)));
    struct attributes writable = {.clear = 1};
    OK(SYS(mount_setattr, AT_FDCWD, "b/sub", 0, &writable, sizeof writable));
    close(OK(open("b/sub/h", O_RDWR)));
    CHECK_ERR(open("b/f", O_RDWR), EROFS);
    CHECK_ERR(SYS(mount_setattr, AT_FDCWD, "a", 0, &writable, sizeof writable), EINVAL);
    CHECK_ERR(SYS(mount_setattr, AT_FDCWD, "b", 0, &writable, 8), EINVAL);
    struct attributes unknown = {.set = 1ull << 40};
    CHECK_ERR(SYS(mount_setattr, AT_FDCWD, "b", 0, &unknown, sizeof unknown), EINVAL);
    CHECK_ERR(SYS(move_mount, tree, "", AT_FDCWD, "b", 1 << 20), EINVAL);
    close(tree);
    OK(access("b/sub/g", F_OK));
    close(OK(SYS(open_tree, AT_FDCWD, "a", 1)));
    CHECK_ERR(SYS(open_tree, AT_FDCWD, "a", 0x8000), EINVAL);
}
TEST(who_may) {
    own_namespace();
    OK(mkdir("m", 0755));
    OK(chmod(".", 0777));
    OK(setuid(1000));
    struct attributes none = {0};
    CHECK_ERR(mount("none", "m", "tmpfs", 0, NULL), EPERM);
    CHECK_ERR(SYS(fsopen, "tmpfs", 0), EPERM);
    CHECK_ERR(SYS(open_tree, AT_FDCWD, "m", 1), EPERM);
    CHECK_ERR(SYS(mount_setattr, AT_FDCWD, "m", 0, &none, sizeof none), EPERM);
    CHECK_ERR(SYS(pivot_root, "m", "m"), EPERM);
    CHECK_ERR(chroot("m"), EPERM);
}
TEST(file_handles_or_a_plain_refusal) {
    struct { struct file_handle h; char room[128]; } handle = {.h.handle_bytes = 128};
    int mount_id;
    put_file("f", "");
    CHECK_ERR(name_to_handle_at(AT_FDCWD, "nothing", &handle.h, &mount_id, 0), ENOENT);
    CHECK_ERR(name_to_handle_at(AT_FDCWD, "f", &handle.h, &mount_id, 1 << 20), EINVAL);
    if (name_to_handle_at(AT_FDCWD, "f", &handle.h, &mount_id, 0) < 0) CHECK_EQ(errno, EOPNOTSUPP);
    CHECK_EXIT(CHILD(OK(setuid(1000)); CHECK_ERR(open_by_handle_at(AT_FDCWD, &handle.h, O_RDONLY), EPERM)), 0);
}
