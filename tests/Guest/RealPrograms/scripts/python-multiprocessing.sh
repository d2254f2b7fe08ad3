# SPDX-License-Identifier: Apache-2.0
# needs: python3
cat > m.py <<'E'
import multiprocessing as mp
def f(x): return x * x
def child(q, v):
    with v.get_lock(): v.value += 1
    q.put(v.value > 0)
if __name__ == "__main__":
    with mp.Pool(3) as p: print(p.map(f, range(10)))
    q, v = mp.Queue(), mp.Value("i", 0)
    ps = [mp.Process(target=child, args=(q, v)) for _ in range(4)]
    [p.start() for p in ps]; print([q.get() for _ in ps]); [p.join() for p in ps]; print(v.value)
E
python3 m.py
