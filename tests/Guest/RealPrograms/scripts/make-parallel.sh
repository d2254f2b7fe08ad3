# SPDX-License-Identifier: Apache-2.0
# needs: make gcc
for i in 1 2 3 4 5 6; do echo "int f$i(void) { return $i; }" > f$i.c; done
printf '#include <stdio.h>\nint f1(void), f2(void), f3(void), f4(void), f5(void), f6(void);\nint main(void) { printf("%%d\\n", f1() + f2() + f3() + f4() + f5() + f6()); }\n' > main.c
printf 'OBJS = main.o f1.o f2.o f3.o f4.o f5.o f6.o\nprog: $(OBJS)\n\tgcc -o $@ $(OBJS)\n%%.o: %%.c\n\tgcc -c $<\nclean:\n\trm -f *.o prog\n' > Makefile
make -s -j2 && ./prog; make -q; echo $?; touch f3.c; make -n -j2 | grep -c 'gcc'; make -s clean; ls *.c | wc -l
