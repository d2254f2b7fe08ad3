# SPDX-License-Identifier: Apache-2.0
# needs: tar xz gzip bzip2
mkdir -p d/e; seq 1 5000 > d/a; echo b > d/e/b; ln -s a d/l; ln d/a d/h; chmod 640 d/e/b
for z in z J j; do tar -c${z}f a.t$z --mtime=@0 --sort=name --owner=0 --group=0 --numeric-owner d; mkdir x$z; tar -xf a.t$z -C x$z; diff -r d x$z/d && echo same $z; done
tar -tvf a.tJ --numeric-owner | sed 's/  */ /g' | cut -d' ' -f1,2,3,6-; stat -c '%a %h' xJ/d/e/b xJ/d/h
xz -k d/a; xz -l d/a.xz | wc -l; xz -dc d/a.xz | md5sum; gzip -9c d/a | gunzip | md5sum; bzip2 -c d/a | bunzip2 | md5sum
