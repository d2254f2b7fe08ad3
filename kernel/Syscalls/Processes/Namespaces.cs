// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Namespaces;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.Syscalls;

/// <content>unshare, setns.</content>
public static partial class Handlers
{
    /// <summary>unshare(2)</summary>
    public static partial SyscallResult Unshare(Task task, int flags) => task.Unshare((CloneFlags)unchecked((uint)flags));

    /// <summary>setns(2)</summary>
    public static partial SyscallResult Setns(Task task, int fd, int nstype)
    {
        NamespaceKind kinds = (NamespaceKind)unchecked((uint)nstype);
        if (task.Descriptors.Get(fd) is not { } file)
        {
            return Errno.EBADF;
        }

        Errno error = file switch
        {
            INamespaceFile { Namespace: var target } => kinds != NamespaceKind.None && kinds != target.Kind ? Errno.EINVAL : task.Enter(target),
            PidFd { Process: var process } => EnterAll(task, process, kinds),
            _ => Errno.EINVAL,
        };
        file.Unreference();
        return error;
    }

    private static Errno EnterAll(Task task, ThreadGroup process, NamespaceKind kinds)
    {
        const NamespaceKind Known = NamespaceKind.Mount | NamespaceKind.Cgroup | NamespaceKind.Uts | NamespaceKind.Ipc | NamespaceKind.User | NamespaceKind.Pid | NamespaceKind.Network;
        if (kinds == NamespaceKind.None || (kinds & ~Known) != 0)
        {
            return Errno.EINVAL;
        }

        Task target = process.Leader;
        if (process.IsZombie)
        {
            return Errno.ESRCH;
        }

        if (!TaskAccess.MayInspect(task, target))
        {
            return Errno.EPERM;
        }

        MountNamespace mounts = target.Fs.Mounts;
        Namespace?[] wanted =
        [
            (kinds & NamespaceKind.User) != 0 ? target.Credentials.UserNamespace : null,
            (kinds & NamespaceKind.Uts) != 0 ? target.Namespaces.Uts : null,
            (kinds & NamespaceKind.Ipc) != 0 ? target.Namespaces.Ipc : null,
            (kinds & NamespaceKind.Network) != 0 ? target.Namespaces.Network : null,
            (kinds & NamespaceKind.Cgroup) != 0 ? target.Namespaces.Cgroup : null,
            (kinds & NamespaceKind.Pid) != 0 ? target.PidNamespace : null,
        ];
        foreach (Namespace? one in wanted)
        {
            Errno error = one is null ? Errno.None : task.Enter(one);
            if (error != Errno.None)
            {
                return error;
            }
        }

        return (kinds & NamespaceKind.Mount) != 0 ? task.Enter(mounts) : Errno.None;
    }
}
