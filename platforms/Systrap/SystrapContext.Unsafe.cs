// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using System.Runtime.Intrinsics.X86;
using System.Threading;
using CVisor.Abi.Arch;
using CVisor.Host;
using static CVisor.Platforms.Systrap.SystrapLayout;

namespace CVisor.Platforms.Systrap;

/// <summary>A guest thread's slot: its registers, while it is held.</summary>
/// <remarks>
/// A stub copies the guest's state into the slot when it stops, save for the extended registers, which stay in the carrier until they are asked for
/// (<see cref="EnsureSaved"/>), or it takes another guest thread, or sleeps. <see cref="TakeIn"/> copies the general registers out once, <see cref="WriteBack"/> puts
/// them back. The guest can write the slot at any time: that changes its own registers, or ends its own process.
/// </remarks>
internal sealed unsafe class SystrapContext : GuestContext
{
    private const int LegacySize = 512, HeaderSize = 64, SoftwareReserved = 464, MxcsrPlace = 24;
    private const uint MxcsrDefault = 0x1f80, MxcsrReserved = 0xffff0000;
    private const uint ArchX64 = 0xc000003e;
    private const int SigSegv = 11, SigBus = 7, SigSys = 31, SigUsr1 = 10, PageFault = 14, SeccompCode = 1, KernelCode = 0x80;
    private const ulong TrapFlag = 0x100;
    private const ulong VsyscallPage = 0xffffffffff600000, PageMask = ~0xfffUL;

    private readonly SharedRegion _region;
    private readonly ulong _slot;
    private X64Registers _atCall;
    private Carrier? _carrier;
    private bool _wasCall;
    private bool _loadsState;
    private int _wantsInterrupt;
    private long _askedAt;

    internal SystrapContext(SystrapAddressSpace space, int index)
    {
        StubSpace = space;
        _region = space.Region;
        _slot = space.Part + SlotsInSpace + ((ulong)index * SlotSize);
        GuestAddress = _region.Address + SlotsOffset + ((ulong)index * SlotSize);
        Reset();
    }

    internal SystrapAddressSpace StubSpace { get; }

    /// <summary>The slot's address in the stub.</summary>
    internal ulong GuestAddress { get; }

    /// <summary>The carrier that runs it, or ran it last and waits for what it is to do now; null when it has none.</summary>
    internal Carrier? Carrier
    {
        get => Volatile.Read(ref _carrier);
        set => Volatile.Write(ref _carrier, value);
    }

    /// <summary>The carrier that ran it last, where its extended registers are unless they are saved.</summary>
    internal Carrier? Last { get; private set; }

    /// <summary>Whether it stopped at a system call that trapped, and could be patched.</summary>
    internal bool IsTrappedCall { get; private set; }

    /// <summary>Its place in its executor's list of released contexts, or -1.</summary>
    internal int ReleasedAt { get; set; } = -1;

    /// <inheritdoc/>
    public override AddressSpace Space => StubSpace;

    /// <inheritdoc/>
    public override int ExtendedStateSize => StateSize;

    /// <inheritdoc/>
    public override long GuestTimeNs => 0;

    /// <summary>Whether it is released, and has stopped.</summary>
    internal bool HasStopped => Volatile.Read(ref _region.Word(_slot + State)) != 0;

    /// <summary>Whether the extended registers lie in the slot.</summary>
    internal bool IsSaved => Volatile.Read(ref _region.Word(_slot + Saved)) != 0;

    /// <summary>Whether <see cref="Interrupt"/> found it without a carrier; asking forgets it.</summary>
    internal bool TakeInterrupt() => Volatile.Read(ref _wantsInterrupt) != 0 && Interlocked.Exchange(ref _wantsInterrupt, 0) != 0;

    /// <summary>Since when it has been asked to come back, by <see cref="Contention.Now"/>; 0 when it has not.</summary>
    internal long AskedAt => Volatile.Read(ref _askedAt);

    /// <inheritdoc/>
    public override void Interrupt()
    {
        if (AskedAt == 0)
        {
            Volatile.Write(ref _askedAt, Contention.Now);
        }

        if (Carrier is { } carrier)
        {
            if (!carrier.HasTaken)
            {
                // It is about to: a signal would find a new thread without a stack for it.
                carrier.InterruptFirst();
                if (!carrier.HasTaken)
                {
                    return;
                }
            }

            _ = HostCalls.Tgkill(StubSpace.Pid, carrier.Tid, SigUsr1); // ESRCH: gone, which is interruption enough
        }
        else if (Interlocked.Exchange(ref _wantsInterrupt, 1) == 0)
        {
            StubSpace.Platform.KickAll(); // It waits for a carrier, or is held.
        }
    }

    /// <inheritdoc/>
    /// <remarks>The slot is the guest's to write: what it changes there it tells itself. The host's processors order stores, so that who learns that this returned also sees the word.</remarks>
    public override void SetAnswers(ReadOnlySpan<ulong> answers)
    {
        for (int i = 0; i < Math.Min(answers.Length, MostAnswers); i++)
        {
            _region.Quad(_slot + Answers + ((ulong)i * 8)) = answers[i];
        }

        Volatile.Write(ref _region.Word(_slot + MayAnswer), answers.IsEmpty ? 0 : 1);
    }

