// SPDX-License-Identifier: Apache-2.0
// syscalls: open mknod mmap mount ioctl lseek pread64 unshare
// needs: root
// Devices: the same wherever their nodes lie, and what little they can be asked.
#include "../guest.h"
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/random.h>

TEST(nodes_lead_to_devices_by_number) {
    char b[4];
    if (mknod("null", S_IFCHR | 0666, makedev(1, 3)) < 0) SKIP("device nodes are refused here");
    int fd = open("null", O_RDWR);
    if (fd < 0 && errno == EACCES) SKIP("this file system has no devices");
    CHECK_EQ(write(fd, "gone", 4), 4);
    CHECK_EQ(read(fd, b, 4), 0);
    OK(mknod("zero", S_IFCHR | 0600, makedev(1, 5)));
    CHECK_EQ(pread(OK(open("zero", O_RDONLY)), b, 4, 1000), 4);
    CHECK_EQ(b[3], 0);
    OK(mknod("none", S_IFCHR | 0600, makedev(250, 77)));
    CHECK_ERR(open("none", O_RDONLY), ENXIO);
    OK(mknod("pts", S_IFCHR | 0600, makedev(136, 0)));
    CHECK_ERR(open("pts", O_RDONLY | O_NOCTTY), EIO);
    // A ptmx needs a devpts beside it.
    OK(mkdir("d", 0700));
    OK(mknod("d/ptmx", S_IFCHR | 0600, makedev(5, 2)));
    CHECK_ERR(open("d/ptmx", O_RDWR | O_NOCTTY), ENOENT);
    OK(mkdir("d/pts", 0700));
    CHECK_ERR(open("d/ptmx", O_RDWR | O_NOCTTY), ENODEV);
}
TEST(devices_have_no_position) {
    static const char *const names[] = {"/dev/null", "/dev/zero", "/dev/full"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        int fd = OK(open(names[i], O_RDWR));
        CHECK_EQ(lseek(fd, 100, SEEK_SET), 0);
        CHECK_EQ(lseek(fd, 5, SEEK_CUR), 0);
    }
}
TEST(writes_to_null_look_at_nothing) {
    int fd = OK(open("/dev/null", O_WRONLY));
    CHECK_EQ(write(fd, BAD_POINTER, 4096), 4096);
    CHECK_ERR(read(OK(open("/dev/zero", O_RDONLY)), BAD_POINTER, 4), EFAULT);
    CHECK_ERR(fsync(fd), EINVAL);
}
TEST(shared_zero_pages_are_shared) {
    int fd = OK(open("/dev/zero", O_RDWR));
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), *q = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED && q != MAP_FAILED);
    CHECK_EXIT(CHILD(p[5000] = 7), 0);
    CHECK_EQ(p[5000], 7);
    CHECK_EQ(q[0], 0);
    int ro = OK(open("/dev/zero", O_RDONLY));
    CHECK_ERR((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0), EACCES);
}
TEST(the_random_devices) {
    unsigned char a[300], b[300];
    int fd = OK(open("/dev/urandom", O_RDWR)), bits = 0;
    CHECK_EQ(read(fd, a, 300), 300);
    CHECK_EQ(read(OK(open("/dev/random", O_RDONLY)), b, 300), 300);
    CHECK(memcmp(a, b, 300) != 0);
    CHECK_EQ(write(fd, a, 300), 300);
    OK(ioctl(fd, 0x80045200, &bits));
    CHECK_EQ(bits, 256);
    CHECK_ERR(ioctl(fd, 0x5401, a), EINVAL);
    CHECK_ERR((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0), ENODEV);
}
TEST(no_terminal_of_one_s_own) {
    CHECK_EXIT(CHILD(OK(setsid()); CHECK_ERR(open("/dev/tty", O_RDWR), ENXIO)), 0);
}
TEST(descriptors_open_again_by_name) {
    put_file("f", "text");
    int fd = OK(open("f", O_RDONLY));
    char name[32], b[8];
    sprintf(name, "/dev/fd/%d", fd);
    OK(lseek(fd, 2, SEEK_SET));
    int again = OK(open(name, O_RDONLY));
    CHECK_EQ(read(again, b, 8), 4);
    int p[2];
    OK(pipe(p));
    sprintf(name, "/proc/self/fd/%d", p[1]);
    int end = OK(open(name, O_WRONLY));
    CHECK_EQ(write(end, "x", 1), 1);
    CHECK_EQ(read(p[0], b, 8), 1);
    int zero = OK(open("/dev/zero", O_RDONLY));
    sprintf(name, "/proc/self/fd/%d", zero);
    CHECK_EQ(read(OK(open(name, O_RDONLY)), b, 8), 8);
}
TEST(each_devpts_has_terminals_of_its_own) {
    OK(unshare(CLONE_NEWNS));
    OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    OK(mkdir("pts", 0755));
    CHECK_ERR(mount("devpts", "pts", "devpts", 0, "nonsense=1"), EINVAL);
    OK(mount("devpts", "pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=666,mode=620,gid=5"));
    int n = -1, zero = 0, m = OK(open("pts/ptmx", O_RDWR | O_NOCTTY));
    OK(ioctl(m, TIOCGPTN, &n));
    CHECK_EQ(n, 0);
    struct stat st;
    OK(stat("pts/0", &st));
    CHECK_EQ(st.st_mode & 0777, 0620);
    CHECK_EQ(st.st_gid, 5);
    CHECK_EQ(major(st.st_rdev), 136);
    // A node beside it leads there too.
    OK(mknod("ptmx", S_IFCHR | 0666, makedev(5, 2)));
    int second = OK(open("ptmx", O_RDWR | O_NOCTTY));
    OK(ioctl(second, TIOCGPTN, &n));
    CHECK_EQ(n, 1);
    OK(ioctl(second, TIOCSPTLCK, &zero));
    int s = OK(open("pts/1", O_RDWR | O_NOCTTY));
    CHECK_EQ(write(second, "x\n", 2), 2);
    char b[4];
    CHECK_EQ(read(s, b, 4), 2);
}
