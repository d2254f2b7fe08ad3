# SPDX-License-Identifier: Apache-2.0
# needs: stress-ng
# root: host
stress-ng --verify --metrics-brief -t 3 --cpu 1 --vm 1 --vm-bytes 32m --pipe 1 --fork 1 --futex 1 --timer 1 2>&1 | grep -E 'fail|completed|unsucc' | sed 's/in .*//;s/.*] //'