    /// <inheritdoc/>
    public override void Destroy() => StubSpace.Retire(this);

    /// <summary>Makes it like new: no registers, the extended state that a program begins with.</summary>
    internal void Reset()
    {
        _region.Bytes(_slot, ExtendedState + StateSize).Clear();
        _region.Quad(_slot + Self) = GuestAddress;
        BinaryPrimitives.WriteUInt32LittleEndian(_region.Bytes(_slot + ExtendedState + MxcsrPlace, 4), MxcsrDefault);
        _region.Word(_slot + Saved) = 1;
        Registers = default;
        Owner = null;
        Carrier = null;
        Last = null;
        _wasCall = false;
        _loadsState = true;
        Volatile.Write(ref _wantsInterrupt, 0);
        Volatile.Write(ref _askedAt, 0);
    }

    /// <summary>Has a carrier run it; its registers have been written back.</summary>
    internal void RunOn(Carrier carrier)
    {
        bool isFast = _wasCall && !_loadsState && IsOnlyResultChanged();
        int flags = (isFast ? 0 : AllRegisters) | (_loadsState ? LoadState : 0);
        _loadsState = false;
        Last = carrier;
        Carrier = carrier;
        carrier.Run(this, flags);
        if (TakeInterrupt())
        {
            Interrupt();
        }
    }

    /// <summary>Makes sure that the extended registers lie in the slot; false when the stub does not answer.</summary>
    internal bool EnsureSaved()
    {
        if (IsSaved)
        {
            return true;
        }

        if (Carrier is { } carrier)
        {
            carrier.Save();
        }
        else
        {
            StubSpace.SaveIdle(this); // Otherwise its last carrier is about to take another thread or to sleep, and saves before.
        }

        if (_region.AwaitWord(_slot + Saved, 1, StubSpace))
        {
            return true;
        }

        StubSpace.Kill(); // It does not do what it is told.
        return false;
    }

    /// <summary>Copies the guest's state out of the slot after a stop.</summary>
    internal void TakeIn()
    {
        int kind = _region.Word(_slot + StopKind);
        IsTrappedCall = false;
        if (AskedAt != 0)
        {
            Volatile.Write(ref _askedAt, 0);
        }

        if (kind == (BeforeReturn | SigUsr1))
        {
            Exit = GuestExit.Interrupted;
            return; // The registers are those that it was released with.
        }

        _wasCall = kind == PatchedCall;
        if ((kind & BeforeReturn) != 0)
        {
            Exit = GuestExit.Fault; // iretq or xrstor refused what the guest had asked for.
            Fault = new GuestFault(SigSegv, KernelCode, 0, IsWrite: false, HasAccess: false, IsExecute: false);
            return;
        }

        ReadRegisters();
        if (_wasCall)
        {
            TakeCall();
            return;
        }

        if (kind != SigUsr1 && StubSpace.Patcher.IsSiteCode(Registers.Rip))
        {
            TakeCallOfOwnGs(kind);
            return;
        }

        ulong seen = _region.Quad(_slot + GsSeen);
        Registers.GsBase = seen == GuestAddress ? 0 : seen;
        int code = _region.Word(_slot + Info + 8);
        ulong address = _region.Quad(_slot + Info + 16);
        switch (kind)
        {
            case SigSys when code == SeccompCode:
                TakeSyscall(address, unchecked((uint)_region.Word(_slot + Info + 28)));
                break;
            case SigUsr1:
                Exit = GuestExit.Interrupted;
                break;
            default:
                TakeFault(kind, code, address);
                break;
        }
    }

    /// <summary>Puts the registers back for the next run, by an executor.</summary>
    internal void WriteBack(int executor)
    {
        ulong at = _slot + (ulong)SystrapLayout.Registers;
        Put(0, Registers.Rax);
        Put(1, Registers.Rbx);
        Put(2, Registers.Rcx);
        Put(3, Registers.Rdx);
        Put(4, Registers.Rsi);
        Put(5, Registers.Rdi);
        Put(6, Registers.Rbp);
        Put(7, Registers.R8);
        Put(8, Registers.R9);
        Put(9, Registers.R10);
        Put(10, Registers.R11);
        Put(11, Registers.R12);
        Put(12, Registers.R13);
        Put(13, Registers.R14);
        Put(14, Registers.R15);
        at = _slot + ReturnFrame;
        Put(0, StubSpace.Patcher.Redirect(Registers.Rip));
        Put(1, X64Registers.UserCs);
        Put(2, (Registers.Eflags & X64Registers.UserEflags) | X64Registers.FixedEflags);
        Put(3, Registers.Rsp);
        Put(4, X64Registers.UserSs);
        _region.Quad(_slot + FsBase) = Registers.FsBase;
        _region.Quad(_slot + GsBase) = Registers.GsBase == 0 ? GuestAddress : Registers.GsBase;
        _region.Word(_slot + Executor) = executor;
        Volatile.Write(ref _region.Word(_slot + State), 0);

        void Put(int index, ulong value) => _region.Quad(at + ((ulong)index * 8)) = value;
    }

