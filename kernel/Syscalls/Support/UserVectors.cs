// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;

namespace CVisor.Syscalls.Support;

/// <summary>struct iovec arrays of the guest.</summary>
internal static class UserVectors
{
    private const int MaximumCount = 1024; // UIO_MAXIOV.
    private const int VectorBytes = 16;
    private const ulong MaximumTransfer = 0x7ffff000;

    /// <summary>Reads an array of ranges.</summary>
    /// <returns>None; EINVAL for a bad count or a length beyond SSIZE_MAX; EFAULT.</returns>
    internal static Errno CopyIn(Task task, UserPtr iov, int count, out IoBuffer buffer)
    {
        buffer = default;
        if (count is < 0 or > MaximumCount)
        {
            return Errno.EINVAL;
        }

        Errno error = CopyIn(task, iov, count, out UserRange[] ranges);
        if (error == Errno.None)
        {
            buffer = new IoBuffer(task.Memory, ranges);
        }

        return error;
    }

    /// <summary>Reads an array of ranges; their sum is cut at MAX_RW_COUNT, as Linux does.</summary>
    internal static Errno CopyIn(Task task, UserPtr iov, int count, out UserRange[] ranges)
    {
        ranges = new UserRange[count];
        byte[] raw = new byte[count * VectorBytes];
        Errno error = task.Memory.CopyIn(iov, raw);
        if (error != Errno.None)
        {
            return error;
        }

        ulong left = MaximumTransfer;
        for (int i = 0; i < count; i++)
        {
            ulong address = BinaryPrimitives.ReadUInt64LittleEndian(raw.AsSpan(i * VectorBytes));
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(raw.AsSpan((i * VectorBytes) + 8));
            if (length > long.MaxValue)
            {
                return Errno.EINVAL;
            }

            length = Math.Min(length, left);
            left -= length;
            ranges[i] = new UserRange(new UserPtr(address), length);
        }

        return Errno.None;
    }
}
