// SPDX-License-Identifier: Apache-2.0
using System.Buffers;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Host;

namespace CVisor.Syscalls;

/// <content>process_vm_readv, process_vm_writev, membarrier.</content>
public static partial class Handlers
{
    private const ulong VectorMaximum = 1024;
    private const int BarrierQuery = 0, BarrierGlobal = 1, BarrierGlobalExpedited = 2, BarrierRegisterGlobal = 4, BarrierPrivate = 8, BarrierRegisterPrivate = 16;

    /// <summary>process_vm_readv(2)</summary>
    public static partial SyscallResult ProcessVmReadv(Task task, int pid, UserPtr localIov, ulong liovcnt, UserPtr remoteIov, ulong riovcnt, ulong flags) =>
        TransferProcessMemory(task, pid, localIov, liovcnt, remoteIov, riovcnt, flags, toRemote: false);

    /// <summary>process_vm_writev(2)</summary>
    public static partial SyscallResult ProcessVmWritev(Task task, int pid, UserPtr localIov, ulong liovcnt, UserPtr remoteIov, ulong riovcnt, ulong flags) =>
        TransferProcessMemory(task, pid, localIov, liovcnt, remoteIov, riovcnt, flags, toRemote: true);

    /// <summary>membarrier(2)</summary>
    public static partial SyscallResult Membarrier(Task task, int cmd, uint flags, int cpuId)
    {
        if (flags != 0)
        {
            return Errno.EINVAL;
        }

        switch (cmd)
        {
            case BarrierQuery:
                return BarrierGlobal | BarrierGlobalExpedited | BarrierRegisterGlobal | BarrierPrivate | BarrierRegisterPrivate;
            case BarrierRegisterGlobal or BarrierRegisterPrivate:
                task.Memory.IsBarrierRegistered = true;
                return Errno.None;
            case BarrierPrivate when !task.Memory.IsBarrierRegistered:
                return Errno.EPERM;
            case BarrierGlobal or BarrierGlobalExpedited or BarrierPrivate:
                // The host's global barrier reaches whatever runs guest code, wherever the platform keeps it.
                HostResult result = HostCalls.Membarrier(BarrierGlobal, 0, 0);
                return result.IsError ? result.Error.ToGuest() : Errno.None;
            default:
                return Errno.EINVAL;
        }
    }

    private static SyscallResult TransferProcessMemory(
        Task task, int pid, UserPtr localVector, ulong localCount, UserPtr remoteVector, ulong remoteCount, ulong flags, bool toRemote)
    {
        if (flags != 0 || localCount > VectorMaximum || remoteCount > VectorMaximum)
        {
            return Errno.EINVAL;
        }

        UserRange[] local = new UserRange[localCount];
        UserRange[] remote = new UserRange[remoteCount];
        Errno error = task.Memory.CopyIn(localVector, Blit.AsBytes(local.AsSpan()));
        if (error == Errno.None)
        {
            error = task.Memory.CopyIn(remoteVector, Blit.AsBytes(remote.AsSpan()));
        }

        if (error != Errno.None || remoteCount == 0 || localCount == 0)
        {
            return error;
        }

        foreach (UserRange range in local)
        {
            if (range.Length > long.MaxValue)
            {
                return Errno.EINVAL;
            }
        }

        Task? target = task.Kernel.Tasks.FindTask(task.PidNamespace, pid);
        if (target is null)
        {
            return Errno.ESRCH;
        }

        if (!TaskAccess.MayAttach(task, target))
        {
            return Errno.EPERM;
        }

        MemoryManager memory = target.Memory;
        if (!memory.TryAddUser())
        {
            return Errno.ESRCH;
        }

        long moved = MemoryTransfer.Move(toRemote ? task.Memory : memory, toRemote ? local : remote, toRemote ? memory : task.Memory, toRemote ? remote : local);
        memory.RemoveUser();
        return moved == 0 && HasBytes(local) && HasBytes(remote) ? Errno.EFAULT : moved;

        static bool HasBytes(UserRange[] ranges) => Array.Exists(ranges, static r => r.Length > 0);
    }
}
