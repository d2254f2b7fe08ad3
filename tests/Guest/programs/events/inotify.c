// SPDX-License-Identifier: Apache-2.0
// syscalls: inotify_init inotify_init1 inotify_add_watch inotify_rm_watch
// Being told of changes to files.
#include "../guest.h"
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

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
