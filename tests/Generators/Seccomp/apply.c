// SPDX-License-Identifier: Apache-2.0
// apply PROGRAM NUMBER [ARG...]: installs the seccomp program in the file, makes the call, ends with its errno (0 for success).
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct sock_filter code[4096];

int main(int argc, char **argv)
{
    long arg[7] = {0};
    FILE *file = fopen(argv[1], "rb");
    if (!file)
        return 101;
    size_t length = fread(code, sizeof *code, 4096, file);
    for (int i = 2; i < argc; i++)
        arg[i - 2] = strtoul(argv[i], NULL, 0);
    struct sock_fprog program = {(unsigned short)length, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        return 102;
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
        return 103;
    long result = syscall(arg[0], arg[1], arg[2], arg[3], arg[4], arg[5], arg[6]);
    syscall(SYS_exit_group, result == -1 ? errno : 0);
    return 104;
}
