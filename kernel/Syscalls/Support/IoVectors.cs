// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Host;

namespace CVisor.Syscalls.Support;

/// <summary>struct iovec.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(16)]
internal struct GuestIoVector
{
    internal ulong Base;
    internal ulong Length;
}

/// <summary>Arrays of struct iovec as transfers.</summary>
internal static class IoVectors
{
    /// <summary>The most bytes that one call moves (MAX_RW_COUNT).</summary>
    internal const long MaximumBytes = 0x7ffff000;

    /// <summary>The most elements (UIO_MAXIOV).</summary>
    internal const int MaximumCount = 1024;

    /// <summary>A transfer of one range, cut to <see cref="MaximumBytes"/>.</summary>
    internal static IoBuffer One(Task task, UserPtr address, ulong length) => new(task.Memory, address, Math.Min(length, MaximumBytes));

    /// <summary>Reads an array.</summary>
    /// <param name="task">Whose memory.</param>
    /// <param name="vector">The array.</param>
    /// <param name="count">Its length.</param>
    /// <param name="tooMany">The error for more than <see cref="MaximumCount"/> (EINVAL, or EMSGSIZE for messages).</param>
    /// <param name="buffer">The transfer.</param>
    /// <returns>None; EFAULT; EINVAL when a length is negative.</returns>
    internal static Errno Read(Task task, UserPtr vector, ulong count, Errno tooMany, out IoBuffer buffer)
    {
        buffer = default;
        if (count > MaximumCount)
        {
            return tooMany;
        }

        if (count == 1)
        {
            Errno single = task.Memory.CopyIn(vector, out GuestIoVector element);
            buffer = One(task, new UserPtr(element.Base), element.Length);
            return single != Errno.None ? single : element.Length > long.MaxValue ? Errno.EINVAL : Errno.None;
        }

        GuestIoVector[] elements = new GuestIoVector[(int)count];
        Errno error = task.Memory.CopyIn(vector, Blit.AsBytes(elements.AsSpan()));
        if (error != Errno.None)
        {
            return error;
        }

        UserRange[] ranges = new UserRange[elements.Length];
        ulong left = MaximumBytes;
        for (int i = 0; i < ranges.Length; i++)
        {
            if (elements[i].Length > long.MaxValue)
            {
                return Errno.EINVAL;
            }

            ulong length = Math.Min(left, elements[i].Length);
            ranges[i] = new UserRange(new UserPtr(elements[i].Base), length);
            left -= length;
        }

        buffer = new IoBuffer(task.Memory, ranges);
        return Errno.None;
    }
}
