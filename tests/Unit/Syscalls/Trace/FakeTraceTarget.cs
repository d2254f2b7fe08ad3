// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using System.Text;
using CVisor.Core.Memory;
using CVisor.Syscalls.Trace;

namespace CVisor.Syscalls.Tests.Trace;

/// <summary>A task with a few mapped regions and open files; all memory outside the regions faults.</summary>
internal sealed class FakeTraceTarget : ITraceTarget
{
    private readonly SortedDictionary<ulong, byte[]> _regions = [];
    private ulong _next = 0x10000;

    public int ThreadId { get; set; } = 1;

    public string Name { get; set; } = "bash";

    public Dictionary<int, string> Files { get; } = new() { [0] = "/dev/null", [3] = "/tmp/a" };

    /// <summary>Maps <paramref name="bytes"/> at the start of pages of their own; behind the last one nothing is mapped.</summary>
    public ulong Map(params byte[] bytes)
    {
        // At the end of the page, so that one byte too many is a fault.
        ulong address = _next + (ulong)((4096 - (bytes.Length % 4096)) % 4096);
        _regions[address] = bytes;
        _next += (ulong)bytes.Length + 0x10000 & ~0xfffUL;
        return address;
    }

    public ulong MapString(string text) => Map(Encoding.Latin1.GetBytes(text + "\0"));

    public ulong MapWords(params ulong[] words)
    {
        byte[] bytes = new byte[words.Length * 8];
        for (int i = 0; i < words.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(i * 8), words[i]);
        }

        return Map(bytes);
    }

    public int Read(UserPtr source, Span<byte> destination)
    {
        foreach ((ulong start, byte[] bytes) in _regions)
        {
            if (source.Address >= start && source.Address < start + (ulong)bytes.Length)
            {
                ReadOnlySpan<byte> from = bytes.AsSpan((int)(source.Address - start));
                int length = Math.Min(from.Length, destination.Length);
                from[..length].CopyTo(destination);
                return length;
            }
        }

        return 0;
    }

    public string? DescribeFile(int descriptor) => Files.GetValueOrDefault(descriptor);

    public string DescribeWorkingDirectory() => "/home";
}
