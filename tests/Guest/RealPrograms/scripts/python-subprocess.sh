# SPDX-License-Identifier: Apache-2.0
# needs: python3
python3 -c '
import subprocess, os, sys
print(subprocess.run(["echo", "hello"], capture_output=True, text=True).stdout.strip())
p = subprocess.Popen(["tr", "a-z", "A-Z"], stdin=subprocess.PIPE, stdout=subprocess.PIPE); print(p.communicate(b"shout")[0])
print(subprocess.run("exit 9", shell=True).returncode)
try: subprocess.run(["sleep", "9"], timeout=0.1)
except subprocess.TimeoutExpired: print("timed out")
a = subprocess.Popen(["seq", "1", "1000"], stdout=subprocess.PIPE); b = subprocess.run(["wc", "-l"], stdin=a.stdout, capture_output=True, text=True); print(b.stdout.strip())
ps = [subprocess.Popen([sys.executable, "-c", f"print({i} * 2)"], stdout=subprocess.PIPE) for i in range(5)]; print([int(p.communicate()[0]) for p in ps])
print(subprocess.run(["sh", "-c", "kill -9 $$"]).returncode, subprocess.run(["env"], env={"A": "1"}, capture_output=True, text=True).stdout.strip())
'
