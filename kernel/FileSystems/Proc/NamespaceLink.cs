// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Namespaces;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Synthetic;

namespace CVisor.FileSystems.Proc;

/// <summary>A magic link of /proc/PID/ns: leads to the namespace itself, an nsfs file that setns(2) takes.</summary>
internal sealed class NamespaceLink(ProcFileSystem proc, Func<Namespace?> get) : SyntheticInode(proc, FileType.Symlink, 0x1ff)
{
    private static readonly AnonymousFileSystem s_nsfs = new("nsfs", 0x6e736673);

    /// <inheritdoc/>
    public override Errno ReadLink(in OperationContext context, out string target)
    {
        target = get()?.LinkText ?? "";
        return target.Length == 0 ? Errno.ENOENT : Errno.None;
    }

    /// <inheritdoc/>
    public override bool TryFollowMagicLink(in OperationContext context, out VfsPath target, out Errno error)
    {
        target = default;
        error = Errno.ENOENT;
        if (get() is { } ns)
        {
            error = Errno.None;
            target = PlaceOf(ns);
            target.Reference();
        }

        return true;
    }

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) => (OpenResult)Errno.ELOOP;

    private static VfsPath PlaceOf(Namespace ns) => FileDescription.PlaceOf(new NamespaceInode(ns), ns.LinkText);

    /// <summary>A namespace as a file; its number is what programs compare.</summary>
    private sealed class NamespaceInode(Namespace ns) : AnonymousInode(s_nsfs, FileType.Regular, 0x124, UserCredentials.Root)
    {
        public override Errno GetAttributes(out Attributes attributes)
        {
            Errno error = base.GetAttributes(out attributes);
            attributes.Inode = ns.Inode;
            return error;
        }

        public override Errno SetAttributes(in OperationContext context, in AttributeChange change) => Errno.EPERM;

        public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) =>
            (flags & OpenFlags.AccessModeMask) != OpenFlags.ReadOnly ? (OpenResult)Errno.EPERM : (OpenResult)new Description(ns, path, flags);
    }

    private sealed class Description : FileDescription, INamespaceFile
    {
        internal Description(Namespace ns, VfsPath path, OpenFlags flags)
            : base(path, flags)
        {
            Namespace = ns;
            (ns as MountNamespaceIdentity)?.Mounts.AddUser();
        }

        public Namespace Namespace { get; }

        public override string? AnonymousName => Namespace.LinkText;

        /// <summary>ioctl_nsfs(2)</summary>
        public override Blocking<SyscallResult> Ioctl(Task task, uint request, ulong argument)
        {
            const uint GetUserNamespace = 0xb701, GetParent = 0xb702, GetType = 0xb703, GetOwnerUid = 0xb704;
            UserNamespace viewer = task.Credentials.UserNamespace;
            switch (request)
            {
                case GetUserNamespace:
                    return (SyscallResult)Open(task, Namespace.Owner is { } owner && owner.IsWithin(viewer) ? owner : null);
                case GetParent when Namespace is UserNamespace user:
                    return (SyscallResult)Open(task, user.Parent is { } above && above.IsWithin(viewer) ? above : null);
                case GetParent when Namespace is PidNamespace pids:
                    return (SyscallResult)Open(task, pids.Parent is { } outer && outer.IsWithin(task.PidNamespace) ? outer : null);
                case GetType:
                    return (SyscallResult)(long)Namespace.Kind;
                case GetOwnerUid when Namespace is UserNamespace user:
                    return (SyscallResult)task.Memory.CopyOut(new Core.Memory.UserPtr(argument), viewer.ToGuestUid(user.OwnerUid));
                case GetParent or GetOwnerUid:
                    return (SyscallResult)Errno.EINVAL;
                default:
                    return base.Ioctl(task, request, argument);
            }
        }

        private static SyscallResult Open(Task task, Namespace? ns)
        {
            if (ns is null)
            {
                return Errno.EPERM;
            }

            Description file = new(ns, NamespaceLink.PlaceOf(ns), OpenFlags.ReadOnly);
            Errno error = task.Descriptors.Install(file, closeOnExec: true, task.FileLimit, out int fd);
            if (error != Errno.None)
            {
                file.Unreference();
                return error;
            }

            return fd;
        }

        public override IoResult Read(Task? task, ref Core.Memory.IoBuffer destination) => Errno.EINVAL;

        protected override void OnRelease() => (Namespace as MountNamespaceIdentity)?.Mounts.RemoveUser();
    }
}
