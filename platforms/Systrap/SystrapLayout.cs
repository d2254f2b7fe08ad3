// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Platforms.Systrap;

/// <summary>Where things lie in the stub region, and in the file behind it.</summary>
/// <remarks>This file is compiled into the generators, too: the stub's code (generators/MachineCode) knows no other numbers. So it holds constants alone.</remarks>
internal static partial class SystrapLayout
{
    internal const ulong PageSize = 4096;

    /// <summary>TASK_SIZE of x86_64 with four-level page tables.</summary>
    internal const ulong TaskSize = 0x7ffffffff000;

    // Offsets in the region. Up to the lines it is the same everywhere; from the control page on it is an address space's own part.
    internal const ulong ConstantsOffset = 0x1000, DoorbellOffset = 0x4000, LinesOffset = 0x5000;
    internal const ulong ControlOffset = 0x105000, TableOffset = 0x106000, SitesOffset = 0x116000, AnswerOffset = 0x216000, CarriersOffset = 0x218000, SlotsOffset = 0x1218000;

    /// <summary>A patched site's code. A guest that runs what lies from the tail on has its call behind it.</summary>
    internal const int SiteSize = 128, SiteTail = 0x50;

    /// <summary>A carrier's line: what the Sentry tells it.</summary>
    internal const ulong LineSize = 64;

    /// <summary>The most carriers of a sandbox.</summary>
    internal const int LineCount = (int)((ControlOffset - LinesOffset) / LineSize);

    /// <summary>A carrier's block: a few words, and the stack on which the host saves what a signal interrupts.</summary>
    internal const ulong CarrierSize = 0x4000;

    /// <summary>The most carriers of an address space.</summary>
    internal const int CarrierCount = (int)((SlotsOffset - CarriersOffset) / CarrierSize);

    /// <summary>The most guest threads of an address space.</summary>
    internal const int SlotCount = 16384;

    /// <summary>What of an address space's part guests can only read (and run).</summary>
    internal const ulong CodeSize = AnswerOffset - ControlOffset;

    // Where an address space's things lie in its part.
    internal const ulong TableInSpace = TableOffset - ControlOffset, SitesInSpace = SitesOffset - ControlOffset, AnswerInSpace = AnswerOffset - ControlOffset;
    internal const ulong CarriersInSpace = CarriersOffset - ControlOffset, SlotsInSpace = SlotsOffset - ControlOffset;

    // The constants.
    internal const int RegionEnd = 0x00, TaskSizeWord = 0x08, CodeLength = 0x10, SpaceLength = 0x18, One = 0x20, KeepFrom = 0x28, KeepTo = 0x30, RegionFile = 0x38;
    internal const int IgnoreAction = 0x40, HandlerAction = 0x60, HelperProgram = 0x80, ThreadProgram = 0x90, AnswerPlaces = 0xa0, Instructions = 0x1a0;

    // The doorbell page.
    internal const int Spin = 0x00, HelperSpin = 0x04, Executors = 0x40, ExecutorStride = 64, MaximumExecutors = 32;

    // The control and the answer page.
    internal const int Sequence = 0x00, Done = 0x04, Waits = 0x08, PartPlace = 0x10, Then = 0x18, OrderRing = 0x80;
    internal const int HelperAsleep = 0x04, Results = 0x80;

    /// <summary>How many orders to a helper fit in the control page: a power of two.</summary>
    internal const int OrderCount = 32;

    // An order, and its kinds.
    internal const int OrderSize = 1 << OrderShift, OrderShift = 6, OrderSequence = 0x00, OrderKind = 0x04, OrderNumber = 0x08, OrderArguments = 0x10;
    internal const int PlainCall = 0, ForkCall = 1, SpawnCall = 2;

    // A line.
    internal const int LineSequence = 0x00, LineSlot = 0x08, LineFlags = 0x10, LineBlock = 0x18, LineClone = 0x20, LineWake = 0x28;

    // Orders, in the lowest bits of the sequence, and flags of the first.
    internal const int RunOrder = 1, SaveOrder = 2, MakeOrder = 3, WakeOrder = 4, OrderMask = 7, OrderStep = 8;
    internal const int AllRegisters = 1, LoadState = 2;

    // A carrier's block.
    internal const int CarrierSlot = 0x00, CarrierLine = 0x08, CarrierAsleep = 0x10, CarrierInterrupt = 0x14, CarrierDone = 0x18, CarrierSeen = 0x1c, CarrierResult = 0x20, CarrierStack = 0x28, CarrierStackOffset = 0x100;

    // A slot.
    internal const int State = 0x00, Executor = 0x04, StopKind = 0x08, Saved = 0x0c, SlotCarrier = 0x10, Self = 0x18, FsBase = 0x20, GsBase = 0x28, GsSeen = 0x30, Resume = 0x38, LowFlags = 0x40;
    internal const int ReturnFrame = 0x48, Registers = 0x80, Info = 0x100, ErrorCode = 0x120, TrapNumber = 0x128, ExtendedState = 0x200;

    // In a slot, too: whether the stub may answer calls, and the answers. AnswerPlaces has for each of the lowest numbers in which eighth byte of the slot its answer lies; 0 for none.
    internal const int MayAnswer = 0x70, Answers = 0x130, MostAnswers = (ExtendedState - Answers) / 8, AnswerableNumbers = Instructions - AnswerPlaces;

    // Why a slot stopped, besides signals.
    internal const int PatchedCall = 0, BeforeReturn = 0x100;

    // System calls of x86_64 that stubs make.
    internal const int SysMmap = 9, SysMprotect = 10, SysMunmap = 11;
}
