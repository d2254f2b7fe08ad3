// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Host;
using CVisor.Platforms;

namespace CVisor.Core.Loader;

/// <summary>Lays a program out: segments, interpreter, heap, stack with arguments, environment and auxiliary vector (binfmt_elf.c, the System V ABI).</summary>
internal static class AddressSpaceBuilder
{
    private const MemoryAccess AllAccess = MemoryAccess.Read | MemoryAccess.Write | MemoryAccess.Execute;
    private const ulong Page = MemoryManager.PageSize;
    private const ulong MaximumArgumentBytes = 6UL << 20; // _STK_LIM / 4 * 3.

    internal static LoadResult Build(Kernel kernel, AddressSpace space, ProgramRequest request, List<string> arguments, FileDescription file, ElfFile elf, FileDescription? interpreterFile, ElfFile? interpreterElf)
    {
        Span<byte> random = stackalloc byte[24];
        HostRandom.Fill(random);
        ulong randomBits = request.IsRandomized ? BinaryPrimitives.ReadUInt64LittleEndian(random[16..]) : 0;
        MemoryLayout layout = MemoryLayout.Create(kernel.Platform.MinimumAddress, kernel.Platform.MaximumAddress, randomBits, request.StackLimitBytes);
        MemoryManager memory = new(kernel.Memory, space, layout) { StackLimitBytes = request.StackLimitBytes };
        Errno error = TryBuild(kernel, memory, request, arguments, file, elf, interpreterFile, interpreterElf, random[..16], out ulong entry, out ulong stackPointer);
        if (error != Errno.None)
        {
            memory.RemoveUser();
            file.Inode?.AllowWriting();
            file.Unreference();
            return new LoadResult(null, error);
        }

        memory.Executable = file;
        string name = request.Path[(request.Path.LastIndexOf('/') + 1)..];
        return new LoadResult(new LoadedProgram(memory, entry, stackPointer, name.Length > 15 ? name[..15] : name), Errno.None);
    }

    private static Errno TryBuild(Kernel kernel, MemoryManager memory, ProgramRequest request, List<string> arguments, FileDescription file, ElfFile elf, FileDescription? interpreterFile, ElfFile? interpreterElf, ReadOnlySpan<byte> random, out ulong entry, out ulong stackPointer)
    {
        stackPointer = 0;
        entry = 0;
        ulong bias = 0;
        if (elf.IsPositionIndependent)
        {
            // A program without an interpreter (the dynamic linker run by hand) goes where mappings go, so that the heap has room.
            bias = (interpreterElf is null ? FindTop(memory, elf) : memory.Layout.PieBase) - (elf.Segments[0].Address & ~(Page - 1));
        }

        Errno error = MapSegments(memory, file, elf, bias, out ulong end);
        if (error != Errno.None)
        {
            return error;
        }

        memory.InitializeBreak(elf.IsPositionIndependent && interpreterElf is null ? memory.Layout.PieBase : end);
        entry = elf.Entry + bias;
        ulong interpreterBase = 0;
        if (interpreterElf is not null)
        {
            ulong interpreterBias = interpreterElf.IsPositionIndependent ? FindTop(memory, interpreterElf) - (interpreterElf.Segments[0].Address & ~(Page - 1)) : 0;
            error = MapSegments(memory, interpreterFile!, interpreterElf, interpreterBias, out _);
            if (error != Errno.None)
            {
                return error;
            }

            interpreterBase = interpreterBias;
            entry = interpreterElf.Entry + interpreterBias;
        }

        ulong vdso = kernel.Vdso is { } image ? image.Map(memory) : 0;
        memory.VdsoBase = vdso;
        return BuildStack(memory, request, arguments, elf, bias, interpreterBase, vdso, random, out stackPointer);
    }

    private static ulong FindTop(MemoryManager memory, ElfFile elf)
    {
        ulong first = elf.Segments[0].Address & ~(Page - 1);
        ElfSegment last = elf.Segments[^1];
        MapRequest probe = new() { Length = last.Address + last.MemoryBytes - first, Access = MemoryAccess.None, MaximumAccess = AllAccess };
        if (memory.Map(probe, 0, Placement.Hint, false, false, out UserPtr where) != Errno.None)
        {
            return memory.Layout.PieBase;
        }

        _ = memory.Unmap(where, probe.Length);
        return where.Address;
    }

