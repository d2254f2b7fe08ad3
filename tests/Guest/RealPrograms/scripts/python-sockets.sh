# SPDX-License-Identifier: Apache-2.0
# needs: python3
python3 -c '
import socket, threading, select, http.server, urllib.request, os
s = socket.create_server(("127.0.0.1", 0)); port = s.getsockname()[1]
def serve():
    c, _ = s.accept()
    while (d := c.recv(4096)): c.sendall(d.upper())
    c.close()
t = threading.Thread(target=serve); t.start()
c = socket.create_connection(("127.0.0.1", port)); c.sendall(b"hello" * 1000); c.shutdown(socket.SHUT_WR)
d = b""
while (x := c.recv(4096)): d += x
t.join(); print(len(d), d[:5])
u, v = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
u.bind(("127.0.0.1", 0)); v.sendto(b"dgram", u.getsockname()); print(u.recv(100))
a, b = socket.socketpair(); a.send(b"pair"); print(select.select([b], [], [], 1)[0] == [b], b.recv(10))
six = socket.create_server(("::1", 0), family=socket.AF_INET6); w = socket.create_connection(six.getsockname()[:2]); k, _ = six.accept(); w.send(b"six"); print(k.recv(10))
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b"path " + self.path.encode())
    def log_message(self, *a): pass
h = http.server.ThreadingHTTPServer(("127.0.0.1", 0), H); threading.Thread(target=h.serve_forever, daemon=True).start()
print(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://127.0.0.1:{h.server_port}/x").read()); h.shutdown()
'
