# SPDX-License-Identifier: Apache-2.0
# figures: redis_get_p1 redis_set_p1 redis_get_p16 redis_set_p16
# needs: redis-server redis-cli redis-benchmark
port=$((20000 + $$ % 10000))
redis-server --port $port --save '' >server.log 2>&1 &
server=$!
for _ in $(seq 100); do redis-cli -p $port ping 2>/dev/null | grep -q PONG && break; sleep 0.1; done
# PIPELINE REQUESTS
measure() {
    redis-benchmark -p $port -t get,set -c 50 -P "$1" -n "$2" --csv 2>/dev/null |
        sed -n "s,^\"\([GS]ET\)\"\,\"\([0-9.]*\)\".*,redis_\L\1_p$1\t\2\treq/s,p"
}
measure 1 20000
measure 16 100000
kill $server
wait $server
