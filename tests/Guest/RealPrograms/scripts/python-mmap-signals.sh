# SPDX-License-Identifier: Apache-2.0
# needs: python3
python3 -c '
import mmap, os, signal, time, tempfile, fcntl, resource, select
f = tempfile.TemporaryFile(); f.truncate(8192); m = mmap.mmap(f.fileno(), 8192); m[0:5] = b"hello"; m.flush(); f.seek(0); print(f.read(5))
a = mmap.mmap(-1, 4096)
pid = os.fork()
if pid == 0: a[0:3] = b"kid"; os._exit(3)
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), a[0:3])
got = []
signal.signal(signal.SIGUSR1, lambda s, _: got.append(s)); os.kill(os.getpid(), signal.SIGUSR1); print(got == [signal.SIGUSR1])
signal.signal(signal.SIGALRM, lambda s, _: got.append("alarm")); signal.setitimer(signal.ITIMER_REAL, 0.02); signal.pause(); print(got[-1])
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2]); os.kill(os.getpid(), signal.SIGUSR2); print(signal.sigwait([signal.SIGUSR2]) == signal.SIGUSR2)
r, w = os.pipe(); p = select.epoll(); p.register(r, select.EPOLLIN); os.write(w, b"x"); print(p.poll(1) == [(r, 1)])
fcntl.flock(f, fcntl.LOCK_EX); print(resource.getrlimit(resource.RLIMIT_STACK)[0] > 0, os.cpu_count() > 0)
try:
    signal.signal(signal.SIGINT, signal.default_int_handler); os.kill(os.getpid(), signal.SIGINT); time.sleep(1)
except KeyboardInterrupt: print("interrupted")
'
