// SPDX-License-Identifier: Apache-2.0
// syscalls: memfd_create memfd_secret pkey_alloc pkey_free pkey_mprotect process_vm_readv process_vm_writev process_madvise membarrier userfaultfd
// Memory as a file, and memory of others.
#include "../guest.h"
#include <linux/membarrier.h>
#include <sys/uio.h>

TEST(a_file_without_a_name) {
    int fd = OK(memfd_create("name", MFD_CLOEXEC));
    CHECK_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_EQ(write(fd, "hello", 5), 5);
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    CHECK_STR(p, "hello");
    p[0] = 'J';
    char b[8] = "", path[64], link[64] = "";
    CHECK_EQ(pread(fd, b, 8, 0), 5);
    CHECK_STR(b, "Jello");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    OK(readlink(path, link, 63));
    CHECK_STR(link, "/memfd:name (deleted)");
    struct stat st;
    OK(fstat(fd, &st));
    CHECK_EQ(st.st_size, 5);
    CHECK_EQ(st.st_nlink, 0);
}
TEST(seals) {
    int fd = OK(memfd_create("s", MFD_ALLOW_SEALING));
    OK(ftruncate(fd, 4096));
    CHECK_EQ(fcntl(fd, F_GET_SEALS), 0);
    OK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
    CHECK_ERR(ftruncate(fd, 8192), EPERM);
    OK(ftruncate(fd, 2048));
    OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    CHECK_ERR(ftruncate(fd, 10), EPERM);
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK_ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    OK(munmap(p, 4096));
    OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    CHECK_ERR(write(fd, "x", 1), EPERM);
    CHECK_ERR((long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), EPERM);
    OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
    CHECK_ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
    CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_WRITE | F_SEAL_SEAL);
}
TEST(unsealable_without_the_flag) {
    int fd = OK(memfd_create("s", 0));
    CHECK_EQ(fcntl(fd, F_GET_SEALS), F_SEAL_SEAL);
    CHECK_ERR(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
    put_file("f", "");
    CHECK(fcntl(OK(open("f", O_RDWR)), F_ADD_SEALS, F_SEAL_GROW) == -1);
}
TEST(memfd_refusals) {
    char name[300];
    memset(name, 'n', sizeof name);
    name[299] = 0;
    CHECK_ERR(memfd_create(name, 0), EINVAL);
    CHECK_ERR(memfd_create("n", 1 << 20), EINVAL);
    CHECK_ERR(SYS(memfd_create, BAD_POINTER, 0), EFAULT);
}
TEST(run_a_memfd) {
    int fd = OK(memfd_create("program", MFD_CLOEXEC)), self = OK(open("/proc/self/exe", O_RDONLY));
    char b[65536];
    for (ssize_t n; (n = OK(read(self, b, sizeof b))) > 0;) CHECK_EQ(write(fd, b, n), n);
    char *arguments[] = {"again", "--list", NULL};
    pid_t pid = CHILD(
        dup2(OK(open("/dev/null", O_WRONLY)), 1);
        fexecve(fd, arguments, environ));
    CHECK_EXIT(pid, 0);
}
TEST(memory_of_a_child) {
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ready[2], go[2];
    OK(pipe(ready));
    OK(pipe(go));
    pid_t pid = CHILD(
        char x;
        strcpy(p, "the child's");
        write(ready[1], "x", 1);
        CHECK_EQ(read(go[0], &x, 1), 1);
        CHECK_STR(p, "the parent's"));
    char x, b[64] = "";
    CHECK_EQ(read(ready[0], &x, 1), 1);
    struct iovec here = {b, 12}, there = {p, 12};
    CHECK_EQ(process_vm_readv(pid, &here, 1, &there, 1, 0), 12);
    CHECK_STR(b, "the child's");
    strcpy(b, "the parent's");
    here.iov_len = there.iov_len = 13;
    CHECK_EQ(process_vm_writev(pid, &here, 1, &there, 1, 0), 13);
    there.iov_base = BAD_POINTER;
    CHECK_ERR(process_vm_readv(pid, &here, 1, &there, 1, 0), EFAULT);
    CHECK_ERR(process_vm_readv(pid, &here, 1, &there, 1, 1), EINVAL);
    CHECK_EQ(write(go[1], "x", 1), 1);
    CHECK_EXIT(pid, 0);
    CHECK_ERR(process_vm_readv(pid, &here, 1, &there, 1, 0), ESRCH);
}
TEST(barriers) {
    long commands = OK(SYS(membarrier, MEMBARRIER_CMD_QUERY, 0, 0));
    CHECK(commands & MEMBARRIER_CMD_GLOBAL);
    OK(SYS(membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0));
    if (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED) {
        CHECK_ERR(SYS(membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0), EPERM);
        OK(SYS(membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
        OK(SYS(membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
    }
    CHECK_ERR(SYS(membarrier, 1 << 30, 0, 0), EINVAL);
    CHECK_ERR(SYS(membarrier, MEMBARRIER_CMD_GLOBAL, 8, 0), EINVAL);
}
TEST(protection_keys_or_a_plain_refusal) {
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long key = SYS(pkey_alloc, 0, 0);
    if (key < 0) {
        CHECK(errno == ENOSPC || errno == ENOSYS || errno == EINVAL);
    } else {
        OK(SYS(pkey_mprotect, p, 4096, PROT_READ | PROT_WRITE, key));
        p[0] = 1;
        OK(SYS(pkey_free, key));
    }
    // Without a key it is mprotect.
    long r = SYS(pkey_mprotect, p, 4096, PROT_READ, -1);
    CHECK(r == 0 || errno == ENOSYS);
}
TEST(optional_calls_answer_cleanly) {
    long fd = SYS(memfd_secret, 0);
    CHECK(fd >= 0 || errno == ENOSYS);
    fd = SYS(userfaultfd, O_CLOEXEC | 1 /* UFFD_USER_MODE_ONLY */);
    CHECK(fd >= 0 || errno == ENOSYS || errno == EPERM);
    struct iovec v = {NULL, 0};
    CHECK(SYS(process_madvise, 99, &v, 1, MADV_COLD, 0) == -1 && (errno == EBADF || errno == ENOSYS));
}
