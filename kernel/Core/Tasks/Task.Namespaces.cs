// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Namespaces;
using CVisor.Core.Vfs;

namespace CVisor.Core.Tasks;

/// <summary>unshare(2) and setns(2).</summary>
public sealed partial class Task
{
    /// <summary>unshare(2): goes on with its own copy of what it shares, or with new namespaces. The task itself only.</summary>
    public Errno Unshare(CloneFlags flags)
    {
        const CloneFlags Threads = CloneFlags.Thread | CloneFlags.SignalHandlers | CloneFlags.VirtualMemory;
        const CloneFlags Known = Threads | CloneFlags.Fs | CloneFlags.Files | CloneFlags.SemaphoreUndo | CloneFlags.Namespaces;
        if ((flags & ~Known) != 0)
        {
            return Errno.EINVAL;
        }

        bool isAlone = ThreadGroup.LiveThreads == 1 && ((flags & CloneFlags.VirtualMemory) == 0 || Memory.Users == 1);
        if ((flags & (Threads | CloneFlags.NewUser)) != 0 && !isAlone)
        {
            return Errno.EINVAL;
        }

        UserCredentials credentials = Credentials;
        if ((flags & CloneFlags.NewUser) != 0)
        {
            Errno error = credentials.EnterNewNamespace(out credentials);
            if (error != Errno.None)
            {
                return error;
            }
        }

        CloneFlags kinds = flags & CloneFlags.Namespaces & ~CloneFlags.NewUser;
        if (kinds != 0 && !credentials.Has(Capability.SysAdmin))
        {
            return Errno.EPERM;
        }

        if ((flags & CloneFlags.NewPid) != 0 && Namespaces.PidForChildren.Level + 1 >= PidNamespace.MaximumLevel)
        {
            return Errno.ENOSPC;
        }

        if ((flags & (CloneFlags.Fs | CloneFlags.NewMounts | CloneFlags.NewUser)) != 0 && !Fs.IsExclusive)
        {
            ReplaceFs(Fs.Clone());
        }

        if ((flags & CloneFlags.Files) != 0 && !Descriptors.IsExclusive)
        {
            FdTable own = Descriptors.Clone();
            Descriptors.RemoveUser(this);
            Descriptors = own;
        }

        if ((flags & CloneFlags.NewMounts) != 0)
        {
            _ = Fs.Mounts.Clone(Fs, credentials.UserNamespace);
        }

        Namespaces = Namespaces.With((NamespaceKind)(ulong)kinds, credentials.UserNamespace);
        Credentials = credentials;
        return Errno.None;
    }

    /// <summary>setns(2): enters a namespace. The task itself only.</summary>
    /// <param name="target">The namespace; a mount namespace has its own method.</param>
    public Errno Enter(Namespace target)
    {
        if (target is UserNamespace user)
        {
            if (user == Credentials.UserNamespace || ThreadGroup.LiveThreads != 1 || !Fs.IsExclusive)
            {
                return Errno.EINVAL;
            }

            if (!Credentials.Has(Capability.SysAdmin, user))
            {
                return Errno.EPERM;
            }

            Credentials = Credentials.Enter(user);
            return Errno.None;
        }

        if (!Credentials.Has(Capability.SysAdmin) || !Credentials.Has(Capability.SysAdmin, target.Owner!))
        {
            return Errno.EPERM;
        }

        switch (target)
        {
            case MountNamespaceIdentity mounts:
                return Enter(mounts.Mounts);
            case UtsNamespace uts:
                Namespaces = Namespaces with { Uts = uts };
                return Errno.None;
            case IpcNamespace ipc:
                Namespaces = Namespaces with { Ipc = ipc };
                return Errno.None;
            case NetworkNamespace network:
                Namespaces = Namespaces with { Network = network };
                return Errno.None;
            case CgroupNamespace cgroup:
                Namespaces = Namespaces with { Cgroup = cgroup };
                return Errno.None;
            case PidNamespace pids:
                if (!pids.IsWithin(PidNamespace))
                {
                    return Errno.EINVAL;
                }

                Namespaces = Namespaces with { PidForChildren = pids };
                return Errno.None;
            default:
                return Errno.EINVAL;
        }
    }

    /// <summary>Enters a mount namespace: root and working directory become its root.</summary>
    public Errno Enter(MountNamespace mounts)
    {
        if (!Credentials.Has(Capability.SysAdmin, mounts.Owner) || !Credentials.Has(Capability.SysAdmin) || !Credentials.Has(Capability.SysChroot))
        {
            return Errno.EPERM;
        }

        if (!Fs.IsExclusive)
        {
            return Errno.EINVAL;
        }

        Fs.EnterNamespace(mounts);
        return Errno.None;
    }

    private void ReplaceFs(FsContext own)
    {
        FsContext old = Fs;
        Fs = own;
        old.RemoveUser();
    }
}
