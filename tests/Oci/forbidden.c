// SPDX-License-Identifier: Apache-2.0
// Makes another process's first thread, which waits in a system call, call socket(2): forbidden PID
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

int main(int argc, char **argv)
{
    struct user_regs_struct regs;
    pid_t pid = argc == 2 ? atoi(argv[1]) : 0;
    if (ptrace(PTRACE_ATTACH, pid, 0, 0) != 0 || waitpid(pid, 0, __WALL) != pid || ptrace(PTRACE_GETREGS, pid, 0, &regs) != 0) {
        perror("attach");
        return 1;
    }

    // Behind a system call: the two bytes before are the instruction.
    regs.rip -= 2;
    regs.rax = 41;
    regs.orig_rax = -1;
    if (ptrace(PTRACE_SETREGS, pid, 0, &regs) != 0 || ptrace(PTRACE_DETACH, pid, 0, 0) != 0) {
        perror("set");
        return 1;
    }

    return 0;
}
