// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using System.Threading;
using CVisor.Abi.Arch;
using CVisor.Host;
using static CVisor.Platforms.Systrap.SystrapLayout;

namespace CVisor.Platforms.Systrap;

/// <summary>A thread of a stub process, and the slot through which it and the Sentry speak.</summary>
/// <remarks>
/// While the context is held, the host's signal frame in the slot holds the guest's state: <see cref="TakeIn"/> copies the general registers out once,
/// <see cref="WriteBack"/> puts them back. The guest can write the slot at any time. That changes its own registers, or ends its own process; nothing here
/// follows a pointer from it that does not lead into the slot.
/// </remarks>
internal sealed unsafe class SystrapContext : GuestContext
{
    private const ulong UcFpXstate = 1, UcSigcontextSs = 2, UcStrictRestoreSs = 4;
    private const int LegacySize = 512, HeaderSize = 64, SoftwareReserved = 464, Magic2Size = 4, MaximumState = 16384;
    private const uint Magic1 = 0x46505853, Magic2 = 0x46505845, MxcsrReserved = 0xffff0000;
    private const uint ArchX64 = 0xc000003e;
    private const int SigSegv = 11, SigBus = 7, SigSys = 31, SigUsr1 = 10, PageFault = 14, SeccompCode = 1;
    private const ulong VsyscallPage = 0xffffffffff600000, PageMask = ~0xfffUL;

    /// <summary>Where a frame of ours lies in the slot: room for the largest extended state above it.</summary>
    private const ulong OwnFrame = SlotStackOffset + 0x1000 - 8, OwnState = SlotStackOffset + 0x1400;

    private readonly SharedRegion _region;
    private readonly ulong _slot;
    private ulong _frame;

    internal SystrapContext(SystrapAddressSpace space, int index)
    {
        StubSpace = space;
        Index = index;
        _region = space.Region;
        _slot = space.Part + SlotsInSpace + ((ulong)index * SlotSize);
        GuestAddress = _region.Address + SlotsOffset + ((ulong)index * SlotSize);
        PrepareFirstFrame();
    }

    internal SystrapAddressSpace StubSpace { get; }

    /// <summary>The number of its slot.</summary>
    internal int Index { get; }

    /// <summary>The slot's address in the stub.</summary>
    internal ulong GuestAddress { get; }

    /// <summary>The host's thread id, in the Sentry's PID namespace.</summary>
    internal int Tid { get; set; }

    /// <summary>Its place in its executor's list of released contexts, or -1.</summary>
    internal int ReleasedAt { get; set; } = -1;

    /// <inheritdoc/>
    public override AddressSpace Space => StubSpace;

    /// <inheritdoc/>
    public override int ExtendedStateSize => MaximumState;

    /// <inheritdoc/>
    public override long GuestTimeNs => 0;

    private ref int StateWord => ref _region.Word(_slot + State);

    /// <summary>Whether the thread has stopped.</summary>
    internal bool HasStopped => Volatile.Read(ref StateWord) is Stopped or Asleep;

    /// <inheritdoc/>
    public override void Interrupt() => _ = HostCalls.Tgkill(StubSpace.Pid, Tid, SigUsr1); // ESRCH: gone, which is interruption enough

    /// <inheritdoc/>
    public override void Destroy() => StubSpace.Retire(this);

    /// <summary>Lets the thread run; its registers have been written back.</summary>
    internal void Go(int executor)
    {
        Volatile.Write(ref _region.Word(_slot + Executor), executor);
        Tell(Run);
    }

    /// <summary>Makes a thread of the same process with this held one.</summary>
    /// <returns>Its id, or the error.</returns>
    internal HostResult MakeSibling(SystrapContext sibling, ulong flags)
    {
        _region.Quad(_slot + CloneFlags) = flags;
        _region.Quad(_slot + NewSlot) = sibling.GuestAddress;
        Tell(MakeThread);
        if (!Await(static (context, seen) => seen != MakeThread, MakeThread))
        {
            return new HostResult(-(long)HostErrno.ESRCH);
        }

        HostResult result = new(unchecked((long)Volatile.Read(ref _region.Quad(_slot + CloneResult))));
        return result.IsError || sibling.AwaitStop() ? result : new HostResult(-(long)HostErrno.ESRCH);
    }

    /// <summary>Waits until the thread has stopped; false when its process is gone.</summary>
    internal bool AwaitStop() => HasStopped || Await(static (context, seen) => seen is Stopped or Asleep, 0);

