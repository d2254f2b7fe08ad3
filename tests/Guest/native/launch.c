// SPDX-License-Identifier: Apache-2.0
// launch ROOT PROGRAM [ARGUMENT...]: runs a program natively in surroundings like a sandbox's: its own mount, pid, ipc, uts and
// net namespaces, ROOT as its root with a tmpfs on /tmp, /proc, /sys, and a small /dev. Ends with the program's status
// (128 + N when a signal ended it), 125 when it could not be started. Without root it enters a user namespace first.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void die(const char *what) {
    fprintf(stderr, "launch: %s: %s\n", what, strerror(errno));
    exit(125);
}
static void must(int result, const char *what) {
    if (result < 0) die(what);
}
static void put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) die(path);
    close(fd);
}
static char *join(const char *a, const char *b) {
    char *p;
    if (asprintf(&p, "%s%s", a, b) < 0) die("asprintf");
    return p;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: launch ROOT PROGRAM [ARGUMENT...]\n");
        return 125;
    }
    const char *root = argv[1];
    int uid = geteuid(), gid = getegid();
    if (uid != 0) {
        char map[64];
        must(unshare(CLONE_NEWUSER), "unshare user namespace");
        put("/proc/self/setgroups", "deny");
        snprintf(map, sizeof map, "0 %d 1\n", uid);
        put("/proc/self/uid_map", map);
        snprintf(map, sizeof map, "0 %d 1\n", gid);
        put("/proc/self/gid_map", map);
    }
    must(unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET), "unshare");
    pid_t pid = fork();
    must(pid, "fork");
    if (pid > 0) {
        int status;
        signal(SIGINT, SIG_IGN);
        while (waitpid(pid, &status, 0) != pid) {
        }
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "mount / private");
    must(mount(root, root, NULL, MS_BIND | MS_REC, NULL), "bind the root");
    must(mount("proc", join(root, "/proc"), "proc", 0, NULL), "mount /proc");
    must(mount("sysfs", join(root, "/sys"), "sysfs", MS_RDONLY, NULL), "mount /sys");
    must(mount("tmpfs", join(root, "/tmp"), "tmpfs", 0, "mode=1777"), "mount /tmp");
    char *dev = join(root, "/dev");
    must(mount("tmpfs", dev, "tmpfs", 0, "mode=755"), "mount /dev");
    static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
    for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++) {
        char *from = join("/dev/", nodes[i]), *to = join(join(dev, "/"), nodes[i]);
        struct stat device;
        must(stat(from, &device), from);
        // Nodes of its own where that is allowed: a hostile guest changes the mode and owner of what it can reach.
        if (mknod(to, S_IFCHR | 0666, device.st_rdev) == 0) {
            must(chmod(to, 0666), to);
            continue;
        }
        must(mknod(to, S_IFREG | 0666, 0), to);
        must(mount(from, to, NULL, MS_BIND, NULL), to);
    }
    must(mkdir(join(dev, "/pts"), 0755), "mkdir pts");
    must(mount("devpts", join(dev, "/pts"), "devpts", 0, "newinstance,ptmxmode=0666,mode=620"), "mount devpts");
    must(symlink("pts/ptmx", join(dev, "/ptmx")), "ptmx");
    must(symlink("/proc/self/fd", join(dev, "/fd")), "fd");
    must(symlink("/proc/self/fd/0", join(dev, "/stdin")), "stdin");
    must(symlink("/proc/self/fd/1", join(dev, "/stdout")), "stdout");
    must(symlink("/proc/self/fd/2", join(dev, "/stderr")), "stderr");
    must(mkdir(join(dev, "/shm"), 01777), "mkdir shm");
    must(mount("shm", join(dev, "/shm"), "tmpfs", 0, "mode=1777"), "mount shm");
    must(mkdir(join(dev, "/mqueue"), 0755), "mkdir mqueue");
    must(mount("mqueue", join(dev, "/mqueue"), "mqueue", 0, NULL), "mount mqueue");
    must(chdir(root), "chdir");
    must((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
    must(umount2(".", MNT_DETACH), "detach the old root");
    must(chdir("/"), "chdir /");
    must(sethostname("sandbox", 7), "sethostname");
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    if (s >= 0) must(ioctl(s, SIOCSIFFLAGS, &request), "lo up");
    close(s);
    close_range(3, ~0u, 0);
    umask(022);
    struct rlimit files = {1024, 4096};
    setrlimit(RLIMIT_NOFILE, &files);
    for (int i = 1; i < 65; i++) signal(i, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    // The program must not be pid 1, whose signals the kernel treats specially.
    pid = fork();
    must(pid, "fork");
    if (pid == 0) {
        setsid();
        signal(SIGPIPE, SIG_DFL); // a caller that ignores it must not pass that on
        execv(argv[2], argv + 2);
        die(argv[2]);
    }
    int status, end = 125;
    for (pid_t got; (got = wait(&status)) > 0 || errno == EINTR;)
        if (got == pid) {
            end = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
            break;
        }
    return end;
}
