// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Namespaces;
using CVisor.Core.Tasks;
using CVisor.Host;

namespace CVisor.Syscalls;

/// <content>clone, clone3, fork, vfork.</content>
public static partial class Handlers
{
    private const ulong ExitSignalMask = 0xff;
    private const ulong CloneArgsMinimum = 64;
    private const ulong CloneKnownFlags = 0x3_ffff_ff80;

    /// <summary>fork(2)</summary>
    public static partial Blocking<SyscallResult> Fork(Task task) => task.Clone(new CloneRequest { ExitSignal = SignalNumber.SIGCHLD });

    /// <summary>vfork(2)</summary>
    public static partial Blocking<SyscallResult> Vfork(Task task) =>
        task.Clone(new CloneRequest { Flags = CloneFlags.Vfork | CloneFlags.VirtualMemory, ExitSignal = SignalNumber.SIGCHLD });

    /// <summary>clone(2)</summary>
    public static partial Blocking<SyscallResult> Clone(Task task, ulong flags, UserPtr stack, UserPtr parentTid, UserPtr childTid, UserPtr tls)
    {
        // Only the lower half counts: the flags above are clone3's.
        CloneFlags wanted = (CloneFlags)(flags & 0xffff_ff00);
        if ((wanted & CloneFlags.PidFd) != 0 && (wanted & CloneFlags.ParentSetTid) != 0)
        {
            return (SyscallResult)Errno.EINVAL; // Both use parent_tid.
        }

        return task.Clone(new CloneRequest
        {
            Flags = wanted,
            ExitSignal = unchecked((int)(flags & ExitSignalMask)),
            StackPointer = stack.Address,
            ParentTid = parentTid,
            PidFd = parentTid,
            ChildTid = childTid,
            Tls = tls.Address,
        });
    }

    /// <summary>clone3(2)</summary>
    public static partial Blocking<SyscallResult> Clone3(Task task, UserPtr clArgs, ulong size)
    {
        if (size < CloneArgsMinimum)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = GuestStruct.CopyIn(task.Memory, clArgs, size, out CloneArguments args);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        bool hasStack = args.Stack != 0;
        bool isInvalid =
            (args.Flags & ~CloneKnownFlags) != 0 ||
            (args.Flags & (ulong)(CloneFlags.Detached | (CloneFlags)ExitSignalMask)) != 0 ||
            args.ExitSignal > SignalNumber.Last ||
            ((args.Flags & (ulong)(CloneFlags.Thread | CloneFlags.Parent)) != 0 && args.ExitSignal != 0) ||
            hasStack != (args.StackSize != 0) ||
            args.Stack > ulong.MaxValue - args.StackSize ||
            args.SetTidSize > PidNamespace.MaximumLevel ||
            (args.SetTid == 0) != (args.SetTidSize == 0);
        if (isInvalid)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        error = ReadNumbers(task, args, out int[]? numbers);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        return task.Clone(new CloneRequest
        {
            Numbers = numbers,
            Flags = (CloneFlags)args.Flags,
            ExitSignal = unchecked((int)args.ExitSignal), // At most 64.
            StackPointer = args.Stack + args.StackSize,
            ParentTid = new UserPtr(args.ParentTid),
            PidFd = new UserPtr(args.PidFd),
            ChildTid = new UserPtr(args.ChildTid),
            Tls = args.Tls,
        });
    }

    /// <summary>The numbers that set_tid asks for; null when it asks for none.</summary>
    private static Errno ReadNumbers(Task task, in CloneArguments args, out int[]? numbers)
    {
        numbers = null;
        if (args.SetTidSize == 0)
        {
            return Errno.None;
        }

        numbers = new int[args.SetTidSize];
        Errno error = task.Memory.CopyIn(new UserPtr(args.SetTid), Blit.AsBytes(numbers.AsSpan()));
        if (error != Errno.None)
        {
            return error;
        }

        PidNamespace home = task.Namespaces.PidForChildren;
        int levels = home.Level + ((args.Flags & (ulong)CloneFlags.NewPid) != 0 ? 2 : 1);
        if (numbers.Length > levels || Array.Exists(numbers, static n => n < 1))
        {
            return Errno.EINVAL;
        }

        return task.Credentials.Has(Capability.CheckpointRestore, home.Owner!) || task.Credentials.Has(Capability.SysAdmin, home.Owner!) ? Errno.None : Errno.EPERM;
    }

    /// <summary>struct clone_args.</summary>
    [StructLayout(LayoutKind.Sequential)]
    [AbiStruct(88)]
    private struct CloneArguments
    {
        internal ulong Flags, PidFd, ChildTid, ParentTid, ExitSignal, Stack, StackSize, Tls, SetTid, SetTidSize, Cgroup;
    }
}