    /// <summary>Copies the guest's state out of the slot after a stop.</summary>
    internal void TakeIn()
    {
        ulong frame = unchecked(Volatile.Read(ref _region.Quad(_slot + Frame)) - GuestAddress); // anything, if the guest wrote it
        if (frame is < SlotStackOffset or > SlotSize - FrameSize || (frame & 7) != 0)
        {
            Exit = GuestExit.Lost; // The guest wrote over its own state.
            return;
        }

        _frame = frame;
        ReadRegisters(_slot + frame + FrameRegisters);
        Span<byte> info = _region.Bytes(_slot + frame + FrameInfo, 32);
        int signal = _region.Word(_slot + Signal);
        int code = BinaryPrimitives.ReadInt32LittleEndian(info[8..]);
        ulong address = BinaryPrimitives.ReadUInt64LittleEndian(info[16..]);
        switch (signal)
        {
            case SigSys when code == SeccompCode:
                TakeSyscall(address, BinaryPrimitives.ReadUInt32LittleEndian(info[28..]));
                break;
            case SigUsr1:
                Exit = GuestExit.Interrupted;
                break;
            default:
                TakeFault(signal, code, address);
                break;
        }
    }

    /// <summary>Puts the registers back for the next run.</summary>
    internal void WriteBack()
    {
        ulong at = _slot + _frame + FrameRegisters;
        Put(0, Registers.R8);
        Put(1, Registers.R9);
        Put(2, Registers.R10);
        Put(3, Registers.R11);
        Put(4, Registers.R12);
        Put(5, Registers.R13);
        Put(6, Registers.R14);
        Put(7, Registers.R15);
        Put(8, Registers.Rdi);
        Put(9, Registers.Rsi);
        Put(10, Registers.Rbp);
        Put(11, Registers.Rbx);
        Put(12, Registers.Rdx);
        Put(13, Registers.Rax);
        Put(14, Registers.Rcx);
        Put(15, Registers.Rsp);
        Put(16, Registers.Rip);
        Put(17, (Registers.Eflags & X64Registers.UserEflags) | X64Registers.FixedEflags);
        Put(18, X64Registers.UserCs | (X64Registers.UserSs << 48));
        _region.Quad(_slot + FsBase) = Registers.FsBase;
        _region.Quad(_slot + GsBase) = Registers.GsBase;
        _region.Quad(_slot + _frame + FrameSignalMask) = 0;
        _region.Quad(_slot + Frame) = GuestAddress + _frame;

        void Put(int index, ulong value) => _region.Quad(at + ((ulong)index * 8)) = value;
    }

    /// <inheritdoc/>
    public override int ReadExtendedState(Span<byte> area)
    {
        if (!TryFindState(out ulong place, out int length, out ulong features) || length > area.Length)
        {
            return 0;
        }

        _region.Bytes(place, length).CopyTo(area);
        Span<byte> marks = area[SoftwareReserved..LegacySize];
        marks.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(marks, features); // as ptrace has it
        return length;
    }

