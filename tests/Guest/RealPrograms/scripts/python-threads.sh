# SPDX-License-Identifier: Apache-2.0
# needs: python3
python3 -c '
import threading, queue, time
q, out, lock = queue.Queue(), [], threading.Lock()
def work():
    while True:
        n = q.get()
        if n is None: return
        with lock: out.append(n * n)
ts = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in ts]
for i in range(1000): q.put(i)
for _ in ts: q.put(None)
[t.join() for t in ts]
print(len(out), sum(out))
e = threading.Event(); threading.Timer(0.02, e.set).start(); print(e.wait(5))
b = threading.Barrier(4); r = []
ts = [threading.Thread(target=lambda: r.append(b.wait())) for _ in range(4)]; [t.start() for t in ts]; [t.join() for t in ts]; print(sorted(r))
'
