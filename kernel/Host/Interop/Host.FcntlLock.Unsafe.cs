// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace CVisor.Host;

/// <summary>struct flock: a lock on a range of a file.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(32)]
public struct HostFlock
{
    /// <summary>F_RDLCK 0, F_WRLCK 1, F_UNLCK 2.</summary>
    public short Type;

    /// <summary>What <see cref="Start"/> counts from; SEEK_SET is 0.</summary>
    public short Whence;

    /// <summary>The first byte.</summary>
    public long Start;

    /// <summary>The length in bytes; 0 to the end.</summary>
    public long Length;

    /// <summary>The owner; 0 for locks of an open file.</summary>
    public int Pid;
}

public static unsafe partial class HostCalls
{
    /// <summary>Takes, releases or asks about a lock (fcntl(2), F_OFD_SETLK 37, F_OFD_GETLK 36).</summary>
    [HostCall("fcntl")]
    public static HostResult FcntlLock(int fd, int command, ref HostFlock range)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostFlock* rangePtr = &range)
        {
            return Blocking(SysFcntl, fd, command, (long)rangePtr);
        }
    }
}
