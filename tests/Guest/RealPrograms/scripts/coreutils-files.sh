# SPDX-License-Identifier: Apache-2.0
mkdir -p a/b/c && touch a/b/c/{one,two} 2>/dev/null || touch a/b/c/one a/b/c/two
cp -r a d; mv d e; ls -R e; ln -s e/b link; readlink -f link | sed 's,.*/,,'; rm -rf a
dd if=/dev/urandom of=r bs=64k count=16 2>/dev/null; sha256sum r | cut -c65- ; split -b 100k r part.; cat part.* | cmp - r && echo same
truncate -s 10M sparse; stat -c '%s' sparse; du -k --apparent-size sparse | cut -f1
install -m 600 r s; stat -c '%a %s' s; mktemp -d -p . >/dev/null && echo made; touch -d '2020-01-01 UTC' t; stat -c %Y t
chmod -R a-w e; stat -c %A e/b; chmod -R u+w e; find e -type f | sort | xargs wc -c
