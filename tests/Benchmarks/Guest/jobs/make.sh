# SPDX-License-Identifier: Apache-2.0
# figures: make_build
# needs: make gcc
cp -r "$INPUT/project" . && cd project
elapsed make_build make -s -j2
