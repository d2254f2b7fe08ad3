// SPDX-License-Identifier: Apache-2.0
using System.Threading;

namespace CVisor.Core.Vfs;

/// <summary>Per-mount flags (mount(2), MS_*).</summary>
[Flags]
public enum MountFlags : uint
{
    None = 0,
    ReadOnly = 1,
    NoSetId = 2,
    NoDevices = 4,
    NoExecute = 8,
    NoSymlinks = 0x100,
    NoAccessTime = 0x400,
    NoDirectoryAccessTime = 0x800,
    RelativeAccessTime = 0x200000,
}

/// <summary>How mounts and unmounts spread (mount_namespaces(7)), as mount(2) is told.</summary>
public enum MountPropagation
{
    /// <summary>They do not.</summary>
    Private,

    /// <summary>Both ways among peers.</summary>
    Shared,

    /// <summary>From the master only.</summary>
    Slave,

    /// <summary>They do not, and it cannot be bind-mounted.</summary>
    Unbindable,
}

/// <summary>A file system, or part of one, attached somewhere in a mount namespace's tree.</summary>
/// <remarks>References: one for being attached, one for each open file, working directory, root and child mount that lies on it.</remarks>
public sealed class Mount
{
    private static int s_nextId;
    private int _references = 1;
    private int _flags;
    private int _isExpired;

    /// <summary>Makes a mount that is attached nowhere, with one reference.</summary>
    /// <param name="fileSystem">What it shows.</param>
    /// <param name="root">Which directory (or file) of it.</param>
    /// <param name="flags">Its flags.</param>
    /// <param name="source">The source text for /proc/mounts.</param>
    public Mount(FileSystem fileSystem, Dentry root, MountFlags flags, string source)
    {
        FileSystem = fileSystem;
        Root = root;
        root.Reference();
        fileSystem.AddMount();
        _flags = unchecked((int)flags);
        Source = source;
    }

    /// <summary>Makes a mount of a whole file system.</summary>
    public Mount(FileSystem fileSystem, MountFlags flags, string source)
        : this(fileSystem, fileSystem.RootDentry, flags, source)
    {
    }

    /// <summary>The mount id of /proc/self/mountinfo.</summary>
    public int Id { get; } = Interlocked.Increment(ref s_nextId);

    /// <summary>What it shows.</summary>
    public FileSystem FileSystem { get; }

    /// <summary>Which part of it.</summary>
    public Dentry Root { get; }

    /// <summary>Its flags; changed by remounting.</summary>
    public MountFlags Flags
    {
        get => unchecked((MountFlags)Volatile.Read(ref _flags));
        internal set => Volatile.Write(ref _flags, unchecked((int)value));
    }

    /// <summary>The group in which mounts spread from and to this one; null when it is not shared. Guarded, as all about groups, by the lock of all mount trees.</summary>
    public PeerGroup? Peers { get; internal set; }

    /// <summary>The group from which mounts spread to this one; null when it is no slave. A slave may be shared, too.</summary>
    public PeerGroup? Master { get; internal set; }

    /// <summary>Whether it may not be bind-mounted.</summary>
    public bool IsUnbindable { get; internal set; }

    /// <summary>The source text.</summary>
    public string Source { get; }

    /// <summary>Where it is attached, with references; the default for a namespace's root or a detached mount. Guarded by the namespace's lock.</summary>
    public VfsPath MountPoint { get; internal set; }

    /// <summary>The namespace it is attached in; null once detached.</summary>
    public MountNamespace? Namespace { get; internal set; }

    /// <summary>Whether writing is refused.</summary>
    public bool IsReadOnly => (Flags & MountFlags.ReadOnly) != 0 || FileSystem.IsReadOnly;

    /// <summary>References now; for umount's busy check.</summary>
    internal int References => Volatile.Read(ref _references);

    /// <summary>The place of its root.</summary>
    public VfsPath RootPath => new(this, Root);

    /// <summary>Marks the mount for expiry (MNT_EXPIRE); true when it was marked already.</summary>
    public bool MarkExpired() => Interlocked.Exchange(ref _isExpired, 1) != 0;

    /// <summary>Counts one more user.</summary>
    public void Reference() => _ = Interlocked.Increment(ref _references);

    /// <summary>Counts one user less; the last one releases the root.</summary>
    public void Unreference()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            if (Peers is not null || Master is not null)
            {
                MountNamespace.Forget(this); // A copy that could not be attached.
            }

            Root.Unreference();
            FileSystem.RemoveMount();
        }
    }
}
