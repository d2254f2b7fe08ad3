// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Vfs;

namespace CVisor.Core.Loader;

/// <summary>The headers of a 64-bit little-endian ELF program (elf(5)), checked.</summary>
internal sealed class ElfFile
{
    internal const int HeaderBytes = 64;
    internal const int ProgramHeaderBytes = 56;
    private const int MaximumProgramHeaders = 65536 / ProgramHeaderBytes;
    private const ushort TypeExecutable = 2, TypeShared = 3, MachineX64 = 62;

    private const uint SegmentLoad = 1, SegmentInterpreter = 3, SegmentHeaders = 6, SegmentStack = 0x6474e551;
    private const int MaximumInterpreterBytes = 4096;

    private ElfFile(ulong entry, bool isPositionIndependent, ElfSegment[] segments, string? interpreter, ulong headersOffset, int headerCount, bool hasExecutableStack)
    {
        Entry = entry;
        IsPositionIndependent = isPositionIndependent;
        Segments = segments;
        Interpreter = interpreter;
        ProgramHeadersOffset = headersOffset;
        ProgramHeaderCount = headerCount;
        HasExecutableStack = hasExecutableStack;
    }

    /// <summary>The entry point, before relocation.</summary>
    internal ulong Entry { get; }

    /// <summary>ET_DYN.</summary>
    internal bool IsPositionIndependent { get; }

    /// <summary>PT_LOAD segments, in address order.</summary>
    internal ElfSegment[] Segments { get; }

    /// <summary>PT_INTERP, or null.</summary>
    internal string? Interpreter { get; }

    /// <summary>Where the program headers lie in the file.</summary>
    internal ulong ProgramHeadersOffset { get; }

    /// <summary>How many there are.</summary>
    internal int ProgramHeaderCount { get; }

    /// <summary>Whether PT_GNU_STACK asks for it, or is missing.</summary>
    internal bool HasExecutableStack { get; }

    /// <summary>Reads and checks the headers.</summary>
    /// <returns>None; ENOEXEC; EIO when the file is shorter than its headers say.</returns>
    internal static Errno TryRead(FileDescription file, ReadOnlySpan<byte> head, out ElfFile? elf)
    {
        elf = null;
        if (head.Length < HeaderBytes || !head[..4].SequenceEqual("\u007fELF"u8) || head[4] != 2 || head[5] != 1)
        {
            return Errno.ENOEXEC;
        }

        ushort type = BinaryPrimitives.ReadUInt16LittleEndian(head[16..]);
        ushort machine = BinaryPrimitives.ReadUInt16LittleEndian(head[18..]);
        ulong entry = BinaryPrimitives.ReadUInt64LittleEndian(head[24..]);
        ulong headersOffset = BinaryPrimitives.ReadUInt64LittleEndian(head[32..]);
        int headerSize = BinaryPrimitives.ReadUInt16LittleEndian(head[54..]);
        int headerCount = BinaryPrimitives.ReadUInt16LittleEndian(head[56..]);
        if (type is not (TypeExecutable or TypeShared) || machine != MachineX64 || headerSize != ProgramHeaderBytes || headerCount == 0 || headerCount > MaximumProgramHeaders || headersOffset > long.MaxValue - 65536)
        {
            return Errno.ENOEXEC;
        }

        byte[] headers = new byte[headerCount * ProgramHeaderBytes];
        Errno error = LoaderIo.ReadExactly(file, headers, (long)headersOffset);
        if (error != Errno.None)
        {
            return error;
        }

        var segments = new System.Collections.Generic.List<ElfSegment>();
        string? interpreter = null;
        bool hasExecutableStack = true;
        for (int i = 0; i < headerCount; i++)
        {
            ReadOnlySpan<byte> header = headers.AsSpan(i * ProgramHeaderBytes, ProgramHeaderBytes);
            uint kind = BinaryPrimitives.ReadUInt32LittleEndian(header);
            uint flags = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
            ulong address = BinaryPrimitives.ReadUInt64LittleEndian(header[16..]);
            ulong fileBytes = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
            ulong memoryBytes = BinaryPrimitives.ReadUInt64LittleEndian(header[40..]);
            switch (kind)
            {
                case SegmentLoad:
                    const ulong Limit = 1UL << 47;
                    if (memoryBytes < fileBytes || memoryBytes > Limit || address > Limit || offset > Limit || ((address ^ offset) & 0xfff) != 0)
                    {
                        return Errno.ENOEXEC;
                    }

                    if (segments.Count > 0 && segments[^1].Address + segments[^1].MemoryBytes > address)
                    {
                        return Errno.ENOEXEC;
                    }

                    segments.Add(new ElfSegment(offset, address, fileBytes, memoryBytes, flags));
                    break;
                case SegmentInterpreter when interpreter is null:
                    if (fileBytes is < 2 or > MaximumInterpreterBytes || offset > long.MaxValue)
                    {
                        return Errno.ENOEXEC;
                    }

                    byte[] path = new byte[(int)fileBytes];
                    error = LoaderIo.ReadExactly(file, path, (long)offset);
                    if (error != Errno.None)
                    {
                        return error;
                    }

                    if (path[^1] != 0)
                    {
                        return Errno.ENOEXEC;
                    }

                    interpreter = KernelString.FromBytes(path.AsSpan(0, path.AsSpan().IndexOf((byte)0)));
                    break;
                case SegmentStack:
                    hasExecutableStack = (flags & 1) != 0;
                    break;
                case SegmentHeaders:
                    break;
            }
        }

        if (segments.Count == 0)
        {
            return Errno.ENOEXEC;
        }

        elf = new ElfFile(entry, type == TypeShared, segments.ToArray(), interpreter, headersOffset, headerCount, hasExecutableStack);
        return Errno.None;
    }
}

/// <summary>A PT_LOAD segment.</summary>
/// <param name="Offset">In the file, in bytes.</param>
/// <param name="Address">Before relocation.</param>
/// <param name="FileBytes">Bytes in the file.</param>
/// <param name="MemoryBytes">Bytes in memory; the rest is zero.</param>
/// <param name="Flags">PF_X 1, PF_W 2, PF_R 4.</param>
internal readonly record struct ElfSegment(ulong Offset, ulong Address, ulong FileBytes, ulong MemoryBytes, uint Flags);

/// <summary>Reads of program files.</summary>
internal static class LoaderIo
{
    /// <summary>Reads as much as there is, up to the buffer's length.</summary>
    internal static Errno Read(FileDescription file, Memory<byte> buffer, long offset, out int count)
    {
        count = 0;
        while (count < buffer.Length)
        {
            IoBuffer destination = new(buffer[count..]);
            IoResult result = file.ReadAt(null, ref destination, offset + count);
            if (result.IsError)
            {
                return result.Error;
            }

            if (result.Count == 0)
            {
                break;
            }

            count += (int)result.Count;
        }

        return Errno.None;
    }

    /// <summary>Fills the buffer; ENOEXEC when the file ends before.</summary>
    internal static Errno ReadExactly(FileDescription file, Memory<byte> buffer, long offset)
    {
        Errno error = Read(file, buffer, offset, out int count);
        return error != Errno.None ? error : count == buffer.Length ? Errno.None : Errno.ENOEXEC;
    }
}
