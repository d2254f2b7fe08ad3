// SPDX-License-Identifier: Apache-2.0
// syscalls: mmap munmap mprotect mremap msync madvise mincore brk mlock mlock2 munlock mlockall munlockall remap_file_pages
// The address space.
#include "../guest.h"
#include <setjmp.h>
#include <sys/resource.h>

#define PAGE 4096ul
static char *anonymous(size_t size) {
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) FAIL("mmap: %s", strerror(errno));
    return p;
}
static sigjmp_buf escape;
static volatile int fault_signal, fault_code;
static void *volatile fault_address;
static void on_fault(int s, siginfo_t *i, void *c) {
    (void)c;
    fault_signal = s;
    fault_code = i->si_code;
    fault_address = i->si_addr;
    siglongjmp(escape, 1);
}
static void catch_faults(void) {
    struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    OK(sigaction(SIGSEGV, &a, NULL));
    OK(sigaction(SIGBUS, &a, NULL));
}
// The access faults with this signal and code, at this very address.
#define CHECK_FAULT(access, address, signo, code)                                                                    \
    do {                                                                                                             \
        fault_signal = 0;                                                                                            \
        if (sigsetjmp(escape, 1) == 0) { access; }                                                                   \
        CHECK_EQ(fault_signal, signo);                                                                               \
        CHECK_EQ(fault_code, code);                                                                                  \
        CHECK(fault_address == (void *)(address));                                                                   \
    } while (0)

