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
            target = FileDescription.PlaceOf(new NamespaceInode(ns), ns.LinkText);
            target.Reference();
        }

        return true;
    }

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) => (OpenResult)Errno.ELOOP;

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

        public override IoResult Read(Task? task, ref Core.Memory.IoBuffer destination) => Errno.EINVAL;

        protected override void OnRelease() => (Namespace as MountNamespaceIdentity)?.Mounts.RemoveUser();
    }
}
