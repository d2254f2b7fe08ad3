// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Host;
using CVisor.Host.Filters;
using static CVisor.Platforms.Systrap.SystrapLayout;

namespace CVisor.Platforms.Systrap;

/// <summary>The memory that stubs and the Sentry share: code and constants, the doorbell, and a part for each address space.</summary>
/// <remarks>
/// One memfd. Its beginning is the code, the constants and the doorbell; behind that lie the address spaces' parts, each <see cref="SpaceSize"/> long and
/// mostly never touched. The Sentry maps all of it, and once more, at the region's own address, what the first helper is born with.
/// Everything in a slot and in the answer page is a guest's word: read once, checked, never trusted.
/// </remarks>
internal sealed unsafe class SharedRegion
{
    private const int ProtRead = 1, ProtWrite = 2, ProtExec = 4, MapShared = 1, MapFixedNoReplace = 0x100000, MapNoReserve = 0x4000;
    private const int FallocKeepSize = 1, FallocPunchHole = 2;
    private const ulong FirstSpace = ControlOffset, SpaceCount = 4096, Alignment = 1UL << 21;
    private const ulong SaSiginfo = 4, SaRestorer = 0x04000000, SaOnStack = 0x08000000, SaNoDefer = 0x40000000;
    private readonly Lock _lock = new();
    private readonly Stack<ulong> _free = new();
    private readonly byte* _view;
    private readonly Stack<int> _freeLines = new();
    private ulong _next = FirstSpace;
    private int _nextLine;

    internal SharedRegion(int firstKept, int lastKept)
    {
        Fd = HostCalls.MemfdCreate("cvisor-stubs\0"u8, 1).OrThrow("create the stubs' memory file").Int;
        ulong size = FirstSpace + (SpaceCount * SpaceSize);
        _ = HostCalls.Ftruncate(Fd, (long)size).OrThrow("size the stubs' memory file");
        _view = (byte*)HostCalls.Mmap(0, (nuint)size, ProtRead | ProtWrite, MapShared | MapNoReserve, Fd, 0).OrThrow("map the stubs' memory file").Value;
        Address = FindPlace();
        FillConstants(firstKept, lastKept);
    }

    /// <summary>The region's address in every stub: the first that guest mappings may not use.</summary>
    internal ulong Address { get; }

    /// <summary>The descriptor of the memory file.</summary>
    internal int Fd { get; }

    /// <summary>Takes a part for a new address space; its offset in the file, or 0 when there is none left.</summary>
    internal ulong TakeSpace()
    {
        lock (_lock)
        {
            if (_free.TryPop(out ulong offset))
            {
                return offset;
            }

            if (_next >= FirstSpace + (SpaceCount * SpaceSize))
            {
                return 0;
            }

            offset = _next;
            _next += SpaceSize;
            return offset;
        }
    }

    /// <summary>Gives a part back, of which the processes are gone.</summary>
    internal void ReturnSpace(ulong offset)
    {
        _ = HostCalls.Fallocate(Fd, FallocPunchHole | FallocKeepSize, (long)offset, (long)SpaceSize);
        lock (_lock)
        {
            _free.Push(offset);
        }
    }

    /// <summary>Says which calls have answers in the slots, in this order; those that do not fit are asked for.</summary>
    internal void SetAnswerPlaces(ReadOnlySpan<int> numbers)
    {
        Span<byte> places = Bytes(ConstantsOffset + AnswerPlaces, AnswerableNumbers);
        places.Clear();
        for (int i = 0; i < Math.Min(numbers.Length, MostAnswers); i++)
        {
            if (numbers[i] < AnswerableNumbers)
            {
                places[numbers[i]] = checked((byte)((Answers / 8) + i));
            }
        }
    }

    /// <summary>Takes away what guests could write in a part, of which no guest's process is left; false when the host does not do it.</summary>
    internal bool TryClearGuestPages(ulong offset) =>
        !HostCalls.Fallocate(Fd, FallocPunchHole | FallocKeepSize, (long)(offset + AnswerInSpace), (long)(SpaceSize - AnswerInSpace)).IsError;

    /// <summary>Takes a line for a new carrier; its number, or -1 when there is none left.</summary>
    internal int TakeLine()
    {
        lock (_lock)
        {
            return _freeLines.TryPop(out int line) ? line : _nextLine < LineCount ? _nextLine++ : -1;
        }
    }

    /// <summary>Gives lines back whose carriers are gone.</summary>
    internal void ReturnLines(List<int> lines)
    {
        lock (_lock)
        {
            foreach (int line in lines)
            {
                _freeLines.Push(line);
            }
        }
    }

    /// <summary>Waits until a stub's word has a value; false when it has not within some seconds, which only a stub that does not do what it is told needs.</summary>
    /// <param name="offset">Where it lies in the file.</param>
    /// <param name="value">The value.</param>
    /// <param name="owner">Whose stub it is: a dead one never does.</param>
    internal bool AwaitWord(ulong offset, int value, SystrapAddressSpace owner)
    {
        const int QuickLooks = 5000, FewLooks = 50, Waits = 20000;
        const long WaitNs = 100_000;
        int looks = owner.Platform.Contention.IsCalm ? QuickLooks : FewLooks;
        for (int look = 0; look < looks; look++)
        {
            if (Volatile.Read(ref Word(offset)) == value)
            {
                return true;
            }

            Thread.SpinWait(1);
        }

        for (int wait = 0; wait < Waits; wait++)
        {
            int seen = Volatile.Read(ref Word(offset));
            if (seen == value || !owner.IsAlive)
            {
                return seen == value;
            }

            _ = HostCalls.FutexWaitShared(At(offset), unchecked((uint)seen), WaitNs);
        }

        return false;
    }