TEST(anonymous_memory_is_zero) {
    unsigned char *p = (void *)anonymous(16 * PAGE);
    for (unsigned i = 0; i < 16 * PAGE; i++) CHECK_EQ(p[i], 0);
    memset(p, 0xaa, 16 * PAGE);
    OK(munmap(p, 16 * PAGE));
    catch_faults();
    CHECK_FAULT(*(volatile char *)p = 1, p, SIGSEGV, SEGV_MAPERR);
}
TEST(protection) {
    char *p = anonymous(3 * PAGE);
    catch_faults();
    strcpy(p + PAGE, "kept");
    OK(mprotect(p + PAGE, PAGE, PROT_READ));
    CHECK_STR(p + PAGE, "kept");
    CHECK_FAULT(*(volatile char *)(p + PAGE + 5) = 1, p + PAGE + 5, SIGSEGV, SEGV_ACCERR);
    p[0] = p[2 * PAGE] = 1;
    OK(mprotect(p, 3 * PAGE, PROT_NONE));
    CHECK_FAULT((void)*(volatile char *)p, p, SIGSEGV, SEGV_ACCERR);
    OK(mprotect(p, 3 * PAGE, PROT_READ | PROT_WRITE));
    CHECK_STR(p + PAGE, "kept");
    CHECK_ERR(mprotect(p + 1, PAGE, PROT_READ), EINVAL);
    CHECK_ERR(mprotect(p, PAGE, 0x100), EINVAL);
    OK(munmap(p + PAGE, PAGE));
    CHECK_ERR(mprotect(p, 3 * PAGE, PROT_READ), ENOMEM);
    OK(mprotect(p, 0, PROT_READ));
}
TEST(execution) {
    // mov $42, %eax; ret
    static const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
    char *p = anonymous(PAGE);
    memcpy(p, code, sizeof code);
    catch_faults();
    CHECK_FAULT(((int (*)(void))p)(), p, SIGSEGV, SEGV_ACCERR);
    OK(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
    CHECK_EQ(((int (*)(void))p)(), 42);
}
TEST(fixed_addresses) {
    char *p = anonymous(4 * PAGE);
    strcpy(p, "first");
    strcpy(p + PAGE, "second");
    CHECK(mmap(p + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p + PAGE);
    CHECK_STR(p, "first");
    CHECK_EQ(p[PAGE], 0);
    CHECK(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED);
    CHECK_EQ(errno, EEXIST);
    OK(munmap(p, 4 * PAGE));
    CHECK(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == p);
    // A hint is taken when it is free.
    CHECK(mmap(p + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == p + 2 * PAGE);
    CHECK(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != p);
}
TEST(mmap_refusals) {
    int fd = OK(open("f", O_CREAT | O_RDWR, 0600)), p[2];
    OK(pipe(p));
    CHECK_ERR((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK_ERR((long)mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK_ERR((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0), EBADF);
    CHECK_ERR((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100), EINVAL);
    CHECK_ERR((long)mmap((void *)1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), EINVAL);
    CHECK_ERR((long)mmap(NULL, 1ul << 50, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    CHECK_ERR((long)mmap(NULL, -1ul, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    CHECK_ERR((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, p[0], 0), ENODEV);
    int r = OK(open("f", O_RDONLY)), w = OK(open("f", O_WRONLY)), dir = OK(open(".", O_RDONLY));
    CHECK_ERR((long)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, r, 0), EACCES);
    CHECK_ERR((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, w, 0), EACCES);
    CHECK_ERR((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, dir, 0), ENODEV);
    CHECK_ERR(munmap((void *)1, PAGE), EINVAL);
    CHECK_ERR(munmap(anonymous(PAGE), 0), EINVAL);
    OK(munmap((void *)0x10000000, PAGE));
}
TEST(shared_between_processes) {
    int *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *q = (void *)anonymous(PAGE);
    CHECK(p != MAP_FAILED);
    *p = *q = 1;
    CHECK_EXIT(CHILD(CHECK_EQ(*p, 1); CHECK_EQ(*q, 1); *p = 2; *q = 2), 0);
    CHECK_EQ(*p, 2);
    CHECK_EQ(*q, 1);
}
TEST(copy_on_write_after_fork) {
    char *p = anonymous(64 * PAGE);
    for (int i = 0; i < 64; i++) p[i * PAGE] = i;
    pid_t children[4];
    for (int c = 0; c < 4; c++)
        children[c] = CHILD(
            for (int i = 0; i < 64; i++) CHECK_EQ(p[i * PAGE], i);
            memset(p, c + 100, 64 * PAGE);
            for (int i = 0; i < 64; i++) CHECK_EQ(p[i * PAGE + 17], c + 100));
    for (int c = 0; c < 4; c++) CHECK_EXIT(children[c], 0);
    for (int i = 0; i < 64; i++) CHECK_EQ(p[i * PAGE], i);
}
TEST(file_private) {
    put_file("f", "file content");
    int fd = OK(open("f", O_RDONLY));
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(p != MAP_FAILED);
    close(fd);
    CHECK_STR(p, "file content");
    memcpy(p, "MINE", 4);
    CHECK_STR(get_file("f"), "file content");
    CHECK_STR(p, "MINE content");
}
TEST(file_shared) {
    put_file("f", "file content");
    int fd = OK(open("f", O_RDWR));
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), b[16] = "";
    CHECK(p != MAP_FAILED);
    memcpy(p, "MINE", 4);
    CHECK_EQ(pread(fd, b, 15, 0), 12);
    CHECK_STR(b, "MINE content");
    CHECK_EQ(pwrite(fd, "YOUR", 4, 5), 4);
    CHECK_STR(p, "MINE YOURent");
    OK(msync(p, PAGE, MS_SYNC));
    OK(msync(p, PAGE, MS_ASYNC));
    OK(msync(p, PAGE, MS_INVALIDATE));
    OK(munmap(p, PAGE));
    CHECK_STR(get_file("f"), "MINE YOURent");
}
TEST(file_at_an_offset) {
    int fd = OK(open("f", O_CREAT | O_RDWR, 0600));
    OK(ftruncate(fd, 3 * PAGE));
    CHECK_EQ(pwrite(fd, "second page", 11, PAGE), 11);
    char *p = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
    CHECK(p != MAP_FAILED);
    CHECK_STR(p, "second page");
    CHECK_EQ(pwrite(fd, "third", 5, 2 * PAGE), 5);
    CHECK_STR(p + PAGE, "third");
}
TEST(past_the_end_of_the_file) {
    put_file("f", "short");
    int fd = OK(open("f", O_RDWR));
    char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(p != MAP_FAILED);
    catch_faults();
    CHECK_EQ(p[PAGE - 1], 0);
    CHECK_FAULT((void)*(volatile char *)(p + PAGE), p + PAGE, SIGBUS, BUS_ADRERR);
    // A call that meets such a page answers EFAULT.
    int pipes[2];
    OK(pipe(pipes));
    CHECK_ERR(write(pipes[1], p + PAGE, 10), EFAULT);
    OK(ftruncate(fd, 2 * PAGE));
    p[PAGE] = 'x';
    OK(ftruncate(fd, 10));
    CHECK_FAULT((void)*(volatile char *)(p + PAGE), p + PAGE, SIGBUS, BUS_ADRERR);
    CHECK_EQ(p[0], 's');
}
TEST(a_shared_file_between_processes) {
    int fd = OK(open("f", O_CREAT | O_RDWR, 0600));
    OK(ftruncate(fd, PAGE));
    volatile int *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK_EXIT(CHILD(
        int mine = OK(open("f", O_RDWR));
        volatile int *q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, mine, 0);
        *q = 1234), 0);
    CHECK_EQ(*p, 1234);
}
TEST(move_and_resize) {
    char *p = anonymous(2 * PAGE), *q;
    strcpy(p, "moving");
    strcpy(p + PAGE, "second");
    q = mremap(p, 2 * PAGE, PAGE, 0);
    CHECK(q == p);
    CHECK_ERR((long)mremap(p, PAGE, 2 * PAGE, 8), EINVAL);
    char *wall = mmap(p + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(wall != MAP_FAILED);
    CHECK_ERR((long)mremap(p, PAGE, 4 * PAGE, 0), ENOMEM);
    q = mremap(p, PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    CHECK(q != MAP_FAILED && q != p);
    CHECK_STR(q, "moving");
    CHECK_EQ(q[3 * PAGE], 0);
    catch_faults();
    CHECK_FAULT((void)*(volatile char *)p, p, SIGSEGV, SEGV_MAPERR);
    char *target = anonymous(4 * PAGE);
    CHECK(mremap(q, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
    CHECK_STR(target, "moving");
    CHECK_ERR((long)mremap(target, PAGE, PAGE, MREMAP_FIXED, q), EINVAL);
    CHECK_ERR((long)mremap(target + 1, PAGE, PAGE, 0), EINVAL);
    CHECK_ERR((long)mremap(target, PAGE, 0, 0), EINVAL);
    CHECK_ERR((long)mremap(q, PAGE, 2 * PAGE, MREMAP_MAYMOVE), EFAULT);
}
TEST(grow_a_file_mapping) {
    int fd = OK(open("f", O_CREAT | O_RDWR, 0600));
    OK(ftruncate(fd, 4 * PAGE));
    CHECK_EQ(pwrite(fd, "far", 3, 3 * PAGE), 3);
    char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    p = mremap(p, PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    CHECK(p != MAP_FAILED);
    CHECK_STR(p + 3 * PAGE, "far");
}
TEST(advice) {
    char *p = anonymous(4 * PAGE);
    memset(p, 'x', 4 * PAGE);
    OK(madvise(p + PAGE, PAGE, MADV_DONTNEED));
    CHECK_EQ(p[0], 'x');
    CHECK_EQ(p[PAGE], 0);
    CHECK_EQ(p[2 * PAGE], 'x');
    OK(madvise(p, 4 * PAGE, MADV_NORMAL));
    OK(madvise(p, 4 * PAGE, MADV_RANDOM));
    OK(madvise(p, 4 * PAGE, MADV_SEQUENTIAL));
    OK(madvise(p, 4 * PAGE, MADV_WILLNEED));
    OK(madvise(p, 4 * PAGE, MADV_FREE));
    OK(madvise(p, 0, MADV_DONTNEED));
    CHECK_ERR(madvise(p, PAGE, 9999), EINVAL);
    CHECK_ERR(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
    OK(munmap(p + PAGE, PAGE));
    CHECK_ERR(madvise(p, 4 * PAGE, MADV_DONTNEED), ENOMEM);
    int fd = OK(open("f", O_CREAT | O_RDWR, 0600));
    CHECK_EQ(write(fd, "file", 4), 4);
    char *q = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    q[0] = 'F';
    OK(madvise(q, PAGE, MADV_DONTNEED));
    CHECK_EQ(q[0], 'f');
}
TEST(dont_fork) {
    char *p = anonymous(2 * PAGE);
    p[0] = p[PAGE] = 'x';
    OK(madvise(p, PAGE, MADV_DONTFORK));
    OK(madvise(p + PAGE, PAGE, MADV_WIPEONFORK));
    CHECK_EXIT(CHILD(
        unsigned char v;
        CHECK_EQ(p[PAGE], 0);
        CHECK_ERR(mincore(p, PAGE, &v), ENOMEM)), 0);
    CHECK_EQ(p[PAGE], 'x');
}
TEST(residency) {
    char *p = anonymous(4 * PAGE);
    unsigned char v[4] = {9, 9, 9, 9};
    p[PAGE] = 1;
    OK(mincore(p, 4 * PAGE, v));
    CHECK_EQ(v[1] & 1, 1);
    CHECK_ERR(mincore(p + 1, PAGE, v), EINVAL);
    CHECK_ERR(mincore(p, PAGE, BAD_POINTER), EFAULT);
    OK(munmap(p + 2 * PAGE, PAGE));
    CHECK_ERR(mincore(p, 4 * PAGE, v), ENOMEM);
}
TEST(locking) {
    char *p = anonymous(4 * PAGE);
    unsigned char v[4];
    OK(mlock(p, 2 * PAGE));
    OK(mincore(p, 2 * PAGE, v));
    CHECK_EQ(v[0] & v[1] & 1, 1);
    OK(munlock(p, 2 * PAGE));
    OK(mlock2(p, PAGE, MLOCK_ONFAULT));
    CHECK_ERR(mlock2(p, PAGE, 8), EINVAL);
    OK(munlock(p, PAGE));
    OK(mlockall(MCL_CURRENT | MCL_FUTURE));
    OK(munlockall());
    CHECK_ERR(mlockall(64), EINVAL);
    OK(munmap(p + PAGE, PAGE));
    CHECK_ERR(mlock(p, 3 * PAGE), ENOMEM);
    CHECK_ERR(munlock(p, 3 * PAGE), ENOMEM);
}
TEST(sync_refusals) {
    char *p = anonymous(2 * PAGE);
    OK(msync(p, PAGE, MS_SYNC));
    CHECK_ERR(msync(p + 1, PAGE, MS_SYNC), EINVAL);
    CHECK_ERR(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
    CHECK_ERR(msync(p, PAGE, 64), EINVAL);
    OK(munmap(p, PAGE));
    CHECK_ERR(msync(p, PAGE, MS_SYNC), ENOMEM);
    // A length that wraps around when it is rounded up is none at all; one that does not reaches beyond the end of all addresses.
    CHECK_EQ(SYS(msync, p + PAGE, ~0ul, MS_SYNC), 0);
    CHECK_EQ(SYS(msync, p, ~0ul - PAGE + 2, MS_SYNC), 0);
    CHECK_ERR(SYS(msync, p, ~0ul - PAGE + 1, MS_SYNC), ENOMEM);
    CHECK_EQ(SYS(msync, ~0ul - PAGE + 1, 0, MS_SYNC), 0);
    CHECK_EQ(SYS(msync, ~0ul - PAGE + 1, ~0ul, MS_SYNC), 0);
    CHECK_ERR(SYS(msync, ~0ul - PAGE + 1, PAGE, MS_SYNC), ENOMEM);
    CHECK_ERR(SYS(msync, ~0ul - 2 * PAGE + 1, PAGE, MS_SYNC), ENOMEM);
    CHECK_ERR(SYS(msync, ~0ul, ~0ul, MS_SYNC), EINVAL);
}
TEST(program_break) {
    char *start = (char *)SYS(brk, 0);
    CHECK((char *)SYS(brk, start + 10 * PAGE) == start + 10 * PAGE);
    memset(start, 'x', 10 * PAGE);
    CHECK((char *)SYS(brk, start + PAGE) == start + PAGE);
    CHECK((char *)SYS(brk, start + 2 * PAGE) == start + 2 * PAGE);
    CHECK_EQ(start[PAGE], 0);
    CHECK((char *)SYS(brk, 1) == start + 2 * PAGE);
    CHECK((char *)SYS(brk, -1) == start + 2 * PAGE);
    CHECK((char *)SYS(brk, start) == start);
}
TEST(address_space_limit) {
    struct rlimit l = {200 << 20, 200 << 20};
    OK(setrlimit(RLIMIT_AS, &l));
    CHECK_ERR((long)mmap(NULL, 300 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), ENOMEM);
    int n = 0;
    while (mmap(NULL, 16 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED) n++;
    CHECK_EQ(errno, ENOMEM);
    CHECK(n >= 8 && n <= 12);
}
TEST(stack_grows) {
    volatile char deep[1 << 20];
    deep[0] = deep[sizeof deep - 1] = 1;
    struct rlimit l;
    OK(getrlimit(RLIMIT_STACK, &l));
    volatile char *frame = __builtin_frame_address(0);
    for (size_t i = 0; i < (4 << 20); i += PAGE) (void)frame[-(long)i];
}
TEST(grows_down) {
    char *area = anonymous(64 * PAGE);
    OK(munmap(area, 64 * PAGE));
    char *p = mmap(area + 60 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
    CHECK(p == area + 60 * PAGE);
    p[0] = 1;
    p[-1] = 2;
    p[-(long)PAGE * 2] = 3;
    CHECK_EQ(p[-1], 2);
}
#pragma GCC diagnostic ignored "-Winfinite-recursion"
static int recursion(int n) {
    volatile char big[65536];
    big[0] = n;
    return recursion(n + 1) + big[0];
}
TEST(stack_overflow_kills) {
    struct rlimit l = {1 << 20, 1 << 20};
    OK(setrlimit(RLIMIT_STACK, &l));
    CHECK_KILLED(CHILD(recursion(0)), SIGSEGV);
}
TEST(non_linear_mapping) {
    int fd = OK(open("f", O_CREAT | O_RDWR, 0600));
    OK(ftruncate(fd, 2 * PAGE));
    CHECK_EQ(pwrite(fd, "one", 3, PAGE), 3);
    char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    OK(SYS(remap_file_pages, p, PAGE, 0, 1, 0));
    CHECK_STR(p, "one");
    // Both pages are the file's second now, and stay so when both change places at once.
    p[PAGE + 1] = 'N';
    CHECK_STR(p, "oNe");
    OK(SYS(remap_file_pages, p, 2 * PAGE, 0, 0, MAP_NONBLOCK));
    CHECK_STR(p + PAGE, "oNe");
    CHECK_EQ(p[0], 0);
    OK(SYS(remap_file_pages, p + 1, PAGE + 1, 0, 1, ~0)); // rounded down; of flags only one counts
    CHECK_STR(p, "oNe");
    CHECK_ERR(SYS(remap_file_pages, p, PAGE, PROT_READ, 0, 0), EINVAL);
    CHECK_ERR(SYS(remap_file_pages, p, PAGE - 1, 0, 0, 0), EINVAL);
    CHECK_ERR(SYS(remap_file_pages, p, 64 * PAGE, 0, 0, 0), EINVAL);
    CHECK_ERR(SYS(remap_file_pages, p, PAGE, 0, -1L, 0), EINVAL);
    CHECK_ERR(SYS(remap_file_pages, p, -PAGE, 0, 0, 0), EINVAL);
    CHECK_ERR(SYS(remap_file_pages, p, PAGE, 0, 1L << 51, 0), EOVERFLOW);
    CHECK_ERR(SYS(remap_file_pages, anonymous(PAGE), PAGE, 0, 0, 0), EINVAL);
    CHECK_ERR(SYS(remap_file_pages, NULL, PAGE, 0, 0, 0), EINVAL);
    int read_only = OK(open("f", O_RDONLY));
    CHECK_ERR(SYS(remap_file_pages, mmap(NULL, PAGE, PROT_READ, MAP_SHARED, read_only, 0), PAGE, 0, 1, 0), EINVAL);
    char *shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    strcpy(shared + PAGE, "two");
    OK(SYS(remap_file_pages, shared, PAGE, 0, 1, 0));
    CHECK_STR(shared, "two");
}
TEST(many_mappings) {
    enum { count = 2000 };
    static char *pages[count];
    char *area = anonymous(2 * count * PAGE);
    for (int i = 0; i < count; i++) {
        pages[i] = area + 2 * i * PAGE;
        OK(mprotect(pages[i], PAGE, PROT_READ));
    }
    for (int i = 0; i < count; i++) CHECK_EQ(*pages[i], 0);
    for (int i = 0; i < count; i++) OK(mprotect(pages[i], PAGE, PROT_READ | PROT_WRITE));
    memset(area, 1, 2 * count * PAGE);
    OK(munmap(area, 2 * count * PAGE));
}
