# SPDX-License-Identifier: Apache-2.0
seq 1 20000 | grep 7 | sort -rn | head -n 5
seq 1 3000 | while read -r n; do echo $((n * n)); done | tail -n 2
yes | head -c 1000000 | md5sum
cat /etc/passwd | cut -d: -f1 | sort | head -n 3
(echo a; echo b >&2; exit 3) 2>&1 | cat; echo "${?}"
for i in 1 2 3 4 5; do (echo "child $i") & wait; done
