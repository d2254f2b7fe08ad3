# SPDX-License-Identifier: Apache-2.0
# needs: gzip bzip2 zstd xz openssl ssh-keygen
# root: host
dd if=/dev/zero bs=1M count=100 2>/dev/null | sha256sum; seq 1 500000 > big; for z in gzip bzip2 "zstd -q" xz; do $z -c big > big.z; $z -dc big.z | cmp - big && echo ok $z; done
rm -f k; ssh-keygen -q -t ed25519 -N '' -f k && ssh-keygen -l -f k | cut -d' ' -f1,4; openssl genrsa 2048 2>/dev/null | openssl rsa -check -noout 2>&1 | head -1; openssl rand -hex 4 | wc -c
echo 'secret' | openssl enc -aes-256-cbc -pbkdf2 -k pw | openssl enc -d -aes-256-cbc -pbkdf2 -k pw
