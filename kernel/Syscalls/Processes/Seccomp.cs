// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Seccomp;
using CVisor.Core.Tasks;
using CVisor.Host;

namespace CVisor.Syscalls;

/// <content>seccomp.</content>
public static partial class Handlers
{
    private const uint SetModeStrict = 0, SetModeFilter = 1, GetActionAvailable = 2;
    private const uint FlagSynchronize = 1, FlagLog = 2, FlagAllowSpeculation = 4, FlagSynchronizeEsrch = 16;

    /// <summary>seccomp(2)</summary>
    public static partial SyscallResult Seccomp(Task task, uint operation, uint flags, UserPtr args)
    {
        switch (operation)
        {
            case SetModeStrict:
                return flags != 0 || !args.IsNull ? Errno.EINVAL : task.EnterStrictMode();
            case SetModeFilter:
                return AddFilter(task, flags, args);
            case GetActionAvailable:
                if (flags != 0)
                {
                    return Errno.EINVAL;
                }

                Errno error = task.Memory.CopyIn(args, out uint action);
                return error != Errno.None ? error : SeccompAction.IsKnown(action) ? Errno.None : Errno.EOPNOTSUPP;
            default:
                return Errno.EINVAL;
        }
    }

    private static SyscallResult AddFilter(Task task, uint flags, UserPtr args)
    {
        if ((flags & ~(FlagSynchronize | FlagLog | FlagAllowSpeculation | FlagSynchronizeEsrch)) != 0)
        {
            return Errno.EINVAL;
        }

        Errno error = task.Memory.CopyIn(args, out FilterHeader header);
        if (error != Errno.None)
        {
            return error;
        }

        if (header.Length is 0 or > FilterProgram.MaximumLength)
        {
            return Errno.EINVAL;
        }

        if (!task.HasNoNewPrivileges && !task.Credentials.Has(Capability.SysAdmin))
        {
            return Errno.EACCES;
        }

        FilterInstruction[] instructions = new FilterInstruction[header.Length];
        error = task.Memory.CopyIn(new UserPtr(header.Instructions), Blit.AsBytes(instructions.AsSpan()));
        if (error != Errno.None)
        {
            return error;
        }

        if (FilterProgram.Create(instructions) is not { } program)
        {
            return Errno.EINVAL;
        }

        error = task.AddFilter(program, (flags & FlagSynchronize) != 0, out Task? other);
        return error != Errno.EBUSY ? error : (flags & FlagSynchronizeEsrch) != 0 ? Errno.ESRCH : other!.Id.NumberIn(task.PidNamespace);
    }

    /// <summary>struct sock_fprog.</summary>
    [StructLayout(LayoutKind.Sequential)]
    [AbiStruct(16)]
    private struct FilterHeader
    {
        internal ushort Length;
        internal ulong Instructions;
    }
}
