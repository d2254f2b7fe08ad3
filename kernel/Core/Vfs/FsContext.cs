// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;

namespace CVisor.Core.Vfs;

/// <summary>A task's root, working directory, umask and mount namespace; shared by tasks with CLONE_FS.</summary>
public sealed class FsContext
{
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private VfsPath _root;
    [GuardedBy(nameof(_lock))]
    private VfsPath _workingDirectory;
    private MountNamespace? _mounts;
    private int _umask;
    private int _users = 1;

    /// <summary>Makes a context that references both places, with one user; its namespace is the root's.</summary>
    public FsContext(VfsPath root, VfsPath workingDirectory, uint umask)
        : this(root, workingDirectory, umask, root.Mount?.Namespace)
    {
    }

    private FsContext(VfsPath root, VfsPath workingDirectory, uint umask, MountNamespace? mounts)
    {
        root.Reference();
        workingDirectory.Reference();
        mounts?.AddUser();
        (_root, _workingDirectory, _umask, _mounts) = (root, workingDirectory, (int)umask, mounts);
    }

    /// <summary>The mounts that the tasks see. Only a context without a root directory (a kernel under test) has none.</summary>
    public MountNamespace Mounts => Volatile.Read(ref _mounts)!;

    /// <summary>The root directory.</summary>
    public VfsPath Root
    {
        get
        {
            lock (_lock)
            {
                return _root;
            }
        }
    }

    /// <summary>The working directory.</summary>
    public VfsPath WorkingDirectory
    {
        get
        {
            lock (_lock)
            {
                return _workingDirectory;
            }
        }
    }

    /// <summary>The root directory, with references.</summary>
    public VfsPath GetRoot()
    {
        lock (_lock)
        {
            _root.Reference();
            return _root;
        }
    }

    /// <summary>The working directory, with references.</summary>
    public VfsPath GetWorkingDirectory()
    {
        lock (_lock)
        {
            _workingDirectory.Reference();
            return _workingDirectory;
        }
    }

    /// <summary>The umask: permission bits that new files lack.</summary>
    public uint Umask => unchecked((uint)Volatile.Read(ref _umask));

    /// <summary>Sets the umask; the old one is returned.</summary>
    public uint ExchangeUmask(uint umask) => unchecked((uint)Interlocked.Exchange(ref _umask, (int)(umask & 0x1ff)));

    /// <summary>Sets the working directory.</summary>
    public void SetWorkingDirectory(VfsPath path)
    {
        path.Reference();
        VfsPath old;
        lock (_lock)
        {
            old = _workingDirectory;
            _workingDirectory = path;
        }

        old.Unreference();
    }

    /// <summary>Sets the root directory.</summary>
    public void SetRoot(VfsPath path)
    {
        path.Reference();
        VfsPath old;
        lock (_lock)
        {
            old = _root;
            _root = path;
        }

        old.Unreference();
    }

    /// <summary>One task more shares the context (CLONE_FS).</summary>
    public void AddUser() => _ = Interlocked.Increment(ref _users);

    /// <summary>Whether only one task uses the context.</summary>
    public bool IsExclusive => Volatile.Read(ref _users) == 1;

    /// <summary>One task less; the last one lets go of both places and of the namespace.</summary>
    public void RemoveUser()
    {
        if (Interlocked.Decrement(ref _users) != 0)
        {
            return;
        }

        VfsPath root;
        VfsPath workingDirectory;
        lock (_lock)
        {
            (root, workingDirectory) = (_root, _workingDirectory);
            (_root, _workingDirectory) = (default, default);
        }

        root.Unreference();
        workingDirectory.Unreference();
        _mounts?.RemoveUser();
    }

    /// <summary>A copy with its own references and one user (fork without CLONE_FS, unshare).</summary>
    public FsContext Clone()
    {
        lock (_lock)
        {
            return new FsContext(_root, _workingDirectory, Umask, _mounts);
        }
    }

    /// <summary>Moves to another namespace's root (setns(2)).</summary>
    public void EnterNamespace(MountNamespace mounts)
    {
        VfsPath root = mounts.GetTop(mounts.Root.RootPath);
        mounts.AddUser();
        SetRoot(root);
        SetWorkingDirectory(root);
        root.Unreference();
        Interlocked.Exchange(ref _mounts, mounts)?.RemoveUser();
    }

    /// <summary>Replaces one place by another where it is the root or the working directory (pivot_root(2)).</summary>
    public void ReplacePlace(VfsPath old, VfsPath replacement)
    {
        if (Root == old)
        {
            SetRoot(replacement);
        }

        if (WorkingDirectory == old)
        {
            SetWorkingDirectory(replacement);
        }
    }

    /// <summary>Moves to a copy of the namespace, taking over the copy's first user.</summary>
    internal void MoveToNamespace(MountNamespace copy, Dictionary<Mount, Mount> copies)
    {
        VfsPath root = Root;
        VfsPath workingDirectory = WorkingDirectory;
        if (copies.TryGetValue(root.Mount!, out Mount? rootCopy))
        {
            SetRoot(new VfsPath(rootCopy, root.Dentry));
        }

        if (copies.TryGetValue(workingDirectory.Mount!, out Mount? workingCopy))
        {
            SetWorkingDirectory(new VfsPath(workingCopy, workingDirectory.Dentry));
        }

        Interlocked.Exchange(ref _mounts, copy)?.RemoveUser();
    }
}
