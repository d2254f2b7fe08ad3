// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Arch;
using CVisor.Core.Memory;
using CVisor.Core.Signals;
using CVisor.Core.Tasks;
using CVisor.Host;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>ptrace.</content>
public static partial class Handlers
{
    private const long TraceMe = 0, PeekText = 1, PeekData = 2, PeekUser = 3, PokeText = 4, PokeData = 5, PokeUser = 6, TraceContinue = 7, TraceKill = 8;
    private const long SingleStep = 9, GetRegisters = 12, SetRegisters = 13, GetFloatRegisters = 14, SetFloatRegisters = 15, TraceAttach = 16, TraceDetach = 17;
    private const long ResumeToCall = 24, SetOptions = 0x4200, GetEventMessage = 0x4201, GetSignalInfo = 0x4202, SetSignalInfo = 0x4203, GetRegisterSet = 0x4204;
    private const long SetRegisterSet = 0x4205, TraceSeize = 0x4206, TraceInterrupt = 0x4207, TraceListen = 0x4208, GetSignalMask = 0x420a, SetSignalMask = 0x420b;
    private const long GetSyscallInfo = 0x420e;

    /// <summary>ptrace(2)</summary>
    public static partial Blocking<SyscallResult> Ptrace(Task task, long request, int pid, UserPtr addr, UserPtr data)
    {
        if (request == TraceMe)
        {
            return (SyscallResult)task.AskToBeTraced();
        }

        if (task.Kernel.Tasks.FindTask(task.PidNamespace, pid) is not { } target)
        {
            return (SyscallResult)Errno.ESRCH;
        }

        switch (request)
        {
            case TraceAttach:
                return (SyscallResult)task.Attach(target, isSeized: false, TraceOptions.None);
            case TraceSeize:
                return (SyscallResult)(addr.IsNull && TryReadOptions(data, out TraceOptions seized) ? task.Attach(target, isSeized: true, seized) : Errno.EIO);
            case TraceInterrupt:
                return (SyscallResult)task.InterruptTracee(target);
            case TraceKill when target.Tracer == task:
                return (SyscallResult)target.ThreadGroup.Send(SignalInfo.FromKernel(SignalNumber.SIGKILL), force: true);
        }

        // Everything else is for a tracee that stands still, whose registers are then the tracer's to read.
        return task.TryInspect(target, out ulong message, out SignalInfo? info, out TracePoint point)
            ? OnStoppedTracee(task, target, request, addr, data, message, info, point)
            : (SyscallResult)Errno.ESRCH;
    }

    private static Blocking<SyscallResult> OnStoppedTracee(Task task, Task target, long request, UserPtr addr, UserPtr data, ulong message, SignalInfo? info, TracePoint point)
    {
        Errno error;
        ulong word = 0;
        switch (request)
        {
            case TraceContinue or ResumeToCall or SingleStep or TraceDetach:
                return (SyscallResult)(data.Address > SignalNumber.Last ? Errno.EIO : Resume(task, target, request, unchecked((int)data.Address)));
            case TraceListen:
                return (SyscallResult)task.ListenToTracee(target);
            case SetOptions:
                return (SyscallResult)(TryReadOptions(data, out TraceOptions options) ? task.SetTraceOptions(target, options) : Errno.EINVAL);
            case GetEventMessage:
                return (SyscallResult)task.Memory.CopyOut(data, message);
            case GetSignalInfo:
                return (SyscallResult)(info is { } shown ? shown.CopyOut(task.Memory, data) : Errno.EINVAL);
            case SetSignalInfo:
                error = SignalInfo.CopyIn(task.Memory, data, out SignalInfo changed);
                return (SyscallResult)(error != Errno.None ? error : task.SetTraceInfo(target, changed));
            case GetSignalMask:
                return (SyscallResult)(addr.Address != sizeof(ulong) ? Errno.EINVAL : task.Memory.CopyOut(data, target.SignalMask.Bits));
            case SetSignalMask:
                error = addr.Address != sizeof(ulong) ? Errno.EINVAL : task.Memory.CopyIn(data, out word);
                return (SyscallResult)(error != Errno.None ? error : task.SetTraceeMask(target, new SignalSet(word)));
            case GetSyscallInfo:
                return TracedRegisters.DescribeCall(task, target, point, message, addr.Address, data);
            case PeekText or PeekData:
                bool isThere = target.Memory.AccessForced(addr, Blit.AsBytes(ref word), write: false) == sizeof(ulong);
                return (SyscallResult)(isThere ? task.Memory.CopyOut(data, word) : Errno.EIO);
            case PokeText or PokeData:
                return Ask(task, target, new PokeRequest(addr, data.Address));
            case PeekUser:
                return (SyscallResult)(TracedRegisters.TryPeek(target, addr.Address, out word) ? task.Memory.CopyOut(data, word) : Errno.EIO);
            case PokeUser:
                return (SyscallResult)(TracedRegisters.TryPoke(task, target, addr.Address, data.Address) ? Errno.None : Errno.EIO);
            case GetRegisters:
                return (SyscallResult)task.Memory.CopyOut(data, target.Registers);
            case SetRegisters:
                error = task.Memory.CopyIn(data, out X64Registers registers);
                return (SyscallResult)(error != Errno.None ? error : TracedRegisters.TryReplace(task, target, registers) ? Errno.None : Errno.EIO);
            case GetFloatRegisters or SetFloatRegisters:
                return Ask(task, target, new FloatRequest(task.Memory, data, TracedRegisters.LegacyFloatBytes, request == SetFloatRegisters));
            case GetRegisterSet or SetRegisterSet:
                return TransferRegisterSet(task, target, addr.Address, data, isSet: request == SetRegisterSet);
            default:
                return (SyscallResult)Errno.EIO;
        }
    }

