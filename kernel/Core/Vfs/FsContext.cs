// SPDX-License-Identifier: Apache-2.0
using System.Threading;

namespace CVisor.Core.Vfs;

/// <summary>A task's root, working directory and umask; shared by tasks with CLONE_FS.</summary>
public sealed class FsContext
{
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private VfsPath _root;
    [GuardedBy(nameof(_lock))]
    private VfsPath _workingDirectory;
    private int _umask;
    private int _users = 1;

    /// <summary>Makes a context that references both places.</summary>
    public FsContext(VfsPath root, VfsPath workingDirectory, uint umask)
    {
        root.Reference();
        workingDirectory.Reference();
        (_root, _workingDirectory, _umask) = (root, workingDirectory, (int)umask);
    }

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

    /// <summary>The umask: permission bits that new files lack.</summary>
    public uint Umask => (uint)Volatile.Read(ref _umask);

    /// <summary>Sets the umask; the old one is returned.</summary>
    public uint ExchangeUmask(uint umask) => (uint)Interlocked.Exchange(ref _umask, (int)(umask & 0x1ff));

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

    /// <summary>One task more uses the context.</summary>
    public void AddUser() => _ = Interlocked.Increment(ref _users);

    /// <summary>Whether only one task uses the context.</summary>
    public bool IsExclusive => Volatile.Read(ref _users) == 1;

    /// <summary>One task less; the last one lets go of both places.</summary>
    public void RemoveUser()
    {
        if (Interlocked.Decrement(ref _users) == 0)
        {
            SetRoot(default);
            SetWorkingDirectory(default);
        }
    }

    /// <summary>A copy with its own references (fork without CLONE_FS).</summary>
    public FsContext Clone()
    {
        lock (_lock)
        {
            return new FsContext(_root, _workingDirectory, Umask);
        }
    }
}
