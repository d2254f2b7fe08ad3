// SPDX-License-Identifier: Apache-2.0
// syscalls: inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
// Being told of changes to files.
#include "../guest.h"
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/uio.h>

static char buffer[4096];
static ssize_t have, at;
static struct inotify_event *next(int fd) {
    if (at >= have) have = OK(read(fd, buffer, sizeof buffer)), at = 0;
    struct inotify_event *e = (void *)(buffer + at);
    at += sizeof *e + e->len;
    return e;
}
static void expect(int fd, int watch, uint32_t mask, const char *name) {
    struct inotify_event *e = next(fd);
    CHECK_EQ(e->wd, watch);
    CHECK_EQ(e->mask, mask);
    CHECK_STR(e->len ? e->name : "", name);
}

TEST(a_directory) {
    int fd = OK(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)), w = OK(inotify_add_watch(fd, ".", IN_ALL_EVENTS & ~IN_ACCESS));
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_ERR(read(fd, buffer, sizeof buffer), EAGAIN);
    put_file("a", "x");
    expect(fd, w, IN_CREATE, "a");
    expect(fd, w, IN_OPEN, "a");
    expect(fd, w, IN_MODIFY, "a");
    expect(fd, w, IN_CLOSE_WRITE, "a");
    OK(chmod("a", 0600));
    expect(fd, w, IN_ATTRIB, "a");
    OK(mkdir("d", 0700));
    expect(fd, w, IN_CREATE | IN_ISDIR, "d");
    OK(rename("a", "b"));
    struct inotify_event *e = next(fd);
    CHECK_EQ(e->mask, IN_MOVED_FROM);
    uint32_t cookie = e->cookie;
    CHECK(cookie != 0);
    e = next(fd);
    CHECK_EQ(e->mask, IN_MOVED_TO);
    CHECK_EQ(e->cookie, cookie);
    OK(unlink("b"));
    expect(fd, w, IN_DELETE, "b");
    OK(rmdir("d"));
    expect(fd, w, IN_DELETE | IN_ISDIR, "d");
}
TEST(a_file_that_goes_away) {
    put_file("f", "x");
    int fd = OK(inotify_init()), w = OK(inotify_add_watch(fd, "f", IN_DELETE_SELF | IN_MODIFY));
    int file = OK(open("f", O_WRONLY));
    CHECK_EQ(write(file, "y", 1), 1);
    expect(fd, w, IN_MODIFY, "");
    close(file);
    OK(unlink("f"));
    expect(fd, w, IN_DELETE_SELF, "");
    expect(fd, w, IN_IGNORED, "");
}
TEST(remove_a_watch) {
    int fd = OK(inotify_init1(0)), w = OK(inotify_add_watch(fd, ".", IN_CREATE));
    OK(inotify_rm_watch(fd, w));
    expect(fd, w, IN_IGNORED, "");
    CHECK_ERR(inotify_rm_watch(fd, w), EINVAL);
    CHECK_ERR(inotify_rm_watch(99, w), EBADF);
    CHECK_ERR(inotify_rm_watch(0, w), EINVAL);
}
TEST(one_shot_and_mask_change) {
    int fd = OK(inotify_init1(IN_NONBLOCK)), w = OK(inotify_add_watch(fd, ".", IN_CREATE | IN_ONESHOT));
    put_file("a", "");
    put_file("b", "");
    expect(fd, w, IN_CREATE, "a");
    expect(fd, w, IN_IGNORED, "");
    CHECK_ERR(read(fd, buffer, sizeof buffer), EAGAIN);
    w = OK(inotify_add_watch(fd, ".", IN_CREATE));
    CHECK_EQ(inotify_add_watch(fd, ".", IN_DELETE), w);
    put_file("c", "");
    OK(unlink("c"));
    expect(fd, w, IN_DELETE, "c");
    CHECK_EQ(inotify_add_watch(fd, ".", IN_CREATE | IN_MASK_ADD), w);
    put_file("d", "");
    expect(fd, w, IN_CREATE, "d");
}
TEST(equal_events_merge) {
    put_file("f", "x");
    int fd = OK(inotify_init1(IN_NONBLOCK)), w = OK(inotify_add_watch(fd, "f", IN_MODIFY)), file = OK(open("f", O_WRONLY)), waiting;
    CHECK_EQ(write(file, "1", 1), 1);
    CHECK_EQ(write(file, "2", 1), 1);
    OK(ioctl(fd, FIONREAD, &waiting));
    CHECK_EQ(waiting, sizeof(struct inotify_event));
    expect(fd, w, IN_MODIFY, "");
    CHECK_ERR(read(fd, buffer, sizeof buffer), EAGAIN);
}
TEST(waits) {
    int fd = OK(inotify_init1(0)), w = OK(inotify_add_watch(fd, ".", IN_CREATE));
    struct pollfd f = {fd, POLLIN, 0};
    CHECK_EQ(poll(&f, 1, 0), 0);
    pid_t child = CHILD(sleep_ms(20); put_file("late", ""));
    CHECK_EQ(poll(&f, 1, 3000), 1);
    expect(fd, w, IN_CREATE, "late");
    CHECK_EXIT(child, 0);
}
TEST(refusals) {
    int fd = OK(inotify_init1(0));
    CHECK_ERR(inotify_init1(1), EINVAL);
    CHECK_ERR(inotify_add_watch(fd, "nothing", IN_CREATE), ENOENT);
    CHECK_ERR(inotify_add_watch(fd, ".", 0), EINVAL);
    CHECK_ERR(inotify_add_watch(99, ".", IN_CREATE), EBADF);
    CHECK_ERR(inotify_add_watch(0, ".", IN_CREATE), EINVAL);
    CHECK_ERR(inotify_add_watch(fd, BAD_POINTER, IN_CREATE), EFAULT);
    put_file("f", "");
    CHECK_ERR(inotify_add_watch(fd, "f", IN_CREATE | IN_ONLYDIR), ENOTDIR);
    OK(inotify_add_watch(fd, ".", IN_CREATE));
    OK(fcntl(fd, F_SETFL, O_NONBLOCK));
    put_file("g", "");
    CHECK_ERR(read(fd, buffer, 4), EINVAL);
}
TEST(deleted_when_the_last_user_is_gone) {
    put_file("f", "x");
    int fd = OK(inotify_init1(IN_NONBLOCK)), w = OK(inotify_add_watch(fd, "f", IN_ALL_EVENTS & ~IN_OPEN)), file = OK(open("f", O_RDONLY));
    OK(unlink("f"));
    expect(fd, w, IN_ATTRIB, "");
    CHECK_ERR(read(fd, buffer, sizeof buffer), EAGAIN);
    CHECK_EQ(read(file, buffer, 1), 1);
    have = at = 0;
    expect(fd, w, IN_ACCESS, "");
    close(file);
    expect(fd, w, IN_CLOSE_NOWRITE, "");
    expect(fd, w, IN_DELETE_SELF, "");
    expect(fd, w, IN_IGNORED, "");
    CHECK_ERR(inotify_rm_watch(fd, w), EINVAL);
}
TEST(links_keep_a_file) {
    put_file("f", "x");
    OK(link("f", "g"));
    int fd = OK(inotify_init1(IN_NONBLOCK)), w = OK(inotify_add_watch(fd, "f", IN_DELETE_SELF | IN_ATTRIB | IN_MOVE_SELF));
    CHECK_EQ(inotify_add_watch(fd, "g", IN_DELETE_SELF | IN_ATTRIB | IN_MOVE_SELF), w);
    OK(unlink("f"));
    expect(fd, w, IN_ATTRIB, "");
    CHECK_ERR(read(fd, buffer, sizeof buffer), EAGAIN);
    OK(rename("g", "h"));
    expect(fd, w, IN_MOVE_SELF, "");
    put_file("over", "");
    OK(rename("over", "h"));
    expect(fd, w, IN_ATTRIB, "");
    expect(fd, w, IN_DELETE_SELF, "");
    expect(fd, w, IN_IGNORED, "");
}
TEST(between_two_directories) {
    OK(mkdir("a", 0700));
    OK(mkdir("b", 0700));
    put_file("a/f", "");
    int fd = OK(inotify_init1(IN_NONBLOCK)), wa = OK(inotify_add_watch(fd, "a", IN_MOVE | IN_DELETE_SELF)), wb = OK(inotify_add_watch(fd, "b", IN_MOVE));
    CHECK(wa != wb);
    OK(rename("a/f", "b/a name of some length"));
    struct inotify_event *e = next(fd);
    CHECK_EQ(e->wd, wa);
    CHECK_EQ(e->mask, IN_MOVED_FROM);
    CHECK_EQ(e->len, 16);
    uint32_t cookie = e->cookie;
    e = next(fd);
    CHECK_EQ(e->wd, wb);
    CHECK_EQ(e->mask, IN_MOVED_TO);
    CHECK_EQ(e->len, 32);
    CHECK_EQ(e->cookie, cookie);
    OK(rmdir("a"));
    expect(fd, wa, IN_DELETE_SELF, "");
    expect(fd, wa, IN_IGNORED, "");
}
TEST(children_that_are_unlinked_can_be_left_out) {
    int fd = OK(inotify_init1(IN_NONBLOCK)), w = OK(inotify_add_watch(fd, ".", IN_MODIFY | IN_EXCL_UNLINK)), file = OK(open("f", O_CREAT | O_RDWR, 0600));
    CHECK_EQ(write(file, "x", 1), 1);
    expect(fd, w, IN_MODIFY, "f");
    OK(unlink("f"));
    CHECK_EQ(write(file, "x", 1), 1);
    CHECK_ERR(read(fd, buffer, sizeof buffer), EAGAIN);
}
TEST(a_full_queue_says_so) {
    int fd = OK(inotify_init1(IN_NONBLOCK)), a = OK(open("a", O_CREAT | O_RDWR, 0600)), b = OK(open("b", O_CREAT | O_RDWR, 0600));
    OK(inotify_add_watch(fd, ".", IN_MODIFY));
    int most = atoi(get_file("/proc/sys/fs/inotify/max_queued_events"));
    CHECK(most > 0 && most <= 1 << 20);
    for (int i = 0; i < most / 2 + 10; i++) {
        CHECK_EQ(pwrite(a, "x", 1, 0), 1);
        CHECK_EQ(pwrite(b, "x", 1, 0), 1);
    }
    int events = 0, last_mask = 0, last_wd = 0;
    for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;)
        for (ssize_t i = 0; i < n; events++) {
            struct inotify_event *e = (void *)(buffer + i);
            last_mask = e->mask, last_wd = e->wd;
            i += sizeof *e + e->len;
        }
    CHECK_EQ(events, most + 1);
    CHECK_EQ(last_mask, IN_Q_OVERFLOW);
    CHECK_EQ(last_wd, -1);
}
TEST(an_unmounted_file_system) {
    if (geteuid() != 0) SKIP("needs root");
    CHECK_EXIT(CHILD(
        if (unshare(CLONE_NEWNS) < 0) SKIP("no mount namespaces");
        OK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
        OK(mkdir("m", 0755));
        OK(mount("none", "m", "tmpfs", 0, NULL));
        put_file("m/f", "");
        int fd = OK(inotify_init1(IN_NONBLOCK)); int w = OK(inotify_add_watch(fd, "m/f", IN_MODIFY));
        OK(umount2("m", 0));
        expect(fd, w, IN_UNMOUNT, "");
        expect(fd, w, IN_IGNORED, "")), 0);
}
TEST(what_write_and_truncate_tell) {
    put_file("f", "0123456789");
    int fd = OK(inotify_init1(IN_NONBLOCK)), w = OK(inotify_add_watch(fd, "f", IN_ALL_EVENTS));
    OK(truncate("f", 5));
    expect(fd, w, IN_MODIFY, "");
    int file = OK(open("f", O_RDWR | O_TRUNC));
    expect(fd, w, IN_OPEN, "");
    expect(fd, w, IN_MODIFY, "");
    CHECK_EQ(read(file, buffer, 10), 0);
    CHECK_EQ(pwrite(file, "abc", 3, 0), 3);
    struct iovec v = {buffer, 2};
    CHECK_EQ(preadv(file, &v, 1, 0), 2);
    have = at = 0;
    expect(fd, w, IN_MODIFY, "");
    expect(fd, w, IN_ACCESS, "");
    OK(fchmod(file, 0600));
    expect(fd, w, IN_ATTRIB, "");
    close(file);
    expect(fd, w, IN_CLOSE_WRITE, "");
    close(OK(open("f", O_PATH)));
    CHECK_ERR(read(fd, buffer, sizeof buffer), EAGAIN);
}
TEST(mask_options) {
    int fd = OK(inotify_init1(0));
    OK(inotify_add_watch(fd, ".", IN_CREATE));
    CHECK_ERR(inotify_add_watch(fd, ".", IN_CREATE | IN_MASK_CREATE), EEXIST);
    CHECK_ERR(inotify_add_watch(fd, ".", IN_CREATE | IN_MASK_CREATE | IN_MASK_ADD), EINVAL);
    CHECK_ERR(inotify_add_watch(fd, ".", 1 << 20), EINVAL);
    put_file("f", "");
    OK(symlink("f", "l"));
    int direct = OK(inotify_add_watch(fd, "f", IN_MODIFY)), through = OK(inotify_add_watch(fd, "l", IN_MODIFY));
    CHECK_EQ(direct, through);
    CHECK(OK(inotify_add_watch(fd, "l", IN_ATTRIB | IN_DONT_FOLLOW)) != direct);
}
