// SPDX-License-Identifier: Apache-2.0
using System.Text;
using CVisor.Host;

namespace CVisor.Runsc.Sandbox;

/// <summary>An exclusive lock on a container (flock(2) on its lock file); let go by <see cref="Dispose"/> or our end.</summary>
public sealed class StateLock : IDisposable
{
    private const int AtFdcwd = -100, ORdwr = 2, OCreat = 0x40, OCloexec = 0x80000, LockEx = 2;
    private readonly int _fd;

    private StateLock(int fd) => _fd = fd;

    /// <summary>Takes the lock, waiting for whoever has it.</summary>
    public static StateLock Take(string path)
    {
        byte[] name = Encoding.UTF8.GetBytes(path + '\0');
        while (true)
        {
            int fd = HostCalls.Openat(AtFdcwd, name, ORdwr | OCreat | OCloexec, 0x180).OrThrow($"open the lock {path}").Int;
            HostResult locked;
            do
            {
                locked = HostCalls.Flock(fd, LockEx);
            }
            while (locked.Error == HostErrno.EINTR);

            locked.OrThrow($"lock {path}");

            // Whoever had it may have deleted the container and the file with it; then ours is no longer the one.
            HostStat mine = default;
            HostStat current = default;
            HostCalls.Fstat(fd, ref mine).OrThrow("fstat");
            if (!HostCalls.Newfstatat(AtFdcwd, name, ref current, 0).IsError && mine.Ino == current.Ino && mine.Dev == current.Dev)
            {
                return new StateLock(fd);
            }

            _ = HostCalls.Close(fd);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ = HostCalls.Close(_fd);
}
