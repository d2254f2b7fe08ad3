// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Overlay;

/// <summary>A tree that can be changed over one that must not be: changes live in another file system, the upper one, until the sandbox ends.</summary>
/// <remarks>
/// <para>The delta is kept in memory, not as names in the upper tree. A directory that was changed has a table of names, each leading to an inode of ours or to nothing (a
/// whiteout); a name that is not in it is looked up below. The upper file system only keeps what inodes are made of (data, attributes, extended
/// attributes), under meaningless names in its root. So nothing has to be copied up to be renamed or linked, directories can be
/// renamed, hard links below stay hard links after a copy, and inode numbers never change.</para>
/// <para>Lock order: an inode's copy lock (held while it is copied up), an inode's state lock (a leaf but for the upper file system's own), the table's lock.</para>
/// <para>Life: an inode of the lower tree that was never changed lives as long as it is used. A changed one, and every new one, is held by the names that lead to it, or by itself.</para>
/// </remarks>
public sealed class OverlayFileSystem : FileSystem
{
    // New files' numbers begin where no host file system has any, and doubles are still exact.
    private const ulong FirstNewNumber = 1UL << 52;
    private const ulong OverlayMagic = 0x794c7630;

    private readonly FileSystem _lower;
    private readonly FileSystem _upper;
    private readonly Lock _upperLock = new();
    private readonly InodeTable<Inode, OverlayInode> _fromBelow = new();
    private readonly OverlayInode _root;
    private long _numbers;

    /// <summary>Lays one file system over another; both are taken over.</summary>
    /// <param name="lower">What shows through; nothing changes it, neither here nor outside.</param>
    /// <param name="upper">What keeps changes: an empty writable file system that nobody else uses.</param>
    public OverlayFileSystem(FileSystem lower, FileSystem upper)
    {
        _lower = lower;
        _upper = upper;
        _root = FromBelow(lower.Root);
        _root.Reference();
    }

    /// <inheritdoc/>
    public override string TypeName => "overlay";

    /// <inheritdoc/>
    public override Inode Root => _root;

    /// <inheritdoc/>
    public override DentryPolicy DentryPolicy => DentryPolicy.Cached;

    /// <inheritdoc/>
    public override Errno GetStatistics(out FileSystemStatistics statistics)
    {
        Errno error = _upper.GetStatistics(out statistics);
        if (error == Errno.None && statistics.Blocks == 0)
        {
            // Changes may take what memory there is. Programs that look for room before they write want a number: that of below.
            error = _lower.GetStatistics(out statistics);
        }

        statistics.Type = OverlayMagic;
        return error;
    }

    /// <inheritdoc/>
    public override void Release()
    {
        _upper.Release();
        _lower.Release();
    }

    /// <summary>The inode that stands for one of the lower tree.</summary>
    internal OverlayInode FromBelow(Inode lower)
    {
        OverlayInode? found = _fromBelow.Find(lower);
        if (found is null)
        {
            OverlayInode fresh = new(this, lower);
            found = _fromBelow.FindOrAdd(lower, fresh);
            if (found != fresh)
            {
                lower.Unreference(); // another thread was first
            }
        }

        return found;
    }

    /// <summary>An inode's last reference is gone.</summary>
    internal void OnUnreferenced(Inode lower, OverlayInode inode) => _fromBelow.OnUnreferenced(lower, inode);

    /// <summary>Takes a pin off an inode.</summary>
    internal void Unpin(Inode lower, OverlayInode inode) => _fromBelow.Unpin(lower, inode);

    /// <summary>Makes an inode of the upper file system, with one reference.</summary>
    /// <param name="type">What it is.</param>
    /// <param name="owner">Whom it belongs to.</param>
    /// <param name="device">A device node's number.</param>
    /// <param name="target">A symbolic link's text.</param>
    /// <param name="name">The name it has there.</param>
    /// <param name="made">The inode.</param>
    internal Errno MakeAbove(FileType type, NewFileOwner owner, ulong device, string target, out string name, out Inode? made)
    {
        OperationContext context = owner is { Uid: 0, Gid: 0 }
            ? OperationContext.Kernel
            : new OperationContext(UserCredentials.Root with { FileUid = owner.Uid, FileGid = owner.Gid }, null);
        name = Interlocked.Increment(ref _numbers).ToString(System.Globalization.CultureInfo.InvariantCulture);
        Errno error;
        lock (_upperLock)
        {
            error = type switch
            {
                FileType.Regular => _upper.Root.Create(in context, name, owner.Mode, out made),
                FileType.Directory => _upper.Root.MakeDirectory(in context, name, owner.Mode, out made),
                FileType.Symlink => _upper.Root.MakeSymlink(in context, name, target, out made),
                _ => _upper.Root.MakeNode(in context, name, (uint)type | owner.Mode, device, out made),
            };
            made?.Reference();
        }

        return error;
    }

    /// <summary>Gives an inode of the upper file system up.</summary>
    internal void DropAbove(string name, Inode inode)
    {
        OperationContext context = OperationContext.Kernel;
        lock (_upperLock)
        {
            _ = inode.Type == FileType.Directory
                ? _upper.Root.RemoveDirectory(in context, name, inode)
                : _upper.Root.Unlink(in context, name, inode);
        }

        inode.Unreference();
    }

    /// <summary>A number for a new file.</summary>
    internal ulong NewNumber() => FirstNewNumber + (ulong)Interlocked.Increment(ref _numbers);
}
