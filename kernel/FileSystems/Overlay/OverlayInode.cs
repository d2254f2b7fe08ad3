// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Overlay;

/// <summary>A file of an overlay: one from below, one from below that was copied up, or a new one.</summary>
internal sealed partial class OverlayInode : TableInode
{
    private readonly OverlayFileSystem _fs;
    private readonly Inode? _lower;
    private readonly ulong _number;
    private readonly Lock _copyLock = new();
    private readonly Lock _lock = new();
    private Inode? _upper; // set once, under the copy lock
    private string _upperName = "";

    // What links of ours add to the count of below (of a new directory: to 2; of a new file: to 0).
    [GuardedBy(nameof(_lock))]
    private int _linkChange;
    [GuardedBy(nameof(_lock))]
    private bool _isGone;
    [GuardedBy(nameof(_lock))]
    private bool _holdsItself;

    /// <summary>Stands for a file of the lower tree.</summary>
    internal OverlayInode(OverlayFileSystem fileSystem, Inode lower)
        : base(fileSystem)
    {
        _fs = fileSystem;
        _lower = lower;
        lower.Reference();
        Type = lower.Type;
        _ = lower.GetAttributes(out Attributes attributes);
        _number = attributes.Inode;
    }

    /// <summary>A new file, in no directory yet.</summary>
    private OverlayInode(OverlayFileSystem fileSystem, Inode upper, string upperName)
        : base(fileSystem)
    {
        _fs = fileSystem;
        _upper = upper;
        _upperName = upperName;
        Type = upper.Type;
        _number = fileSystem.NewNumber();
    }

    /// <inheritdoc/>
    public override FileType Type { get; }

    /// <summary>Whether the file's contents are above.</summary>
    internal bool IsAbove => Volatile.Read(ref _upper) is not null;

    // Where the file's contents and attributes are now.
    private Inode Real => Volatile.Read(ref _upper) ?? _lower!;

    /// <inheritdoc/>
    public override Errno GetAttributes(out Attributes attributes)
    {
        Errno error = Real.GetAttributes(out attributes);
        if (error != Errno.None)
        {
            return error;
        }

        attributes.Inode = _number;
        attributes.Device = _fs.Device;
        lock (_lock)
        {
            attributes.LinkCount = _isGone ? 0 : (uint)Math.Max(0, BaseLinks(in attributes) + _linkChange);
        }

        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno SetAttributes(in OperationContext context, in AttributeChange change)
    {
        bool truncates = (change.Mask & AttributeMask.Size) != 0;
        Errno error = CopyUp(truncates ? change.SizeBytes : ulong.MaxValue);
        if (error == Errno.None)
        {
            error = _upper!.SetAttributes(in context, in change);
        }

        if (error == Errno.None && truncates)
        {
            OnTruncated(change.SizeBytes);
        }

        return error;
    }

    /// <inheritdoc/>
    public override Errno ReadLink(in OperationContext context, out string target) => Real.ReadLink(in context, out target);

    /// <inheritdoc/>
    public override Errno GetExtendedAttribute(in OperationContext context, string name, out byte[] value) =>
        Real.GetExtendedAttribute(in context, name, out value);

    /// <inheritdoc/>
    public override Errno ListExtendedAttributes(in OperationContext context, out string[] names) => Real.ListExtendedAttributes(in context, out names);

    /// <inheritdoc/>
    public override Errno SetExtendedAttribute(in OperationContext context, string name, ReadOnlySpan<byte> value, int flags)
    {
        Errno error = CopyUp();
        return error != Errno.None ? error : _upper!.SetExtendedAttribute(in context, name, value, flags);
    }

    /// <inheritdoc/>
    public override Errno RemoveExtendedAttribute(in OperationContext context, string name)
    {
        Errno error = Real.GetExtendedAttribute(in context, name, out _);
        if (error == Errno.None)
        {
            error = CopyUp();
        }

        return error != Errno.None ? error : _upper!.RemoveExtendedAttribute(in context, name);
    }

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags)
    {
        if (Type == FileType.Directory)
        {
            return (OpenResult)new OverlayDirectory(this, path, flags);
        }

        if (Type == FileType.Symlink)
        {
            return (OpenResult)Errno.ELOOP;
        }

        if (Type != FileType.Regular)
        {
            return SpecialFiles.Open(this, context, path, flags); // of this inode: a FIFO's pipe outlives a copy
        }

        if ((flags & OpenFlags.AccessModeMask) != OpenFlags.ReadOnly)
        {
            // What a truncating open throws away need not be copied.
            Errno error = CopyUp((flags & OpenFlags.Truncate) != 0 ? 0 : ulong.MaxValue);
            return error != Errno.None ? (OpenResult)error : _upper!.Open(context, path, flags);
        }

        if (IsAbove)
        {
            return _upper!.Open(context, path, flags);
        }

        OpenResult below = _lower!.Open(context, path, flags).Take();
        return below.Description is null ? below : (OpenResult)new OverlayFile(this, below.Description, path, flags);
    }

    /// <inheritdoc/>
    internal override void Unpin()
    {
        if (_lower is not null)
        {
            _fs.Unpin(_lower, this);
        }
    }

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        if (_lower is not null)
        {
            _fs.OnUnreferenced(_lower, this);
        }
        else
        {
            Destroy(); // a new file that no name leads to and nobody uses
        }
    }

    /// <inheritdoc/>
    protected internal override void Destroy()
    {
        DropNames();
        if (_upper is not null)
        {
            _fs.DropAbove(_upperName, _upper);
        }

        _lower?.Unreference();
    }

    // A change that only this object knows of: it must outlive its users, as long as a name leads to the file.
    private void HoldItself()
    {
        if (_lower is null)
        {
            return; // a new file is held by its names
        }

        lock (_lock)
        {
            if (_holdsItself || _isGone)
            {
                return;
            }

            _holdsItself = true;
        }

        Reference();
    }

    // A link more or less; at none the file is gone once its users are.
    private void ChangeLinks(int change)
    {
        bool lets;
        lock (_lock)
        {
            _linkChange += change;
            int links = BaseLinksLocked() + _linkChange;
            _isGone = Type != FileType.Directory && links <= 0;
            lets = _isGone && _holdsItself;
            _holdsItself &= !lets;
        }

        if (lets)
        {
            Unreference();
        }
        else
        {
            HoldItself();
        }
    }

    private void MarkGone()
    {
        bool lets;
        lock (_lock)
        {
            _isGone = true;
            lets = _holdsItself;
            _holdsItself = false;
        }

        if (lets)
        {
            Unreference();
        }
    }

    private int BaseLinksLocked()
    {
        Attributes attributes = default;
        if (_lower is not null)
        {
            _ = _lower.GetAttributes(out attributes);
        }

        return BaseLinks(in attributes);
    }

    // The count before any change of ours. Below it is what the lower file says; the upper inode's own count means nothing.
    private int BaseLinks(in Attributes attributes)
    {
        if (_lower is null)
        {
            return Type == FileType.Directory ? 2 : 0;
        }

        if (!IsAbove)
        {
            return (int)Math.Min(attributes.LinkCount, int.MaxValue);
        }

        _ = _lower.GetAttributes(out Attributes below);
        return (int)Math.Min(below.LinkCount, int.MaxValue);
    }
}
