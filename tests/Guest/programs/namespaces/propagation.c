// SPDX-License-Identifier: Apache-2.0
// syscalls: mount umount2 pivot_root unshare mount_setattr
// How mounts and unmounts spread (mount_namespaces(7)): peers, slaves, and those that keep to themselves.
// needs: root
#include "../guest.h"
#include <sys/mount.h>

struct attributes { uint64_t set, clear, propagation, user_namespace; };

// The case's folder becomes a private tmpfs in a mount namespace of its own.
static void own_namespace(void) {
    OK(unshare(CLONE_NEWNS));
    OK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
    OK(mkdir("top", 0755));
    OK(mount("none", "top", "tmpfs", 0, NULL));
    OK(chdir("top"));
}
// A tmpfs at a place, with a file that tells it.
static void put_mount(const char *place) {
    char path[128];
    snprintf(path, sizeof path, "%s/f", place);
    OK(mount(place, place, "tmpfs", 0, NULL));
    put_file(path, place);
}
// Whose file is to be seen at a place; "" for none.
static const char *seen(const char *place) {
    char path[128];
    snprintf(path, sizeof path, "%s/f", place);
    return access(path, F_OK) ? "" : get_file(path);
}
static void change(const char *place, unsigned long type) { OK(mount(NULL, place, NULL, type, NULL)); }
static void bind(const char *from, const char *to) {
    mkdir(to, 0755);
    OK(mount(from, to, NULL, MS_BIND, NULL));
}
// The optional fields of a mount, as in " shared:1 master:2"; the last one at a place counts.
static char *fields(const char *place) {
    static char result[128];
    char end[64], *text = get_file("/proc/self/mountinfo");
    snprintf(end, sizeof end, "/%s ", place);
    *result = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char point[256], options[256];
        int at = 0;
        if (sscanf(line, "%*s %*s %*s %*s %255s %255s%n", point, options, &at) != 2) continue;
        strcat(point, " ");
        if (strlen(point) < strlen(end) || strcmp(point + strlen(point) - strlen(end), end)) continue;
        char *dash = strstr(line + at, " - ");
        CHECK(dash != NULL);
        snprintf(result, sizeof result, "%.*s", (int)(dash - line - at), line + at);
    }
    return result;
}
static int number_of(const char *place, const char *name) {
    char *at = strstr(fields(place), name);
    return at ? atoi(at + strlen(name)) : 0;
}

