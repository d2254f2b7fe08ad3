# SPDX-License-Identifier: Apache-2.0
# needs: gcc
cat > hello.c <<'E'
#include <stdio.h>
int main(int c, char **v) { printf("hello, %s %d\n", c > 1 ? v[1] : "world", c); return c; }
E
gcc -O2 -Wall hello.c -o a.out && ./a.out; echo $?; ./a.out sandbox; gcc -static hello.c -o s.out && ./s.out static; gcc -c hello.c && ls hello.o; nm a.out | grep -c ' T main'
