# SPDX-License-Identifier: Apache-2.0
seq 1 100 | shuf --random-source=/dev/zero | sort -n | uniq | wc -l
seq 1 5 | tac | paste -sd+ ; seq 1 12 | pr -3 -t -l 4 | head -n 4; echo 'b a c' | tr ' ' '\n' | sort | nl
printf 'k1 a\nk2 b\n' > x; printf 'k1 c\nk2 d\n' > y; join x y; comm -12 x x; fold -w 3 x; expand x; od -An -tx1 x
printf '%s\n' 10 9 8 | sort -h; numfmt --to=iec 1048576; factor 5040; base64 x; cksum x; b2sum x | cut -c1-16; date -u -d @0 +%FT%T
timeout 0.1 sleep 5; echo $?; env -i A=b printenv A; nproc | grep -cE '^[0-9]+$'; tsort x | head -n 2; expr 3 + 4; csplit -s x 2; cat xx01
