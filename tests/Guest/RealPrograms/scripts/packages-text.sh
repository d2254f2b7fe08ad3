# SPDX-License-Identifier: Apache-2.0
# needs: vim dpkg apt-get
# root: host
dpkg -l | wc -l; apt-get --version | head -1; dpkg -S /bin/ls; apt-cache policy bash | head -2
printf 'hello\nworld\n' > f; vim -es -u NONE -c '%s/world/vim/' -c wq f; cat f
find /usr/include -type f | wc -l; find /usr/include -name '*.h' -print0 | sort -z | xargs -0 cat 2>/dev/null | wc
find /usr/share/doc -type f 2>/dev/null | sort | sed 's/[aeiou]/_/g' | awk -F/ '{n[$5]++} END {for (k in n) print n[k], k}' | sort -rn | head -5
seq 1 300000 | sort -R --random-source=/dev/zero | sort -n | md5sum; seq 1 200000 | awk '{s+=$1} END {print s}'