    private static Errno MapSegments(MemoryManager memory, FileDescription file, ElfFile elf, ulong bias, out ulong end)
    {
        end = 0;
        foreach (ElfSegment segment in elf.Segments)
        {
            MemoryAccess access = ((segment.Flags & 4) != 0 ? MemoryAccess.Read : 0) | ((segment.Flags & 2) != 0 ? MemoryAccess.Write : 0) | ((segment.Flags & 1) != 0 ? MemoryAccess.Execute : 0);
            ulong start = (segment.Address + bias) & ~(Page - 1);
            ulong lead = segment.Address & (Page - 1);
            ulong fileEnd = segment.Address + bias + segment.FileBytes;
            ulong memoryEnd = segment.Address + bias + segment.MemoryBytes;
            Errno error;
            if (segment.FileBytes != 0)
            {
                MapRequest map = new() { Length = lead + segment.FileBytes, Offset = segment.Offset - lead, Access = access, MaximumAccess = AllAccess, Place = file.Path };
                error = file.ConfigureMap(null, ref map);
                if (error == Errno.None)
                {
                    error = memory.Map(map, start, Placement.Fixed, false, false, out _);
                }

                map.Source?.Unreference();
                if (error != Errno.None)
                {
                    return error == Errno.EEXIST ? Errno.ENOEXEC : error;
                }
            }

            ulong filePages = segment.FileBytes != 0 ? (fileEnd + Page - 1) & ~(Page - 1) : start;
            if (memoryEnd > filePages)
            {
                MapRequest zero = new() { Length = memoryEnd - filePages, Access = access, MaximumAccess = AllAccess };
                error = memory.Map(zero, filePages, Placement.Fixed, false, false, out _);
                if (error != Errno.None)
                {
                    return error == Errno.EEXIST ? Errno.ENOEXEC : error;
                }
            }

            if (segment.MemoryBytes > segment.FileBytes && segment.FileBytes != 0 && (fileEnd & (Page - 1)) != 0 && (access & MemoryAccess.Write) != 0)
            {
                error = memory.ZeroOut(new UserPtr(fileEnd), filePages - fileEnd);
                if (error != Errno.None)
                {
                    return error;
                }
            }

            end = Math.Max(end, memoryEnd);
        }

        return Errno.None;
    }

