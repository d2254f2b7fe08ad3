// SPDX-License-Identifier: Apache-2.0
// How the programs that test terminals open them.
#ifndef TERMINALS_H
#define TERMINALS_H
#include <sys/ioctl.h>

static int open_master(char *name) {
    int m = OK(open("/dev/ptmx", O_RDWR | O_NOCTTY)), zero = 0, n;
    OK(ioctl(m, TIOCSPTLCK, &zero));
    OK(ioctl(m, TIOCGPTN, &n));
    sprintf(name, "/dev/pts/%d", n);
    return m;
}
static void open_pair(int *m, int *s) {
    char name[32];
    *m = open_master(name);
    *s = OK(open(name, O_RDWR | O_NOCTTY));
}
#endif
