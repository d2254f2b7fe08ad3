// SPDX-License-Identifier: Apache-2.0
using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Abi.Arch;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Host;
using CVisor.Platforms;

namespace CVisor.Core.Signals;

/// <summary>The frame of a signal handler on the guest's stack, byte for byte as Linux builds it on x86_64 (arch/x86/kernel/signal_64.c, fpu/signal.c).</summary>
internal static class SignalFrame
{
    private const ulong RedZone = 128;
    private const ulong FlagFpXstate = 1, FlagSigcontextSs = 2, FlagStrictRestoreSs = 4;
    private const ulong DirectionFlag = 0x400, ResumeFlag = 0x10000, TrapFlag = 0x100;

    /// <summary>Pushes a frame and sets the registers so that the handler runs next.</summary>
    /// <returns>False when the stack has no room: nothing is changed.</returns>
    internal static bool Push(Task task, in SignalInfo info, in SignalAction action, SignalSet returnMask, in TrapState trap)
    {
        GuestContext context = task.Context!;
        ref X64Registers registers = ref context.Registers;
        SignalStack stack = task.SignalStack;
        bool onAlternate = stack.Contains(registers.Rsp);
        ulong top = unchecked(registers.Rsp - RedZone);
        bool entersAlternate = (action.Flags & SignalActionFlags.OnStack) != 0 && stack.IsEnabled && !onAlternate;
        if (entersAlternate)
        {
            top = unchecked(stack.Start.Address + stack.Length);
        }

        if ((action.Flags & SignalActionFlags.Restorer) == 0)
        {
            return false; // x86_64 has no kernel-made way back.
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(context.ExtendedStateSize + ExtendedState.Magic2Size);
        int stateLength = context.ReadExtendedState(buffer.AsSpan(0, context.ExtendedStateSize));
        ulong stateAddress = stateLength == 0 ? 0 : unchecked(top - (ulong)(stateLength + ExtendedState.Magic2Size)) & ~63UL;
        ulong frameAddress = unchecked(((stateLength == 0 ? top : stateAddress) - (ulong)Blit.SizeOf<Frame>()) & ~15UL) - 8;
        bool fits = (!onAlternate && !entersAlternate) || (frameAddress > stack.Start.Address && frameAddress < unchecked(stack.Start.Address + stack.Length));
        Frame frame = new()
        {
            ReturnAddress = action.Restorer,
            Flags = FlagSigcontextSs | FlagStrictRestoreSs | (stateLength > 512 ? FlagFpXstate : 0),
            StackStart = stack.Start.Address,
            StackFlags = stack.IsEnabled ? (stack.Flags & SignalStack.AutoDisarm) | (onAlternate ? SignalStack.OnStack : 0) : SignalStack.Disable,
            StackLength = stack.Length,
            Machine = MachineContext.From(registers, trap, stateAddress, returnMask),
            Mask = returnMask,
            Info = info,
        };
        bool written = fits;
        if (written && stateLength > 0)
        {
            int total = ExtendedState.Seal(buffer, stateLength);
            written = task.Memory.CopyOut(new UserPtr(stateAddress), buffer.AsSpan(0, total)) == Errno.None;
        }

        written = written && task.Memory.CopyOut(new UserPtr(frameAddress), frame) == Errno.None;
        bool needsReset = written && ExtendedState.NeedsReset(buffer.AsSpan(0, stateLength));
        ArrayPool<byte>.Shared.Return(buffer);
        if (!written)
        {
            return false;
        }

        if (needsReset)
        {
            _ = ExtendedState.Reset(context);
        }

        if ((stack.Flags & SignalStack.AutoDisarm) != 0 && stack.IsEnabled)
        {
            task.SignalStack = SignalStack.None;
        }

        registers.Rdi = (ulong)info.Signal;
        registers.Rsi = frameAddress + Frame.InfoOffset;
        registers.Rdx = frameAddress + Frame.ContextOffset;
        registers.Rax = 0;
        registers.Rip = action.Handler;
        registers.Rsp = frameAddress;
        registers.Cs = X64Registers.UserCs;
        registers.Ss = X64Registers.UserSs;
        registers.Eflags &= ~(DirectionFlag | ResumeFlag | TrapFlag);
        return true;
    }

    /// <summary>Takes the frame off again.</summary>
    /// <param name="task">The task; its stack pointer is behind the frame's return address.</param>
    /// <param name="mask">The mask to restore.</param>
    /// <returns>False when the frame cannot be read or its floating-point state is malformed.</returns>
    internal static bool Pop(Task task, out SignalSet mask)
    {
        GuestContext context = task.Context!;
        UserPtr at = new(unchecked(context.Registers.Rsp - 8));
        mask = default;
        if (task.Memory.CopyIn(at, out Frame frame) != Errno.None)
        {
            return false;
        }

        mask = frame.Mask;
        frame.Machine.ApplyTo(ref context.Registers);
        if (!ExtendedState.Restore(task, new UserPtr(frame.Machine.ExtendedState)))
        {
            return false;
        }

        RestoreStack(task, frame);
        return true;
    }

    // As restore_altstack(): a stack that is not acceptable is left out, not an error.
    private static void RestoreStack(Task task, in Frame frame)
    {
        uint flags = frame.StackFlags & (SignalStack.AutoDisarm | SignalStack.Disable);
        if (task.SignalStack.Contains(task.Registers.Rsp))
        {
            return;
        }

        if ((flags & SignalStack.Disable) != 0)
        {
            task.SignalStack = SignalStack.None;
        }
        else if (frame.StackLength >= SignalStack.MinimumLength)
        {
            task.SignalStack = new SignalStack(new UserPtr(frame.StackStart), frame.StackLength, flags);
        }
    }

    /// <summary>struct rt_sigframe: return address, struct ucontext, siginfo_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    [AbiStruct(440)]
    private struct Frame
    {
        internal const ulong ContextOffset = 8, InfoOffset = 312;

        internal ulong ReturnAddress;
        internal ulong Flags;
        internal ulong Link;
        internal ulong StackStart;
        internal uint StackFlags;
        internal uint StackPad;
        internal ulong StackLength;
        internal MachineContext Machine;
        internal SignalSet Mask;
        internal SignalInfo Info;
        internal ulong InfoPad0, InfoPad1, InfoPad2, InfoPad3, InfoPad4, InfoPad5, InfoPad6, InfoPad7, InfoPad8, InfoPad9;
    }

    /// <summary>struct sigcontext_64.</summary>
    [StructLayout(LayoutKind.Sequential)]
    [AbiStruct(256)]
    private struct MachineContext
    {
        internal ulong R8, R9, R10, R11, R12, R13, R14, R15;
        internal ulong Rdi, Rsi, Rbp, Rbx, Rdx, Rax, Rcx, Rsp, Rip, Eflags;
        internal ushort Cs, Gs, Fs, Ss;
        internal ulong Error, Trap, OldMask, Cr2;
        internal ulong ExtendedState;
        internal ulong Reserved0, Reserved1, Reserved2, Reserved3, Reserved4, Reserved5, Reserved6, Reserved7;

        internal static MachineContext From(in X64Registers r, in TrapState trap, ulong extendedState, SignalSet mask) => new()
        {
            R8 = r.R8,
            R9 = r.R9,
            R10 = r.R10,
            R11 = r.R11,
            R12 = r.R12,
            R13 = r.R13,
            R14 = r.R14,
            R15 = r.R15,
            Rdi = r.Rdi,
            Rsi = r.Rsi,
            Rbp = r.Rbp,
            Rbx = r.Rbx,
            Rdx = r.Rdx,
            Rax = r.Rax,
            Rcx = r.Rcx,
            Rsp = r.Rsp,
            Rip = r.Rip,
            Eflags = r.Eflags,
            Cs = (ushort)X64Registers.UserCs,
            Ss = (ushort)X64Registers.UserSs,
            Error = trap.Error,
            Trap = trap.Number,
            OldMask = mask.Bits,
            Cr2 = trap.FaultAddress,
            ExtendedState = extendedState,
        };

        internal readonly void ApplyTo(ref X64Registers r)
        {
            (r.R8, r.R9, r.R10, r.R11, r.R12, r.R13, r.R14, r.R15) = (R8, R9, R10, R11, R12, R13, R14, R15);
            (r.Rdi, r.Rsi, r.Rbp, r.Rbx, r.Rdx, r.Rax, r.Rcx, r.Rsp, r.Rip) = (Rdi, Rsi, Rbp, Rbx, Rdx, Rax, Rcx, Rsp, Rip);
            r.Eflags = (Eflags & X64Registers.UserEflags) | X64Registers.FixedEflags;
            r.Cs = X64Registers.UserCs;
            r.Ss = X64Registers.UserSs;
            r.OrigRax = ulong.MaxValue;
        }
    }
}

/// <summary>The XSAVE area of a thread, between the platform's form and the one of signal frames.</summary>
internal static class ExtendedState
{
    /// <summary>FP_XSTATE_MAGIC2_SIZE.</summary>
    internal const int Magic2Size = 4;

