// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Time;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Synthetic;

/// <summary>A file that the kernel makes up. Its attributes are fixed but for the owner.</summary>
public abstract class SyntheticInode : Inode
{
    // On the clock that is cheap to read: each process has dozens of these, of which few are ever looked at.
    private readonly long _bornAtNs = KernelClock.MonotonicNs;
    private long _birthNs;

    /// <summary>Makes an inode.</summary>
    /// <param name="fileSystem">Its file system.</param>
    /// <param name="type">Its type.</param>
    /// <param name="permissions">Its permission bits.</param>
    protected SyntheticInode(SyntheticFileSystem fileSystem, FileType type, uint permissions)
        : base(fileSystem)
    {
        Type = type;
        Mode = (uint)type | permissions;
        Number = fileSystem.NextInodeNumber();
    }

    /// <inheritdoc/>
    public override FileType Type { get; }

    /// <summary>Type and permissions.</summary>
    public uint Mode { get; }

    /// <summary>The inode number.</summary>
    public ulong Number { get; }

    /// <summary>The owner and group now.</summary>
    protected virtual (uint Uid, uint Gid) Owner => (0, 0);

    /// <summary>The length that stat(2) shows, in bytes.</summary>
    protected virtual ulong SizeBytes => 0;

    /// <summary>Hard links.</summary>
    protected virtual uint LinkCount => Type == FileType.Directory ? 2u : 1u;

    /// <inheritdoc/>
    public override Errno GetAttributes(out Attributes attributes)
    {
        (uint uid, uint gid) = Owner;
        long birthNs = BirthNs;
        attributes = new Attributes
        {
            Mode = Mode,
            Uid = uid,
            Gid = gid,
            LinkCount = LinkCount,
            Inode = Number,
            Device = FileSystem.Device,
            SizeBytes = SizeBytes,
            BlockSize = 4096,
            AccessTimeNs = birthNs,
            ModifyTimeNs = birthNs,
            ChangeTimeNs = birthNs,
        };
        return Errno.None;
    }

    /// <summary>When it was made, by the wall clock of the first look.</summary>
    private long BirthNs
    {
        get
        {
            long known = Volatile.Read(ref _birthNs);
            if (known != 0)
            {
                return known;
            }

            long birthNs = KernelClock.RealtimeNs - (KernelClock.MonotonicNs - _bornAtNs);
            known = Interlocked.CompareExchange(ref _birthNs, birthNs, 0);
            return known == 0 ? birthNs : known;
        }
    }

    /// <summary>Truncation is accepted and does nothing (shells open control files with O_TRUNC); the rest is refused.</summary>
    public override Errno SetAttributes(in OperationContext context, in AttributeChange change) =>
        (change.Mask & ~(AttributeMask.Size | AttributeMask.AccessTime | AttributeMask.ModifyTime | AttributeMask.AccessTimeNow | AttributeMask.ModifyTimeNow)) == 0 ? Errno.None : Errno.EPERM;

    /// <summary>A name still leads here as long as the file is not gone.</summary>
    public virtual bool IsGone => false;
}
