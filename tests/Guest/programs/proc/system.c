// SPDX-License-Identifier: Apache-2.0
// syscalls: open read write sysinfo
// What /proc says of the system, and /proc/sys, /sys, /dev.
#include "../guest.h"
#include <sys/sysinfo.h>
#include <dirent.h>
#include <sys/sysmacros.h>

TEST(memory) {
    char *t = get_file("/proc/meminfo");
    long total, available;
    CHECK_EQ(sscanf(t, "MemTotal: %ld kB", &total), 1);
    CHECK(total > 1000);
    CHECK(strstr(t, "\nMemFree:") && strstr(t, "\nBuffers:") && strstr(t, "\nCached:") && strstr(t, "\nSwapTotal:"));
    CHECK_EQ(sscanf(strstr(t, "\nMemAvailable:"), "\nMemAvailable: %ld kB", &available), 1);
    CHECK(available <= total);
}
TEST(processors) {
    char *t = get_file("/proc/cpuinfo");
    CHECK(strstr(t, "processor\t: 0\n") != NULL);
    CHECK(strstr(t, "flags\t\t: ") != NULL);
    CHECK(strstr(t, "sse2") != NULL);
    t = get_file("/proc/stat");
    CHECK(strncmp(t, "cpu  ", 5) == 0);
    CHECK(strstr(t, "\ncpu0 ") && strstr(t, "\nbtime ") && strstr(t, "\nctxt "));
    double load[3];
    CHECK_EQ(sscanf(get_file("/proc/loadavg"), "%lf %lf %lf", &load[0], &load[1], &load[2]), 3);
    double up;
    CHECK_EQ(sscanf(get_file("/proc/uptime"), "%lf", &up), 1);
    CHECK(up >= 0);
}
TEST(version) {
    char *t = get_file("/proc/version");
    CHECK(strncmp(t, "Linux version ", 14) == 0);
    if (in_cvisor()) CHECK(strncmp(t, "Linux version 4.4.0 ", 20) == 0);
}
TEST(file_systems_and_mounts) {
    char *t = get_file("/proc/filesystems");
    CHECK(strstr(t, "nodev\tproc\n") && strstr(t, "nodev\ttmpfs\n"));
    t = get_file("/proc/mounts");
    CHECK(strstr(t, " / ") && strstr(t, " /proc proc ") && strstr(t, " /tmp tmpfs "));
    t = get_file("/proc/self/mountinfo");
    CHECK(strstr(t, " /proc ") && strstr(t, " - proc "));
}
TEST(settings) {
    if (in_cvisor()) CHECK_STR(get_file("/proc/sys/kernel/osrelease"), "4.4.0\n");
    CHECK_STR(get_file("/proc/sys/kernel/ostype"), "Linux\n");
    CHECK_STR(get_file("/proc/sys/kernel/hostname"), "sandbox\n");
    CHECK(atol(get_file("/proc/sys/kernel/pid_max")) > 300);
    CHECK(atol(get_file("/proc/sys/vm/overcommit_memory")) <= 2);
    CHECK(atol(get_file("/proc/sys/fs/file-max")) > 0);
    CHECK(atol(get_file("/proc/sys/fs/nr_open")) >= 1024);
    CHECK(atol(get_file("/proc/sys/net/core/somaxconn")) > 0);
    CHECK(atol(get_file("/proc/sys/vm/max_map_count")) > 1000);
}
TEST(network) {
    CHECK(strstr(get_file("/proc/net/dev"), "lo:") != NULL);
    CHECK(strstr(get_file("/proc/net/unix"), "Num ") != NULL);
    CHECK(strstr(get_file("/proc/net/tcp"), "local_address") != NULL);
    CHECK(strstr(get_file("/proc/net/route"), "Iface") != NULL);
}
TEST(proc_is_not_for_writing) {
    int e = open("/proc/new", O_CREAT | O_RDWR, 0600);
    CHECK(e == -1 && (errno == ENOENT || errno == EACCES || errno == EPERM));
    CHECK(mkdir("/proc/dir", 0700) == -1);
    CHECK(unlink("/proc/meminfo") == -1);
    CHECK_ERR(open("/proc/999999", O_RDONLY), ENOENT);
    CHECK_ERR(open("/proc/nothing", O_RDONLY), ENOENT);
}
TEST(sys_folder) {
    struct stat st;
    OK(stat("/sys", &st));
    CHECK(S_ISDIR(st.st_mode));
    OK(access("/sys/kernel", F_OK));
    OK(access("/sys/devices/system/cpu/online", F_OK));
    CHECK_EQ(get_file("/sys/devices/system/cpu/online")[0], '0');
}
TEST(dev_folder) {
    static const struct { const char *name; int major, minor; } nodes[] = {{"/dev/null", 1, 3}, {"/dev/zero", 1, 5}, {"/dev/full", 1, 7},
                                                                           {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};
    for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        struct stat st;
        OK(stat(nodes[i].name, &st));
        CHECK(S_ISCHR(st.st_mode));
        CHECK_EQ(st.st_rdev, makedev(nodes[i].major, nodes[i].minor));
    }
    char b[64];
    ssize_t n = OK(readlink("/dev/fd", b, 63));
    b[n] = 0;
    CHECK_STR(b, "/proc/self/fd");
    n = OK(readlink("/dev/stdin", b, 63));
    b[n] = 0;
    CHECK_STR(b, "/proc/self/fd/0");
    OK(access("/dev/ptmx", F_OK));
    OK(access("/dev/pts", F_OK));
    int fd = OK(open("/dev/shm/x", O_CREAT | O_RDWR, 0600));
    CHECK_EQ(write(fd, "shared", 6), 6);
    OK(unlink("/dev/shm/x"));
}
TEST(map_devices) {
    char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, OK(open("/dev/zero", O_RDWR)), 0);
    CHECK(p != MAP_FAILED);
    CHECK_EQ(p[5000], 0);
    p[5000] = 1;
    CHECK_ERR((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, OK(open("/dev/null", O_RDWR)), 0), ENODEV);
}
TEST(load) {
    double one, five, fifteen;
    int running, all, last;
    char *t = get_file("/proc/loadavg");
    CHECK_EQ(sscanf(t, "%lf %lf %lf %d/%d %d\n", &one, &five, &fifteen, &running, &all, &last), 6);
    CHECK(one >= 0 && five >= 0 && fifteen >= 0);
    CHECK(running >= 1 && running <= all); // At least the one that asks.
    CHECK(last >= 1);
    struct sysinfo info;
    OK(sysinfo(&info));
    CHECK(info.loads[0] / 65536.0 - one < 0.5 && one - info.loads[0] / 65536.0 < 0.5);
    // Three that run all the time: they are counted at once, and after the next look they show in the average.
    pid_t busy[3];
    for (int i = 0; i < 3; i++) busy[i] = CHILD(for (;;) burn_ms(1000));
    sleep_ms(200);
    CHECK_EQ(sscanf(get_file("/proc/loadavg"), "%lf %lf %lf %d/", &one, &five, &fifteen, &running), 4);
    CHECK(running >= 3);
    double end = seconds() + 12;
    for (one = 0; one < 0.15 && seconds() < end; sleep_ms(200))
        CHECK_EQ(sscanf(get_file("/proc/loadavg"), "%lf %lf %lf", &one, &five, &fifteen), 3);
    CHECK(one >= 0.15);
    if (in_cvisor()) CHECK(one > five && five > fifteen && fifteen > 0);
    for (int i = 0; i < 3; i++) {
        OK(kill(busy[i], SIGKILL));
        CHECK_KILLED(busy[i], SIGKILL);
    }
}
