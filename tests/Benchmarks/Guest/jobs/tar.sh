# SPDX-License-Identifier: Apache-2.0
# figures: tar_create tar_extract
# needs: tar
elapsed tar_create tar cf files.tar -C "$INPUT" files
elapsed tar_extract tar xf files.tar