    /// <inheritdoc/>
    public override bool WriteExtendedState(ReadOnlySpan<byte> area)
    {
        if (area.Length is < LegacySize + HeaderSize or > MaximumState || (BinaryPrimitives.ReadUInt32LittleEndian(area[24..]) & MxcsrReserved) != 0)
        {
            return false;
        }

        ulong features = BinaryPrimitives.ReadUInt64LittleEndian(area[SoftwareReserved..]);
        ulong present = BinaryPrimitives.ReadUInt64LittleEndian(area[LegacySize..]);
        features = features == 0 ? present | 3 : features;
        if ((present & ~features) != 0 || area.Slice(LegacySize + 8, HeaderSize - 8).ContainsAnyExcept((byte)0))
        {
            return false;
        }

        if (!TryFindState(out ulong place, out int length, out _) || length != area.Length)
        {
            // A thread that has not run yet has none: its frame is ours, and the state has its own place.
            if (_frame != OwnFrame || OwnState + (ulong)area.Length + Magic2Size > SlotSize)
            {
                return false;
            }

            place = _slot + OwnState;
            _region.Quad(_slot + _frame + FrameFpState) = GuestAddress + OwnState;
        }

        Span<byte> state = _region.Bytes(place, area.Length + Magic2Size);
        area.CopyTo(state);
        Span<byte> marks = state[SoftwareReserved..LegacySize];
        marks.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(marks, Magic1);
        BinaryPrimitives.WriteInt32LittleEndian(marks[4..], area.Length + Magic2Size);
        BinaryPrimitives.WriteUInt64LittleEndian(marks[8..], features);
        BinaryPrimitives.WriteInt32LittleEndian(marks[16..], area.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(state[area.Length..], Magic2);
        return true;
    }

    private void PrepareFirstFrame()
    {
        _region.Bytes(_slot, (int)(OwnFrame + FrameSize)).Clear();
        _frame = OwnFrame;
        Span<byte> stack = _region.Bytes(_slot + SignalStack, 24);
        BinaryPrimitives.WriteUInt64LittleEndian(stack, GuestAddress + SlotStackOffset);
        BinaryPrimitives.WriteUInt64LittleEndian(stack[16..], SlotSize - SlotStackOffset);
        stack.CopyTo(_region.Bytes(_slot + OwnFrame + FrameStack, 24));
        _region.Quad(_slot + OwnFrame + FrameContext) = UcFpXstate | UcSigcontextSs | UcStrictRestoreSs;
    }

    private bool TryFindState(out ulong place, out int length, out ulong features)
    {
        place = 0;
        length = 0;
        features = 0;
        ulong offset = unchecked(_region.Quad(_slot + _frame + FrameFpState) - GuestAddress);
        if (offset is < SlotStackOffset or > SlotSize - LegacySize - HeaderSize)
        {
            return false;
        }

        Span<byte> legacy = _region.Bytes(_slot + offset, LegacySize);
        if (BinaryPrimitives.ReadUInt32LittleEndian(legacy[SoftwareReserved..]) != Magic1)
        {
            return false;
        }

        length = BinaryPrimitives.ReadInt32LittleEndian(legacy[(SoftwareReserved + 16)..]);
        features = BinaryPrimitives.ReadUInt64LittleEndian(legacy[(SoftwareReserved + 8)..]);
        place = _slot + offset;
        return length is >= LegacySize + HeaderSize and <= MaximumState && offset + (ulong)length + Magic2Size <= SlotSize;
    }

    private void ReadRegisters(ulong at)
    {
        Registers.R8 = Get(0);
        Registers.R9 = Get(1);
        Registers.R10 = Get(2);
        Registers.R11 = Get(3);
        Registers.R12 = Get(4);
        Registers.R13 = Get(5);
        Registers.R14 = Get(6);
        Registers.R15 = Get(7);
        Registers.Rdi = Get(8);
        Registers.Rsi = Get(9);
        Registers.Rbp = Get(10);
        Registers.Rbx = Get(11);
        Registers.Rdx = Get(12);
        Registers.Rax = Get(13);
        Registers.Rcx = Get(14);
        Registers.Rsp = Get(15);
        Registers.Rip = Get(16);
        Registers.Eflags = Get(17);
        Registers.Cs = X64Registers.UserCs;
        Registers.Ss = X64Registers.UserSs;
        Registers.OrigRax = ulong.MaxValue;
        Registers.FsBase = _region.Quad(_slot + FsBase);
        Registers.GsBase = _region.Quad(_slot + GsBase);

        ulong Get(int index) => _region.Quad(at + ((ulong)index * 8));
    }

    private void TakeSyscall(ulong callAddress, uint architecture)
    {
        if ((callAddress & PageMask) == VsyscallPage)
        {
            // The host refused it and popped the return address.
            Registers.OrigRax = (callAddress & 0xfff) switch { 0 => 96, 0x400 => 201, _ => 309 };
            Exit = GuestExit.Syscall;
            return;
        }

        if (architecture != ArchX64)
        {
            Exit = GuestExit.ForeignSyscall;
            return;
        }

        Registers.OrigRax = Registers.Rax; // SECCOMP_RET_TRAP rolls the call back
        Exit = GuestExit.Syscall;
    }

    private void TakeFault(int signal, int code, ulong address)
    {
        ulong at = _slot + _frame + FrameRegisters;
        ulong error = _region.Quad(at + (19 * 8));
        bool isPageFault = _region.Quad(at + (20 * 8)) == PageFault && signal is SigSegv or SigBus;
        Exit = GuestExit.Fault;
        Fault = new GuestFault(signal, code, address, IsWrite: isPageFault && (error & 2) != 0, HasAccess: isPageFault, IsExecute: isPageFault && (error & 16) != 0);
    }

    private void Tell(int state)
    {
        if (Interlocked.Exchange(ref StateWord, state) == Asleep)
        {
            _ = HostCalls.FutexWakeShared(_region.At(_slot + State), 1);
        }
    }

    private bool Await(Func<SystrapContext, int, bool> isDone, int sleepOn)
    {
        SpinWait spin = default;
        while (true)
        {
            int seen = Volatile.Read(ref StateWord);
            if (isDone(this, seen))
            {
                return true;
            }

            if (spin.Count < SystrapPlatform.AwaitSpins)
            {
                spin.SpinOnce(sleep1Threshold: -1);
            }
            else if (!StubSpace.IsAlive)
            {
                return false;
            }
            else
            {
                _ = HostCalls.FutexWaitShared(_region.At(_slot + State), unchecked((uint)seen), SystrapPlatform.PatienceNs);
            }
        }
    }
}
