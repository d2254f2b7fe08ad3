# SPDX-License-Identifier: Apache-2.0
# needs: awk sed find
seq 1 1000 | awk '{ s += $1; if ($1 % 7 == 0) n++ } END { print s, n; printf "%.3f\n", s / NR; system("echo from awk"); "echo piped" | getline x; print x }'
printf 'one two\nthree four\n' | sed -E 's/(\w+) (\w+)/\2 \1/; $!N; s/\n/;/'
mkdir -p t/a t/b; touch t/a/1 t/b/2; find t -newermt 2000-01-01 -type f -printf '%f %m\n' | sort; find t -type f -delete; find t | sort
printf 'a\nb\nc\n' > 1; printf 'a\nx\nc\n' > 2; diff -u --label old --label new 1 2; diff -q 1 1 && echo equal; grep -Rn x . | sort; ls -la / > /dev/null && echo listed; id -un; hostname > /dev/null && echo named
