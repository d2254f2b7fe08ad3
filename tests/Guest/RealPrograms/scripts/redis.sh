# SPDX-License-Identifier: Apache-2.0
# needs: redis-server redis-cli redis-benchmark
# root: host
port=$((20000 + $$ % 10000))
redis-server --port $port --save '' --daemonize no > r.log 2>&1 & p=$!
for i in $(seq 100); do redis-cli -p $port ping 2>/dev/null | grep -q PONG && break; sleep 0.1; done
redis-cli -p $port set a 1; redis-cli -p $port incr a; redis-benchmark -p $port -n 5000 -q -t set,get,incr,lpush 2>&1 | tr '\r' '\n' | grep -c 'requests per second, p50=.*msec *$'
redis-cli -p $port eval 'return redis.call("get","a")' 0
redis-cli -p $port bgsave; sleep 1; redis-cli -p $port lastsave | grep -c .
redis-cli -p $port shutdown nosave; wait $p; echo $?; tail -1 r.log | grep -c bye
