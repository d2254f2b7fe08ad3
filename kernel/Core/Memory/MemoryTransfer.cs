// SPDX-License-Identifier: Apache-2.0
using System.Buffers;

namespace CVisor.Core.Memory;

/// <summary>Copies from one address space to another (process_vm_readv(2)).</summary>
public static class MemoryTransfer
{
    private const int PieceBytes = 64 << 10;

    /// <summary>Copies ranges to ranges until either side ends or faults.</summary>
    /// <returns>Bytes copied.</returns>
    public static long Move(MemoryManager source, ReadOnlySpan<UserRange> from, MemoryManager destination, ReadOnlySpan<UserRange> to)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(PieceBytes);
        long total = 0;
        int f = 0;
        int t = 0;
        ulong fromDone = 0;
        ulong toDone = 0;
        while (f < from.Length && t < to.Length)
        {
            ulong fromLeft = from[f].Length - fromDone;
            ulong toLeft = to[t].Length - toDone;
            if (fromLeft == 0)
            {
                f++;
                fromDone = 0;
                continue;
            }

            if (toLeft == 0)
            {
                t++;
                toDone = 0;
                continue;
            }

            int piece = (int)Math.Min(Math.Min(fromLeft, toLeft), PieceBytes);
            int read = source.CopyInPartial(from[f].Address.Offset(fromDone), buffer.AsSpan(0, piece));
            int written = destination.CopyOutPartial(to[t].Address.Offset(toDone), buffer.AsSpan(0, read));
            total += written;
            fromDone += (ulong)written;
            toDone += (ulong)written;
            if (written < piece)
            {
                break;
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return total;
    }
}
