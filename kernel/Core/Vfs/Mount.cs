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
    NoAccessTime = 0x400,
    NoDirectoryAccessTime = 0x800,
    RelativeAccessTime = 0x200000,
}

/// <summary>A file system, or part of one, attached somewhere in a mount namespace's tree.</summary>
public sealed class Mount
{
    private static int s_nextId;
    private int _references = 1;

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
        Flags = flags;
        Source = source;
    }

    /// <summary>The mount id of /proc/self/mountinfo.</summary>
    public int Id { get; } = Interlocked.Increment(ref s_nextId);

    /// <summary>What it shows.</summary>
    public FileSystem FileSystem { get; }

    /// <summary>Which part of it.</summary>
    public Dentry Root { get; }

    /// <summary>Its flags; changed by remounting.</summary>
    public MountFlags Flags { get; internal set; }

    /// <summary>The source text.</summary>
    public string Source { get; }

    /// <summary>Where it is attached; the default for a namespace's root or a detached mount. Guarded by the namespace's lock.</summary>
    public VfsPath MountPoint { get; internal set; }

    /// <summary>The namespace it is attached in; null once detached.</summary>
    public MountNamespace? Namespace { get; internal set; }

    /// <summary>Whether writing is refused.</summary>
    public bool IsReadOnly => (Flags & MountFlags.ReadOnly) != 0;

    /// <summary>Counts one more user.</summary>
    public void Reference() => _ = Interlocked.Increment(ref _references);

    /// <summary>Counts one user less; the last one releases the root.</summary>
    public void Unreference()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            Root.Unreference();
        }
    }
}

/// <summary>The tree of mounts that a set of tasks sees (mount_namespaces(7)).</summary>
public sealed partial class MountNamespace
{
    /// <summary>Makes a namespace with a root mount.</summary>
    public MountNamespace(Mount root)
    {
        Root = root;
        root.Namespace = this;
    }

    /// <summary>The root mount.</summary>
    public Mount Root { get; private set; }
}
