# SPDX-License-Identifier: Apache-2.0
# needs: nginx curl
# root: host
port=$((20000 + $$ % 10000))
mkdir -p logs html; echo page > html/index.html; chmod 755 . html; cat > n.conf <<X
worker_processes 2; pid $PWD/nginx.pid; error_log $PWD/e.log; user root;
events { worker_connections 64; }
http { access_log off; client_body_temp_path $PWD/t; proxy_temp_path $PWD/t2; fastcgi_temp_path $PWD/t3; uwsgi_temp_path $PWD/t4; scgi_temp_path $PWD/t5; server { listen 127.0.0.1:$port; root $PWD/html; sendfile on; } }
X
nginx -e $PWD/e.log -c $PWD/n.conf -p $PWD; for i in $(seq 20); do curl -s --noproxy '*' http://127.0.0.1:$port/ && break; sleep 0.1; done
for i in $(seq 50); do curl -s --noproxy '*' http://127.0.0.1:$port/; done | sort | uniq -c; head -c 3000000 /dev/urandom > html/big; curl -s --noproxy '*' http://127.0.0.1:$port/big | cmp - html/big && echo same
nginx -e $PWD/e.log -c $PWD/n.conf -p $PWD -s stop; sleep 0.3; cat e.log | grep -v notice | head