    private static bool TryReadOptions(UserPtr data, out TraceOptions options)
    {
        options = (TraceOptions)(int)(data.Address & (ulong)TraceOptions.Known);
        return (ulong)options == data.Address;
    }

    private static Errno Resume(Task task, Task target, long request, int signal) => request switch
    {
        TraceDetach => task.Detach(target, signal),
        ResumeToCall => task.ResumeTracee(target, signal, TraceResume.SystemCall),
        SingleStep => task.ResumeTracee(target, signal, TraceResume.Step),
        _ => task.ResumeTracee(target, signal, TraceResume.Continue),
    };

    private static async Blocking<SyscallResult> Ask(Task task, Task target, TraceRequest request) => await task.AskTracee(target, request);

    /// <summary>PTRACE_GETREGSET and PTRACE_SETREGSET, whose data is a struct iovec that learns how much there was.</summary>
    private static Blocking<SyscallResult> TransferRegisterSet(Task task, Task target, ulong kind, UserPtr vector, bool isSet)
    {
        const ulong General = 1, Float = 2, Extended = 0x202;
        Errno error = task.Memory.CopyIn(vector, out UserRange range);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        switch (kind)
        {
            case General:
                X64Registers registers = target.Registers;
                Span<byte> bytes = Blit.AsBytes(ref registers);
                int length = (int)Math.Min(range.Length, (ulong)bytes.Length);
                if ((length & 7) != 0)
                {
                    return (SyscallResult)Errno.EINVAL;
                }

                error = isSet ? task.Memory.CopyIn(range.Address, bytes[..length]) : task.Memory.CopyOut(range.Address, bytes[..length]);
                if (error == Errno.None && isSet && !TracedRegisters.TryReplace(task, target, registers))
                {
                    error = Errno.EIO;
                }

                return (SyscallResult)(error != Errno.None ? error : task.Memory.CopyOut(vector.Offset(sizeof(ulong)), (ulong)length));
            case Float or Extended:
                int most = kind == Float ? TracedRegisters.LegacyFloatBytes : target.Context!.ExtendedStateSize;
                return Ask(task, target, new FloatRequest(task.Memory, range.Address, (int)Math.Min(range.Length, (ulong)most), isSet) { Vector = vector });
            default:
                return (SyscallResult)Errno.EINVAL;
        }
    }

    /// <summary>Writes a word into the tracee's memory, whatever its protection.</summary>
    private sealed class PokeRequest(UserPtr address, ulong word) : TraceRequest
    {
        protected override void Run(Task tracee)
        {
            ulong value = word;
            Error = tracee.Memory.AccessForced(address, Blit.AsBytes(ref value), write: true) == sizeof(ulong) ? Errno.None : Errno.EIO;
        }
    }

    /// <summary>Reads or replaces the floating-point and vector registers.</summary>
    private sealed class FloatRequest(MemoryManager memory, UserPtr buffer, int length, bool isSet) : TraceRequest
    {
        internal UserPtr? Vector { get; init; }

        protected override void Run(Task tracee)
        {
            byte[] area = new byte[tracee.Context!.ExtendedStateSize];
            int there = tracee.Context.ReadExtendedState(area);
            int moved = Math.Min(length, there);
            if (isSet)
            {
                Error = memory.CopyIn(buffer, area.AsSpan(0, moved));
                if (Error == Errno.None)
                {
                    TracedRegisters.MarkPresent(area.AsSpan(0, there), moved);
                    Error = tracee.Context.WriteExtendedState(area.AsSpan(0, there)) ? Errno.None : Errno.EINVAL;
                }
            }
            else
            {
                Error = memory.CopyOut(buffer, area.AsSpan(0, moved));
            }

            if (Error == Errno.None && Vector is { } vector)
            {
                Error = memory.CopyOut(vector.Offset(sizeof(ulong)), (ulong)moved);
            }
        }
    }
}
