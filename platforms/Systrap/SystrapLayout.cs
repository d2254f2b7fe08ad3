// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Platforms.Systrap;

/// <summary>Where things lie in the stub region (the same numbers as in Stub.x64.s), and in the file behind it.</summary>
internal static class SystrapLayout
{
    internal const ulong PageSize = 4096;

    /// <summary>TASK_SIZE of x86_64 with four-level page tables.</summary>
    internal const ulong TaskSize = 0x7ffffffff000;

    internal const ulong ConstantsOffset = 0x1000, DoorbellOffset = 0x4000, ControlOffset = 0x5000, AnswerOffset = 0x6000, SlotsOffset = 0x8000;

    /// <summary>A thread's slot: a header and the stack on which the host saves the guest's state.</summary>
    internal const ulong SlotSize = 0x8000;

    /// <summary>Where the signal stack begins in a slot.</summary>
    internal const ulong SlotStackOffset = 0x1000;

    /// <summary>The most threads of one process.</summary>
    internal const int SlotCount = 4096;

    /// <summary>What of the region is an address space's own: from the control page to the last slot.</summary>
    internal const ulong SpaceSize = SlotsOffset - ControlOffset + (SlotCount * SlotSize);

    /// <summary>The region's length.</summary>
    internal const ulong RegionSize = ControlOffset + SpaceSize;

    /// <summary>The slots' place in an address space's part.</summary>
    internal const ulong SlotsInSpace = SlotsOffset - ControlOffset;

    // The constants.
    internal const int RegionEnd = 0x00, TaskSizeWord = 0x08, SpaceLength = 0x10, One = 0x18, KeepFrom = 0x20, KeepTo = 0x28;
    internal const int IgnoreAction = 0x40, HandlerAction = 0x60, HelperProgram = 0x80, ThreadProgram = 0x90, Instructions = 0xa0;

    // The doorbell page.
    internal const int Spin = 0x00, HelperSpin = 0x04, Executors = 0x40, ExecutorStride = 64, MaximumExecutors = 32;

    // The control and the answer page.
    internal const int Sequence = 0x00, Kind = 0x04, Number = 0x08, Arguments = 0x10, Waits = 0x40;
    internal const int Done = 0x00, Result = 0x08;

    // A slot.
    internal const int State = 0x00, Executor = 0x04, Signal = 0x08, Frame = 0x10, FsBase = 0x18, GsBase = 0x20, CloneFlags = 0x28, NewSlot = 0x30, CloneResult = 0x38, SignalStack = 0x40;

    // States of a slot.
    internal const int Stopped = 1, Asleep = 2, Run = 3, MakeThread = 4;

    // struct rt_sigframe: a return address, struct ucontext, siginfo.
    internal const int FrameContext = 8, FrameStack = 24, FrameRegisters = 48, FrameFpState = 232, FrameSignalMask = 304, FrameInfo = 312, FrameSize = 440;

    // System calls of x86_64 that stubs make.
    internal const int SysMmap = 9, SysMprotect = 10, SysMunmap = 11;
}
