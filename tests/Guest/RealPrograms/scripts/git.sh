# SPDX-License-Identifier: Apache-2.0
# needs: git
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org GIT_AUTHOR_DATE='2020-01-01T00:00:00Z' GIT_COMMITTER_DATE='2020-01-01T00:00:00Z' GIT_CONFIG_NOSYSTEM=1 HOME=$PWD
git init -q -b main r && cd r; for i in 1 2 3; do echo "line $i" >> f; git add f; git commit -q -m "commit $i"; done
git log --format='%h %s'; git checkout -q -b side HEAD~1; echo other > g; git add g; git commit -q -m side; git checkout -q main; git merge -q -m merged side; git log --oneline --graph | cat
git diff --stat HEAD~1 | cat; git status --short; git tag v1; git describe --tags; git stash list; git clone -q . ../c && cd ../c && git log -1 --format=%s; git gc -q; git fsck 2>&1 | grep -v notice; git rev-parse HEAD
