# SPDX-License-Identifier: Apache-2.0
# needs: python3
python3 -c '
import sqlite3, zlib, hashlib, json, decimal, pathlib, shutil, tempfile, tarfile, io, random, os
d = pathlib.Path(tempfile.mkdtemp()); (d / "f").write_text("text"); print(sorted(x.name for x in d.iterdir()), (d / "f").stat().st_size); shutil.rmtree(d); print(d.exists())
c = sqlite3.connect(":memory:"); c.execute("create table t(a)"); c.executemany("insert into t values(?)", [(i,) for i in range(100)]); print(c.execute("select sum(a) from t").fetchone())
print(hashlib.sha256(zlib.decompress(zlib.compress(b"x" * 100000))).hexdigest()[:16], json.dumps({"a": [1, 2.5, None]}), decimal.Decimal(1) / 7)
random.seed(1); print(random.randint(0, 10**9)); print(len(os.urandom(32)), sum(i * i for i in range(10**5)))
b = io.BytesIO(); t = tarfile.open(fileobj=b, mode="w:gz"); i = tarfile.TarInfo("x"); i.size = 3; t.addfile(i, io.BytesIO(b"abc")); t.close(); b.seek(0); print(tarfile.open(fileobj=b).getnames())
'
