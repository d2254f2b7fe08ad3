// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using CVisor.Core.Memory;

namespace CVisor.Syscalls.Trace;

/// <summary>Prints struct iovec arrays with the bytes they point to.</summary>
internal static class VectorFormatter
{
    private const int VectorSize = 16;
    private const int MaxVectors = 16;

    /// <summary>Prints <paramref name="count"/> vectors; of their buffers no more than <paramref name="valid"/> bytes in all.</summary>
    public static void PrintVectors(TraceWriter writer, ITraceTarget target, UserPtr source, long count, long valid)
    {
        Span<byte> vector = stackalloc byte[VectorSize];
        long shown = Math.Clamp(count, 0, MaxVectors);
        long left = valid;
        writer.Text("[");
        for (long i = 0; i < shown; i++)
        {
            writer.Text(i > 0 ? ", " : "");
            if (target.Read(source.Offset(unchecked((ulong)(i * VectorSize))), vector) != VectorSize)
            {
                writer.Text("(fault)");
                break;
            }

            UserPtr start = new(BinaryPrimitives.ReadUInt64LittleEndian(vector));
            ulong length = BinaryPrimitives.ReadUInt64LittleEndian(vector[8..]);
            writer.Text("{base=").Hex(start.Address).Text(", len=").Hex(length);
            long bytes = unchecked((long)Math.Min(length, (ulong)Math.Max(left, 0)));
            if (bytes > 0 && !start.IsNull)
            {
                writer.Text(", ");
                MemoryFormatter.PrintBytes(writer, target, start, bytes);
            }

            writer.Text("}");
            left -= bytes;
        }

        writer.Text(shown < count ? ", ...]" : "]");
    }
}