    /// <inheritdoc/>
    public override int ReadExtendedState(Span<byte> area)
    {
        if (area.Length < StateSize || !EnsureSaved())
        {
            return 0;
        }

        _region.Bytes(_slot + ExtendedState, StateSize).CopyTo(area);
        Span<byte> marks = area[SoftwareReserved..LegacySize];
        marks.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(marks, Features); // as ptrace has it
        return StateSize;
    }

    /// <inheritdoc/>
    public override bool WriteExtendedState(ReadOnlySpan<byte> area)
    {
        if (area.Length < LegacySize + HeaderSize || area.Length > StateSize || (BinaryPrimitives.ReadUInt32LittleEndian(area[MxcsrPlace..]) & MxcsrReserved) != 0)
        {
            return false;
        }

        ulong present = BinaryPrimitives.ReadUInt64LittleEndian(area[LegacySize..]);
        if ((present & ~Features) != 0 || area.Slice(LegacySize + 8, HeaderSize - 8).ContainsAnyExcept((byte)0) || !EnsureSaved())
        {
            return false;
        }

        Span<byte> state = _region.Bytes(_slot + ExtendedState, StateSize);
        area.CopyTo(state);
        state[area.Length..].Clear();
        _loadsState = true;
        return true;
    }

    private static ulong Features { get; } = X86Base.IsSupported
        ? unchecked(((ulong)(uint)X86Base.CpuId(0xd, 0).Edx << 32) | (uint)X86Base.CpuId(0xd, 0).Eax)
        : 0;

    private bool IsOnlyResultChanged() =>
        Registers.Rip == _atCall.Rip && Registers.Rcx == _atCall.Rcx && Registers.R11 == _atCall.R11 && Registers.Eflags == _atCall.Eflags && Registers.GsBase == 0;

    private void TakeCall()
    {
        // The flags as lahf (AH: SF ZF AF PF CF) and seto (AL) stored them; rcx and r11 as the instruction leaves them.
        ulong low = _region.Quad(_slot + LowFlags);
        Registers.Eflags = ((low >> 8) & 0xd5) | X64Registers.FixedEflags | ((low & 1) << 11);
        Registers.Rcx = Registers.Rip;
        Registers.R11 = Registers.Eflags;
        Registers.GsBase = 0;
        Registers.OrigRax = Registers.Rax;
        _atCall = Registers;
        Exit = GuestExit.Syscall;
    }

    /// <summary>A patched call of a thread that uses GS itself: it came to the trap at the end of the site's code, or its GS base led nowhere.</summary>
    private void TakeCallOfOwnGs(int kind)
    {
        if (kind != SigSys)
        {
            Registers.Eflags = ((Registers.R11 >> 8) & 0xd5) | X64Registers.FixedEflags | ((Registers.R11 & 1) << 11);
        }

        Registers.GsBase = _region.Quad(_slot + GsSeen);
        Registers.Rip = StubSpace.Patcher.ReturnAddressOf(Registers.Rip);
        Registers.Rcx = Registers.Rip;
        Registers.R11 = Registers.Eflags;
        Registers.OrigRax = Registers.Rax;
        Exit = GuestExit.Syscall;
    }

    private void ReadRegisters()
    {
        ulong at = _slot + (ulong)SystrapLayout.Registers;
        Registers.Rax = Get(0);
        Registers.Rbx = Get(1);
        Registers.Rcx = Get(2);
        Registers.Rdx = Get(3);
        Registers.Rsi = Get(4);
        Registers.Rdi = Get(5);
        Registers.Rbp = Get(6);
        Registers.R8 = Get(7);
        Registers.R9 = Get(8);
        Registers.R10 = Get(9);
        Registers.R11 = Get(10);
        Registers.R12 = Get(11);
        Registers.R13 = Get(12);
        Registers.R14 = Get(13);
        Registers.R15 = Get(14);
        at = _slot + ReturnFrame;
        Registers.Rip = Get(0);
        Registers.Eflags = Get(2);
        Registers.Rsp = Get(3);
        Registers.Cs = X64Registers.UserCs;
        Registers.Ss = X64Registers.UserSs;
        Registers.OrigRax = ulong.MaxValue;
        Registers.FsBase = _region.Quad(_slot + FsBase);

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
        IsTrappedCall = Registers.GsBase == 0 && (Registers.Eflags & TrapFlag) == 0;
        Exit = GuestExit.Syscall;
    }

    private void TakeFault(int signal, int code, ulong address)
    {
        ulong error = _region.Quad(_slot + ErrorCode);
        bool isPageFault = _region.Quad(_slot + TrapNumber) == PageFault && signal is SigSegv or SigBus;
        Exit = GuestExit.Fault;
        Fault = new GuestFault(signal, code, address, IsWrite: isPageFault && (error & 2) != 0, HasAccess: isPageFault, IsExecute: isPageFault && (error & 16) != 0);
    }
}
