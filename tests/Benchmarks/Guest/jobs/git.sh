# SPDX-License-Identifier: Apache-2.0
# figures: git_status_first git_status
# needs: git
# The index knows the files as the host sees them: where a sandbox gives them other numbers, the first status reads every file.
cd "$INPUT/repository"
elapsed git_status_first git status
elapsed git_status git status
