# SPDX-License-Identifier: Apache-2.0
# needs: gcc
cat > t.c <<'E'
#include <pthread.h>
#include <stdio.h>
static long sum; static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static void *f(void *a) { for (int i = 0; i < 1000; i++) { pthread_mutex_lock(&m); sum += (long)a; pthread_mutex_unlock(&m); } return 0; }
int main(void) { pthread_t t[8]; for (long i = 0; i < 8; i++) pthread_create(&t[i], 0, f, (void *)i); for (int i = 0; i < 8; i++) pthread_join(t[i], 0); printf("%ld\n", sum); }
E
cat > lib.c <<'E'
int twice(int x) { return 2 * x; }
E
cat > use.c <<'E'
#include <dlfcn.h>
#include <stdio.h>
int main(void) { void *h = dlopen("./lib.so", RTLD_NOW); int (*f)(int) = (int (*)(int))dlsym(h, "twice"); printf("%d\n", f(21)); }
E
gcc -pthread t.c -o t && ./t; gcc -shared -fPIC lib.c -o lib.so && gcc use.c -o use && ./use