    private const int LegacySize = 512;
    private const int SoftwareReserved = 464;
    private const int HeaderOffset = 512;
    private const int HeaderSize = 64;
    private const uint Magic1 = 0x46505853, Magic2 = 0x46505845;
    private const ushort InitialControlWord = 0x37f;
    private const uint InitialMxcsr = 0x1f80;

    /// <summary>Adds the marks by which user space knows an XSAVE area; the buffer has room for four bytes more.</summary>
    /// <returns>The length with the marks.</returns>
    internal static int Seal(Span<byte> area, int length)
    {
        if (length <= LegacySize + HeaderSize - 1)
        {
            area.Slice(SoftwareReserved, LegacySize - SoftwareReserved).Clear();
            return length;
        }

        // The platform (as ptrace does) leaves the mask of enabled features where the marks go.
        ulong features = BinaryPrimitives.ReadUInt64LittleEndian(area[SoftwareReserved..]);
        if (features == 0)
        {
            features = BinaryPrimitives.ReadUInt64LittleEndian(area[HeaderOffset..]) | 3;
        }

        Span<byte> marks = area.Slice(SoftwareReserved, LegacySize - SoftwareReserved);
        marks.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(marks, Magic1);
        BinaryPrimitives.WriteInt32LittleEndian(marks[4..], length + Magic2Size);
        BinaryPrimitives.WriteUInt64LittleEndian(marks[8..], features);
        BinaryPrimitives.WriteInt32LittleEndian(marks[16..], length);
        BinaryPrimitives.WriteUInt32LittleEndian(area[length..], Magic2);
        return length + Magic2Size;
    }

