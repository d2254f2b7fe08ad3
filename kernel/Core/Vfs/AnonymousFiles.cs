// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Tasks;
using CVisor.Core.Time;

namespace CVisor.Core.Vfs;

/// <summary>A kernel-internal file system whose files have no name: pipefs, sockfs, anon_inodefs.</summary>
public sealed class AnonymousFileSystem : FileSystem
{
    private readonly ulong _magic;
    private readonly Lazy<Inode> _root;
    private long _lastInode;

    /// <summary>Makes a file system.</summary>
    /// <param name="typeName">Its name in /proc/filesystems.</param>
    /// <param name="magic">Its number in statfs(2).</param>
    public AnonymousFileSystem(string typeName, ulong magic)
    {
        TypeName = typeName;
        _magic = magic;
        _root = new Lazy<Inode>(() => new AnonymousInode(this, FileType.Directory, 0x1ed, UserCredentials.Root));
    }

    /// <summary>Eventfds, timerfds, epolls: files that are nothing but a description. They share one inode, as on Linux.</summary>
    public static AnonymousFileSystem AnonInodes { get; } = new("anon_inodefs", 0x09041934);

    /// <summary>The inode that all descriptions without a file of their own share; its mode has no type.</summary>
    public static Inode SharedInode { get; } = new AnonymousInode(AnonInodes, 0, 0x180, UserCredentials.Root);

    /// <inheritdoc/>
    public override string TypeName { get; }

    /// <inheritdoc/>
    public override Inode Root => _root.Value;

    /// <inheritdoc/>
    public override Errno GetStatistics(out FileSystemStatistics statistics)
    {
        statistics = new FileSystemStatistics { Type = _magic, BlockSize = 4096, NameLength = 255 };
        return Errno.None;
    }

    internal ulong NextInode() => (ulong)Interlocked.Increment(ref _lastInode);
}

/// <summary>The inode of a file without a name: a pipe, a socket.</summary>
public class AnonymousInode : Inode
{
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private Attributes _attributes;

    /// <summary>Makes an inode.</summary>
    /// <param name="fileSystem">Its file system.</param>
    /// <param name="type">Its type; 0 for none.</param>
    /// <param name="permissions">Permission bits.</param>
    /// <param name="owner">Whose it is.</param>
    public AnonymousInode(AnonymousFileSystem fileSystem, FileType type, uint permissions, UserCredentials owner)
        : base(fileSystem)
    {
        Type = type;
        long nowNs = KernelClock.RealtimeNs;
        _attributes = new Attributes
        {
            Mode = (uint)type | permissions,
            Uid = owner.FileUid,
            Gid = owner.FileGid,
            LinkCount = 1,
            Inode = fileSystem.NextInode(),
            Device = fileSystem.Device,
            BlockSize = 4096,
            AccessTimeNs = nowNs,
            ModifyTimeNs = nowNs,
            ChangeTimeNs = nowNs,
        };
        Number = _attributes.Inode;
    }

    /// <summary>The inode number.</summary>
    public ulong Number { get; }

    /// <inheritdoc/>
    public override FileType Type { get; }

    /// <inheritdoc/>
    public override Errno GetAttributes(out Attributes attributes)
    {
        lock (_lock)
        {
            attributes = _attributes;
            return Errno.None;
        }
    }

    /// <inheritdoc/>
    public override Errno SetAttributes(in OperationContext context, in AttributeChange change)
    {
        if ((change.Mask & AttributeMask.Size) != 0)
        {
            return Errno.EINVAL;
        }

        lock (_lock)
        {
            _attributes.Apply(change, KernelClock.RealtimeNs);
            return Errno.None;
        }
    }

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) => (OpenResult)Errno.ENXIO;
}
