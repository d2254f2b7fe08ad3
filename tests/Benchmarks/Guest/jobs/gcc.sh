# SPDX-License-Identifier: Apache-2.0
# figures: gcc_compile
# needs: gcc
elapsed gcc_compile gcc -O2 -c "$INPUT/large.c" -o large.o