    /// <summary>Whether a handler that expects a fresh state would notice the interrupted code's: control words or a used x87 stack. Vector registers are the caller's to lose.</summary>
    internal static bool NeedsReset(ReadOnlySpan<byte> area)
    {
        if (area.Length < LegacySize)
        {
            return false;
        }

        ulong present = area.Length >= HeaderOffset + 8 ? BinaryPrimitives.ReadUInt64LittleEndian(area[HeaderOffset..]) : 3;
        bool x87 = (present & 1) != 0 && (BinaryPrimitives.ReadUInt16LittleEndian(area) != InitialControlWord || area[4] != 0);
        return x87 || BinaryPrimitives.ReadUInt32LittleEndian(area[24..]) != InitialMxcsr;
    }

    /// <summary>Gives a thread the state of a fresh one.</summary>
    internal static bool Reset(GuestContext context)
    {
        byte[] area = ArrayPool<byte>.Shared.Rent(context.ExtendedStateSize);
        int length = context.ReadExtendedState(area.AsSpan(0, context.ExtendedStateSize));
        bool done = length >= LegacySize;
        if (done)
        {
            Initialize(area.AsSpan(0, length));
            done = context.WriteExtendedState(area.AsSpan(0, length));
        }

        ArrayPool<byte>.Shared.Return(area);
        return done;
    }

    /// <summary>Gives a thread another thread's state.</summary>
    internal static bool Copy(GuestContext from, GuestContext to)
    {
        byte[] area = ArrayPool<byte>.Shared.Rent(from.ExtendedStateSize);
        int length = from.ReadExtendedState(area.AsSpan(0, from.ExtendedStateSize));
        bool done = length > 0 && to.WriteExtendedState(area.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(area);
        return done;
    }

    /// <summary>Puts back the state of a signal frame.</summary>
    /// <param name="task">The task.</param>
    /// <param name="source">Where it lies; null resets the state.</param>
    /// <returns>False when it is not there or malformed.</returns>
    internal static bool Restore(Task task, UserPtr source)
    {
        GuestContext context = task.Context!;
        if (source.IsNull)
        {
            return Reset(context);
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(context.ExtendedStateSize + LegacySize);
        bool done = Restore(task.Memory, context, source, buffer.AsSpan(0, context.ExtendedStateSize), buffer.AsSpan(context.ExtendedStateSize, LegacySize));
        ArrayPool<byte>.Shared.Return(buffer);
        return done;
    }

    private static bool Restore(MemoryManager memory, GuestContext context, UserPtr source, Span<byte> area, Span<byte> legacy)
    {
        int length = context.ReadExtendedState(area);
        if (length < LegacySize || memory.CopyIn(source, legacy) != Errno.None)
        {
            return false;
        }

        Span<byte> marks = legacy[SoftwareReserved..];
        int size = BinaryPrimitives.ReadInt32LittleEndian(marks[16..]);
        bool extended = length > LegacySize && BinaryPrimitives.ReadUInt32LittleEndian(marks) == Magic1 && size >= LegacySize + HeaderSize && size <= length &&
            memory.CopyIn(source.Offset((ulong)size), out uint magic) == Errno.None && magic == Magic2;
        ulong features = BinaryPrimitives.ReadUInt64LittleEndian(marks[8..]);
        if (extended)
        {
            ulong enabled = BinaryPrimitives.ReadUInt64LittleEndian(area[SoftwareReserved..]);
            if (memory.CopyIn(source, area[..size]) != Errno.None)
            {
                return false;
            }

            area[size..length].Clear();
            ulong present = BinaryPrimitives.ReadUInt64LittleEndian(area[HeaderOffset..]) & features;
            BinaryPrimitives.WriteUInt64LittleEndian(area[HeaderOffset..], enabled == 0 ? present : present & enabled);
        }
        else if (length > LegacySize)
        {
            // Only the x87 and SSE part counts; the rest goes to its initial state.
            Initialize(area[..length]);
            legacy.CopyTo(area);
            BinaryPrimitives.WriteUInt64LittleEndian(area[HeaderOffset..], 3);
        }
        else
        {
            legacy.CopyTo(area);
        }

        area.Slice(SoftwareReserved, LegacySize - SoftwareReserved).Clear();
        return context.WriteExtendedState(area[..length]);
    }

    private static void Initialize(Span<byte> area)
    {
        area.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(area, InitialControlWord);
        BinaryPrimitives.WriteUInt32LittleEndian(area[24..], InitialMxcsr);
        if (area.Length > LegacySize)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(area[HeaderOffset..], 3);
        }
    }
}