    private static Errno BuildStack(MemoryManager memory, ProgramRequest request, List<string> arguments, ElfFile elf, ulong bias, ulong interpreterBase, ulong vdso, ReadOnlySpan<byte> random, out ulong stackPointer)
    {
        stackPointer = 0;
        ulong top = memory.Layout.StackTop;
        const ulong InitialBytes = 33 * Page;
        ulong strings = 16;
        foreach (string text in arguments)
        {
            strings += (ulong)text.Length + 9;
        }

        foreach (string text in request.Environment)
        {
            strings += (ulong)text.Length + 9;
        }

        if (strings > Math.Min(MaximumArgumentBytes, Math.Max(request.StackLimitBytes / 4, 32 * Page)))
        {
            return Errno.E2BIG;
        }

        ulong size = ((strings + (2 * Page) + Page - 1) & ~(Page - 1)) + InitialBytes;
        MemoryAccess access = MemoryAccess.Read | MemoryAccess.Write | (elf.HasExecutableStack ? MemoryAccess.Execute : 0);
        MapRequest stack = new() { Length = size, Access = access, MaximumAccess = AllAccess, Name = "[stack]" };
        Errno error = memory.Map(stack, top - size, Placement.Fixed, growsDown: true, false, out _);
        if (error != Errno.None)
        {
            return error;
        }

        StackWriter writer = new(memory, top - 8);
        ulong executableName = writer.PushString(request.Path);
        ulong[] environment = new ulong[request.Environment.Count];
        memory.EnvironmentEnd = executableName;
        for (int i = environment.Length - 1; i >= 0; i--)
        {
            environment[i] = writer.PushString(request.Environment[i]);
        }

        memory.EnvironmentStart = writer.Position;
        memory.ArgumentsEnd = writer.Position;
        ulong[] argv = new ulong[arguments.Count];
        for (int i = argv.Length - 1; i >= 0; i--)
        {
            argv[i] = writer.PushString(arguments[i]);
        }

        memory.ArgumentsStart = writer.Position;
        ulong platform = writer.PushString("x86_64");
        ulong randomBytes = writer.PushBytes(random);
        writer.Align(16);

        ElfSegment first = elf.Segments[0];
        ulong headers = 0;
        foreach (ElfSegment segment in elf.Segments)
        {
            if (segment.Offset <= elf.ProgramHeadersOffset && elf.ProgramHeadersOffset < segment.Offset + segment.FileBytes)
            {
                headers = segment.Address + bias + (elf.ProgramHeadersOffset - segment.Offset);
                break;
            }
        }

        _ = first;
        List<ulong> auxiliary = [];
        void Add(ulong key, ulong value)
        {
            auxiliary.Add(key);
            auxiliary.Add(value);
        }

        if (vdso != 0)
        {
            Add(33, vdso); // AT_SYSINFO_EHDR
        }

        Add(16, HostProcessor.HardwareCapabilities); // AT_HWCAP
        Add(6, Page); // AT_PAGESZ
        Add(17, 100); // AT_CLKTCK
        Add(3, headers); // AT_PHDR
        Add(4, ElfFile.ProgramHeaderBytes); // AT_PHENT
        Add(5, (ulong)elf.ProgramHeaderCount); // AT_PHNUM
        Add(7, interpreterBase); // AT_BASE
        Add(8, 0); // AT_FLAGS
        Add(9, elf.Entry + bias); // AT_ENTRY
        Add(11, request.Credentials.RealUid); // AT_UID
        Add(12, request.Credentials.EffectiveUid); // AT_EUID
        Add(13, request.Credentials.RealGid); // AT_GID
        Add(14, request.Credentials.EffectiveGid); // AT_EGID
        Add(23, request.IsSecure ? 1UL : 0); // AT_SECURE
        Add(25, randomBytes); // AT_RANDOM
        Add(26, 0); // AT_HWCAP2
        Add(31, executableName); // AT_EXECFN
        Add(15, platform); // AT_PLATFORM
        Add(0, 0); // AT_NULL

        ulong words = 1 + (ulong)argv.Length + 1 + (ulong)environment.Length + 1 + (ulong)auxiliary.Count;
        if ((words & 1) != 0)
        {
            writer.PushBytes(new byte[8]);
        }

        byte[] table = new byte[checked((int)(words * 8))];
        int at = 0;
        void Word(ulong value)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(table.AsSpan(at), value);
            at += 8;
        }

        Word((ulong)argv.Length);
        foreach (ulong pointer in argv)
        {
            Word(pointer);
        }

        Word(0);
        foreach (ulong pointer in environment)
        {
            Word(pointer);
        }

        Word(0);
        memory.AuxiliaryVector = new byte[auxiliary.Count * 8];
        for (int i = 0; i < auxiliary.Count; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(memory.AuxiliaryVector.AsSpan(i * 8), auxiliary[i]);
            Word(auxiliary[i]);
        }

        stackPointer = writer.PushBytes(table);
        return writer.Error;
    }

    /// <summary>Pushes onto a stack that grows down; the first fault is kept.</summary>
    private sealed class StackWriter(MemoryManager memory, ulong position)
    {
        internal ulong Position { get; private set; } = position;

        internal Errno Error { get; private set; }

        internal ulong PushString(string text)
        {
            byte[] bytes = new byte[text.Length + 1];
            _ = KernelString.ToBytes(text, bytes);
            return PushBytes(bytes);
        }

        internal ulong PushBytes(ReadOnlySpan<byte> bytes)
        {
            Position -= (ulong)bytes.Length;
            Errno error = memory.CopyOut(new UserPtr(Position), bytes);
            Error = Error == Errno.None ? error : Error;
            return Position;
        }

        internal void Align(ulong bytes) => Position &= ~(bytes - 1);
    }
}
