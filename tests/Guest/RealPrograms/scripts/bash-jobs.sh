# SPDX-License-Identifier: Apache-2.0
# needs: bash
bash -c '
set -m; sleep 100 & p=$!; kill -STOP $p; until jobs | grep -q Stopped; do sleep 0.1; done; jobs | sed "s/ *$//"; kill -CONT $p; sleep 0.1; kill $p; wait $p 2>/dev/null; echo ended $?
for i in 1 2 3; do (sleep 0.$((3 * i)); exit $i) & done; wait -n; echo first $?; wait; echo all
'