TEST(peers_pass_on_both_ways) {
    own_namespace();
    OK(mkdir("a", 0755));
    put_mount("a");
    change("a", MS_SHARED);
    bind("a", "b");
    bind("b", "c");
    CHECK(number_of("a", "shared:") > 0);
    CHECK_EQ(number_of("a", "shared:"), number_of("c", "shared:"));
    OK(mkdir("a/m", 0755));
    put_mount("b/m");
    CHECK_STR(seen("a/m"), "b/m");
    CHECK_STR(seen("c/m"), "b/m");
    CHECK_EQ(number_of("a/m", "shared:"), number_of("c/m", "shared:"));
    CHECK(number_of("a/m", "shared:") != number_of("a", "shared:"));
    // What lies deeper spreads as well, and goes as it came.
    OK(mkdir("a/m/n", 0755));
    put_mount("c/m/n");
    CHECK_STR(seen("a/m/n"), "c/m/n");
    OK(umount2("b/m/n", 0));
    CHECK_STR(seen("a/m/n"), "");
    OK(umount2("a/m", 0));
    CHECK_STR(seen("b/m"), "");
    CHECK_STR(seen("c/m"), "");
    // One that leaves the group keeps what it has.
    put_mount("a/m");
    change("b", MS_PRIVATE);
    CHECK_STR(fields("b"), "");
    OK(umount2("c/m", 0));
    CHECK_STR(seen("a/m"), "");
    CHECK_STR(seen("b/m"), "a/m");
}
TEST(slaves_receive_only) {
    own_namespace();
    OK(mkdir("a", 0755));
    put_mount("a");
    change("a", MS_SHARED);
    OK(mkdir("a/m", 0755));
    OK(mkdir("a/n", 0755));
    bind("a", "b");
    change("b", MS_SLAVE);
    CHECK_EQ(number_of("b", "master:"), number_of("a", "shared:"));
    CHECK_EQ(number_of("b", "shared:"), 0);
    put_mount("a/m");
    CHECK_STR(seen("b/m"), "a/m");
    CHECK_EQ(number_of("b/m", "master:"), number_of("a/m", "shared:"));
    put_mount("b/n");
    CHECK_STR(seen("a/n"), "");
    CHECK_STR(fields("b/n"), "");
    // Where the slave has one already, the new one goes beneath it.
    put_mount("a/n");
    CHECK_STR(seen("b/n"), "b/n");
    OK(umount2("b/n", 0));
    CHECK_STR(seen("b/n"), "a/n");
    OK(umount2("a/m", 0));
    CHECK_STR(seen("b/m"), "");
    // A slave's unmount is its own affair.
    OK(umount2("b/n", 0));
    CHECK_STR(seen("a/n"), "a/n");
    // A copy of a slave is a slave, too; one that is private has no master any more.
    bind("b", "c");
    CHECK_EQ(number_of("c", "master:"), number_of("a", "shared:"));
    change("c", MS_PRIVATE);
    CHECK_STR(fields("c"), "");
    put_mount("a/m");
    CHECK_STR(seen("b/m"), "a/m");
    CHECK_STR(seen("c/m"), "");
    // Whoever was alone in its group leaves no slaves behind.
    OK(umount2("a", MNT_DETACH));
    CHECK_STR(fields("b"), "");
}
TEST(a_slave_may_be_shared) {
    own_namespace();
    OK(mkdir("a", 0755));
    put_mount("a");
    change("a", MS_SHARED);
    OK(mkdir("a/m", 0755));
    OK(mkdir("a/n", 0755));
    bind("a", "b");
    change("b", MS_SLAVE);
    change("b", MS_SHARED);
    bind("b", "c");
    bind("c", "d");
    change("d", MS_SLAVE);
    CHECK_EQ(number_of("b", "master:"), number_of("a", "shared:"));
    CHECK_EQ(number_of("b", "shared:"), number_of("c", "shared:"));
    CHECK_EQ(number_of("d", "master:"), number_of("c", "shared:"));
    put_mount("a/m");
    CHECK_STR(seen("b/m"), "a/m");
    CHECK_STR(seen("c/m"), "a/m");
    CHECK_STR(seen("d/m"), "a/m");
    CHECK_EQ(number_of("b/m", "master:"), number_of("a/m", "shared:"));
    CHECK_EQ(number_of("b/m", "shared:"), number_of("c/m", "shared:"));
    CHECK_EQ(number_of("d/m", "master:"), number_of("c/m", "shared:"));
    put_mount("b/n");
    CHECK_STR(seen("a/n"), "");
    CHECK_STR(seen("c/n"), "b/n");
    CHECK_STR(seen("d/n"), "b/n");
    OK(umount2("a/m", 0));
    CHECK_STR(seen("b/m"), "");
    CHECK_STR(seen("d/m"), "");
    // The group in the middle ends: who received from it receives from its master.
    change("b", MS_PRIVATE);
    change("c", MS_PRIVATE);
    CHECK_EQ(number_of("d", "master:"), number_of("a", "shared:"));
    put_mount("a/m");
    CHECK_STR(seen("c/m"), "");
    CHECK_STR(seen("d/m"), "a/m");
}
TEST(private_ones_keep_to_themselves) {
    own_namespace();
    OK(mkdir("a", 0755));
    put_mount("a");
    OK(mkdir("a/m", 0755));
    bind("a", "b");
    change("b", MS_SLAVE); // Of nobody.
    CHECK_STR(fields("a"), "");
    CHECK_STR(fields("b"), "");
    put_mount("a/m");
    CHECK_STR(seen("b/m"), "");
    change("a", MS_UNBINDABLE);
    CHECK_STR(fields("a"), " unbindable");
    OK(mkdir("c", 0755));
    CHECK_ERR(mount("a", "c", NULL, MS_BIND, NULL), EINVAL);
    // Below what is bound it is left out.
    OK(mkdir("/tmp/all", 0755));
    OK(mount(".", "/tmp/all", NULL, MS_BIND | MS_REC, NULL));
    CHECK_STR(seen("/tmp/all/a"), "");
    CHECK_STR(seen("/tmp/all/b"), "a");
    OK(umount2("/tmp/all", MNT_DETACH));
    OK(rmdir("/tmp/all"));
    change("a", MS_SHARED);
    CHECK(number_of("a", "shared:") > 0);
    bind("a", "c");
}
TEST(only_what_lies_within_spreads) {
    own_namespace();
    OK(mkdir("a", 0755));
    put_mount("a");
    change("a", MS_SHARED);
    OK(mkdir("a/sub", 0755));
    OK(mkdir("a/sub/m", 0755));
    OK(mkdir("a/other", 0755));
    bind("a/sub", "b");
    put_mount("a/other");
    put_mount("a/sub/m");
    CHECK_STR(seen("b/m"), "a/sub/m");
    CHECK_STR(seen("b/other"), "");
    OK(umount2("b/m", 0));
    CHECK_STR(seen("a/sub/m"), "");
}
TEST(trees_spread_whole) {
    own_namespace();
    OK(mkdir("a", 0755));
    put_mount("a");
    change("a", MS_SHARED);
    bind("a", "b");
    OK(mkdir("t", 0755));
    put_mount("t");
    OK(mkdir("t/u", 0755));
    put_mount("t/u");
    OK(mkdir("a/m", 0755));
    OK(mount("t", "a/m", NULL, MS_BIND | MS_REC, NULL));
    CHECK_STR(seen("b/m"), "t");
    CHECK_STR(seen("b/m/u"), "t/u");
    CHECK_EQ(number_of("b/m/u", "shared:"), number_of("a/m/u", "shared:"));
    CHECK_STR(fields("t"), "");
    CHECK_ERR(umount2("a/m", 0), EBUSY);
    OK(umount2("a/m", MNT_DETACH));
    CHECK_STR(seen("b/m"), "");
    CHECK_STR(seen("t/u"), "t/u");
    // A copy of the group's own within it does not end up in itself.
    OK(mount("a", "a/m", NULL, MS_BIND, NULL));
    CHECK_STR(seen("b/m"), "a");
    CHECK_STR(seen("b/m/m"), "");
    CHECK_STR(seen("a/m/m"), "");
}
TEST(moves_and_a_new_root) {
    own_namespace();
    OK(mkdir("a", 0755));
    put_mount("a");
    change("a", MS_SHARED);
    bind("a", "b");
    OK(mkdir("a/m", 0755));
    OK(mkdir("t", 0755));
    put_mount("t");
    OK(mkdir("t/u", 0755));
    put_mount("t/u");
    OK(mount("t", "a/m", NULL, MS_MOVE, NULL));
    CHECK_STR(seen("t"), "");
    CHECK_STR(seen("b/m"), "t");
    CHECK_STR(seen("b/m/u"), "t/u");
    // Away from a shared one nothing is moved, nor onto it what must not be copied.
    CHECK_ERR(mount("a/m", "t", NULL, MS_MOVE, NULL), EINVAL);
    OK(mkdir("k", 0755));
    put_mount("k");
    change("k", MS_UNBINDABLE);
    OK(mkdir("a/k", 0755));
    CHECK_ERR(mount("k", "a/k", NULL, MS_MOVE, NULL), EINVAL);
    OK(mkdir("t/k", 0755));
    OK(mount("k", "t/k", NULL, MS_MOVE, NULL));
    CHECK_STR(seen("t/k"), "k");
    OK(mkdir("a/m/old", 0755));
    CHECK_ERR(SYS(pivot_root, "a/m", "a/m/old"), EINVAL);
}
TEST(busy_copies) {
    own_namespace();
    OK(mkdir("a", 0755));
    put_mount("a");
    change("a", MS_SHARED);
    bind("a", "b");
    OK(mkdir("a/m", 0755));
    put_mount("a/m");
    int fd = OK(open("b/m/f", O_RDONLY));
    CHECK_ERR(umount2("a/m", 0), EBUSY);
    CHECK_STR(seen("b/m"), "a/m");
    OK(close(fd));
    OK(umount2("a/m", 0));
    put_mount("a/m");
    fd = OK(open("b/m/f", O_RDONLY));
    OK(umount2("a/m", MNT_DETACH));
    CHECK_STR(seen("b/m"), "");
    char x;
    CHECK_EQ(read(fd, &x, 1), 1);
}
TEST(between_namespaces) {
    own_namespace();
    int ready[2], go[2];
    char x;
    OK(pipe(ready));
    OK(pipe(go));
    OK(mkdir("a", 0755));
    put_mount("a");
    change("a", MS_SHARED);
    OK(mkdir("a/m", 0755));
    OK(mkdir("a/n", 0755));
    int shared = number_of("a", "shared:");
    pid_t pid = CHILD(
        OK(unshare(CLONE_NEWNS));
        CHECK_EQ(number_of("a", "shared:"), shared);
        put_mount("a/n");
        CHECK_EQ(write(ready[1], "r", 1), 1);
        CHECK_EQ(read(go[0], &x, 1), 1);
        CHECK_STR(seen("a/m"), "a/m");
        CHECK_STR(seen("a/n"), "");
        // As a slave it still receives; as a private one it does not.
        OK(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL));
        OK(umount2("a/m", 0));
        CHECK_EQ(write(ready[1], "r", 1), 1);
        CHECK_EQ(read(go[0], &x, 1), 1);
        CHECK_STR(seen("a/n"), "a/n"));
    CHECK_EQ(read(ready[0], &x, 1), 1);
    CHECK_STR(seen("a/n"), "a/n");
    OK(umount2("a/n", 0));
    put_mount("a/m");
    CHECK_EQ(write(go[1], "g", 1), 1);
    CHECK_EQ(read(ready[0], &x, 1), 1);
    CHECK_STR(seen("a/m"), "a/m");
    put_mount("a/n");
    CHECK_EQ(write(go[1], "g", 1), 1);
    CHECK_EXIT(pid, 0);
    // Its end takes nothing away here.
    CHECK_STR(seen("a/n"), "a/n");
}
TEST(a_namespace_of_another_user_is_a_slave) {
    own_namespace();
    OK(mkdir("a", 0755));
    put_mount("a");
    change("a", MS_SHARED);
    OK(mkdir("a/m", 0755));
    int shared = number_of("a", "shared:"), ready[2], go[2];
    char x;
    OK(pipe(ready));
    OK(pipe(go));
    pid_t pid = CHILD(
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS)) _exit(77);
        CHECK_EQ(number_of("a", "shared:"), 0);
        CHECK_EQ(number_of("a", "master:"), shared);
        CHECK_EQ(write(ready[1], "r", 1), 1);
        CHECK_EQ(read(go[0], &x, 1), 1);
        CHECK_STR(seen("a/m"), "a/m"));
    close(ready[1]);
    if (read(ready[0], &x, 1) != 1) SKIP("no user namespaces here");
    put_mount("a/m");
    CHECK_EQ(write(go[1], "g", 1), 1);
    CHECK_EXIT(pid, 0);
}
TEST(types_are_set_for_trees_and_by_descriptor) {
    own_namespace();
    OK(mkdir("a", 0755));
    put_mount("a");
    OK(mkdir("a/m", 0755));
    put_mount("a/m");
    change("a", MS_SHARED | MS_REC);
    CHECK(number_of("a", "shared:") > 0 && number_of("a/m", "shared:") > 0);
    CHECK(number_of("a", "shared:") != number_of("a/m", "shared:"));
    CHECK_ERR(mount(NULL, "a", NULL, MS_SHARED | MS_PRIVATE, NULL), EINVAL);
    CHECK_ERR(mount(NULL, "a/m/f", NULL, MS_SHARED, NULL), EINVAL);
    struct attributes a = {.propagation = MS_PRIVATE};
    OK(SYS(mount_setattr, AT_FDCWD, "a", 0, &a, sizeof a));
    CHECK_STR(fields("a"), "");
    CHECK(number_of("a/m", "shared:") > 0);
    a.propagation = MS_UNBINDABLE;
    OK(SYS(mount_setattr, AT_FDCWD, "a", 0x8000 /* AT_RECURSIVE */, &a, sizeof a));
    CHECK_STR(fields("a/m"), " unbindable");
}
