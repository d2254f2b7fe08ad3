# SPDX-License-Identifier: Apache-2.0
# needs: ps
sleep 50 & p=$!; until [ "$(cat /proc/$p/comm)" = sleep ]; do sleep 0.01; done; ps -o pid=,comm= -p $p | tr -s ' ' | sed "s/$p/PID/;s/^ //"; kill -TERM $p; wait $p; echo $?; ps -e -o comm= | grep -q '^ps$' && echo listed
grep -c processor /proc/cpuinfo > /dev/null && echo cpus; test "$(cat /proc/self/comm)" = cat && echo comm; ls /proc/$$/fd | grep -x '[012]'; readlink /proc/$$/exe > /dev/null && echo exe
ulimit -n > /dev/null && (ulimit -n 50; ulimit -n); (ulimit -t 1; ulimit -t); nice -n 5 nice; time -p true 2>/dev/null; umask 077; touch f; stat -c %a f
nohup true > /dev/null 2>&1; echo $?; sh -c 'trap "echo term" TERM; kill -TERM $$; sleep 0'; setsid sh -c 'echo session'; env -i sh -c 'echo $0'