    /// <summary>Makes the first helper, which has the part at an offset.</summary>
    /// <returns>Its process id, or the error.</returns>
    internal HostResult StartZygote(ulong space)
    {
        Map(ControlOffset, CodeSize, ProtRead | ProtExec, space);
        Map(AnswerOffset, SpaceSize - CodeSize, ProtRead | ProtWrite, space + CodeSize);

        HostResult pid = ProcessStarter.Run((nuint)(Address + StubX64.StartZygote));
        _ = HostCalls.Munmap((nuint)(Address + ControlOffset), (nuint)SpaceSize);
        return pid;
    }

    /// <summary>A pointer into the file; <paramref name="offset"/> is inside of it.</summary>
    // SAFETY: callers stay inside a part they took; the view is mapped for good.
    internal nuint At(ulong offset) => (nuint)_view + (nuint)offset;

    // SAFETY: callers stay inside a part they took, at an aligned offset.
    internal ref int Word(ulong offset) => ref *(int*)(_view + offset);

    // SAFETY: as for Word.
    internal ref ulong Quad(ulong offset) => ref *(ulong*)(_view + offset);

    // SAFETY: doorbells lie in the view, and their offsets are aligned.
    internal ref int DoorbellWord(int offset) => ref *(int*)(_view + DoorbellOffset + offset);

    /// <summary>Bytes of the file.</summary>
    // SAFETY: callers stay inside a part they took.
    internal Span<byte> Bytes(ulong offset, int length) => new(_view + offset, length);

    private static void Pin(ulong address, ulong length, int protection, int fd, ulong offset) =>
        _ = HostCalls.Mmap((nuint)address, (nuint)length, protection, MapShared | MapFixedNoReplace, fd, (long)offset).OrThrow("map the stub region");

    private void Map(ulong place, ulong length, int protection, ulong offset) => Pin(Address + place, length, protection, Fd, offset);

    private ulong FindPlace()
    {
        // With address randomization off the stack ends at TASK_SIZE, hence the second and further tries.
        const ulong Mask = Alignment - 1;
        for (ulong candidate = (TaskSize - RegionSize) & ~Mask; candidate > TaskSize - (1UL << 41); candidate -= 1UL << 32)
        {
            HostResult whole = HostCalls.Mmap((nuint)candidate, (nuint)RegionSize, ProtRead, MapShared | MapFixedNoReplace | MapNoReserve, Fd, 0);
            if (whole.IsError || (ulong)whole.Value != candidate)
            {
                if (!whole.IsError)
                {
                    _ = HostCalls.Munmap((nuint)whole.Value, (nuint)RegionSize);
                }

                continue;
            }

            _ = HostCalls.Munmap((nuint)candidate, (nuint)RegionSize);
            Pin(candidate, DoorbellOffset, ProtRead | ProtExec, Fd, 0);
            Pin(candidate + DoorbellOffset, ControlOffset - DoorbellOffset, ProtRead, Fd, DoorbellOffset);
            return candidate;
        }

        throw new HostException("find room for the stub region at the top of the address space", HostErrno.ENOMEM);
    }

    private void FillConstants(int firstKept, int lastKept)
    {
        StubX64.Bytes.CopyTo(Bytes(0, (int)PageSize));
        Constant(RegionEnd) = Address + RegionSize;
        Constant(TaskSizeWord) = TaskSize;
        Constant(CodeLength) = CodeSize;
        Constant(SpaceLength) = SpaceSize - CodeSize;
        Constant(One) = 1;
        Constant(KeepFrom) = (ulong)firstKept;
        Constant(KeepTo) = (ulong)lastKept;
        Constant(RegionFile) = (ulong)Fd;
        Constant(IgnoreAction) = 1; // SIG_IGN
        Constant(HandlerAction) = Address + StubX64.Handler;
        Constant(HandlerAction + 8) = SaSiginfo | SaOnStack | SaRestorer | SaNoDefer;
        Constant(HandlerAction + 16) = Address + StubX64.Restorer;
        Constant(HandlerAction + 24) = 0; // Handlers are left by a jump, so nothing must stay blocked.
        int end = PutProgram(HelperProgram, Instructions, RoleFilters.StubHelper);
        _ = PutProgram(ThreadProgram, end, RoleFilters.StubThread);
    }

    private int PutProgram(int place, int at, RoleFilter filter)
    {
        ulong[] program = filter.Build(ownPid: 0, caller: Address + StubX64.HostReturn);
        Constant(place) = (ulong)program.Length;
        Constant(place + 8) = Address + ConstantsOffset + (ulong)at;
        foreach (ulong instruction in program)
        {
            Constant(at) = instruction;
            at += sizeof(ulong);
        }

        return at <= (int)(DoorbellOffset - ConstantsOffset) ? at : throw new InvalidOperationException("the stubs' filters outgrew their pages");
    }

    private ref ulong Constant(int offset) => ref Quad(ConstantsOffset + (ulong)offset);
}
