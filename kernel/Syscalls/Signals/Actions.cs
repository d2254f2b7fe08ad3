// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Signals;
using CVisor.Core.Tasks;

namespace CVisor.Syscalls;

/// <content>rt_sigaction, rt_sigprocmask, rt_sigpending, rt_sigreturn, sigaltstack.</content>
public static partial class Handlers
{
    private const ulong SignalSetSize = 8;
    private const int MaskBlock = 0, MaskUnblock = 1, MaskSet = 2;

    /// <summary>rt_sigaction(2)</summary>
    public static partial SyscallResult RtSigaction(Task task, int signum, UserPtr act, UserPtr oldact, ulong sigsetsize)
    {
        if (sigsetsize != SignalSetSize || signum is < 1 or > SignalNumber.Last)
        {
            return Errno.EINVAL;
        }

        SignalAction? action = null;
        if (!act.IsNull)
        {
            Errno copied = task.Memory.CopyIn(act, out SignalAction wanted);
            if (copied != Errno.None)
            {
                return copied;
            }

            action = wanted;
        }

        Errno error = task.ThreadGroup.SetAction(signum, action, out SignalAction old);
        return error != Errno.None || oldact.IsNull ? error : task.Memory.CopyOut(oldact, old);
    }

    /// <summary>rt_sigprocmask(2)</summary>
    public static partial SyscallResult RtSigprocmask(Task task, int how, UserPtr set, UserPtr oldset, ulong sigsetsize)
    {
        if (sigsetsize != SignalSetSize)
        {
            return Errno.EINVAL;
        }

        SignalSet old = task.SignalMask;
        if (!set.IsNull)
        {
            Errno error = task.Memory.CopyIn(set, out SignalSet wanted);
            if (error != Errno.None)
            {
                return error;
            }

            switch (how)
            {
                case MaskBlock:
                    task.SetSignalMask(old | wanted);
                    break;
                case MaskUnblock:
                    task.SetSignalMask(old & ~wanted);
                    break;
                case MaskSet:
                    task.SetSignalMask(wanted);
                    break;
                default:
                    return Errno.EINVAL;
            }
        }

        return oldset.IsNull ? Errno.None : task.Memory.CopyOut(oldset, old);
    }

    /// <summary>rt_sigpending(2)</summary>
    public static partial SyscallResult RtSigpending(Task task, UserPtr set, ulong sigsetsize)
    {
        if (sigsetsize > SignalSetSize)
        {
            return Errno.EINVAL;
        }

        ulong pending = (task.PendingSignalSet & task.SignalMask).Bits;
        Span<byte> bytes = stackalloc byte[(int)SignalSetSize];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(bytes, pending);
        return task.Memory.CopyOut(set, bytes[..(int)sigsetsize]);
    }

    /// <summary>rt_sigreturn(2)</summary>
    public static partial SyscallResult RtSigreturn(Task task) => task.ReturnFromHandler();

    /// <summary>sigaltstack(2)</summary>
    public static partial SyscallResult Sigaltstack(Task task, UserPtr ss, UserPtr oldSs)
    {
        SignalStack old = task.SignalStack;
        bool isOnStack = old.Contains(task.Registers.Rsp);
        if (!ss.IsNull)
        {
            Errno error = task.Memory.CopyIn(ss, out GuestSignalStack wanted);
            if (error != Errno.None)
            {
                return error;
            }

            if (isOnStack)
            {
                return Errno.EPERM;
            }

            uint mode = wanted.Flags & ~SignalStack.AutoDisarm;
            if (mode is not (0 or SignalStack.OnStack or SignalStack.Disable))
            {
                return Errno.EINVAL;
            }

            if (mode == SignalStack.Disable)
            {
                task.SignalStack = SignalStack.None with { Flags = wanted.Flags };
            }
            else if (wanted.Length < SignalStack.MinimumLength)
            {
                return Errno.ENOMEM;
            }
            else
            {
                task.SignalStack = new SignalStack(new UserPtr(wanted.Start), wanted.Length, wanted.Flags & SignalStack.AutoDisarm);
            }
        }

        if (oldSs.IsNull)
        {
            return Errno.None;
        }

        uint flags = old.IsEnabled ? (old.Flags & SignalStack.AutoDisarm) | (isOnStack ? SignalStack.OnStack : 0) : SignalStack.Disable;
        return task.Memory.CopyOut(oldSs, new GuestSignalStack { Start = old.Start.Address, Flags = flags, Length = old.Length });
    }

    /// <summary>stack_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    [AbiStruct(24)]
    private struct GuestSignalStack
    {
        internal ulong Start;
        internal uint Flags;
        internal uint Pad;
        internal ulong Length;
    }
}
