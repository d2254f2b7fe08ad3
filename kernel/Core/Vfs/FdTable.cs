// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;

namespace CVisor.Core.Vfs;

/// <summary>A descriptor table; shared by tasks with CLONE_FILES.</summary>
public sealed class FdTable
{
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private Entry[] _entries = new Entry[16];
    [GuardedBy(nameof(_lock))]
    private int _firstFree;
    private int _users = 1;

    private struct Entry
    {
        internal FileDescription? Description;
        internal bool CloseOnExec;
    }

    /// <summary>Installs a description at the lowest free number not below a minimum. Takes over the caller's reference.</summary>
    /// <param name="description">The description.</param>
    /// <param name="closeOnExec">FD_CLOEXEC.</param>
    /// <param name="limit">RLIMIT_NOFILE: numbers are below it.</param>
    /// <param name="fd">The number.</param>
    /// <param name="minimum">The lowest acceptable number.</param>
    /// <returns>None, or EMFILE (the reference stays the caller's).</returns>
    public Errno Install(FileDescription description, bool closeOnExec, int limit, out int fd, int minimum = 0)
    {
        lock (_lock)
        {
            int at = Math.Max(minimum, _firstFree);
            while (at < _entries.Length && _entries[at].Description is not null)
            {
                at++;
            }

            fd = at;
            if (at >= limit)
            {
                return Errno.EMFILE;
            }

            GrowLocked(at);
            _entries[at] = new Entry { Description = description, CloseOnExec = closeOnExec };
            if (minimum <= _firstFree)
            {
                _firstFree = at + 1;
            }

            return Errno.None;
        }
    }

    /// <summary>Installs a description at a number, taking over the caller's reference.</summary>
    /// <returns>What was there before, with its reference; the caller closes it.</returns>
    public FileDescription? InstallAt(int fd, FileDescription description, bool closeOnExec)
    {
        lock (_lock)
        {
            GrowLocked(fd);
            FileDescription? old = _entries[fd].Description;
            _entries[fd] = new Entry { Description = description, CloseOnExec = closeOnExec };
            return old;
        }
    }

    /// <summary>Finds a description, with one more reference for the caller.</summary>
    /// <returns>Null when the number is not open (EBADF).</returns>
    public FileDescription? Get(int fd)
    {
        lock (_lock)
        {
            FileDescription? found = unchecked((uint)fd) < (uint)_entries.Length ? _entries[fd].Description : null;
            found?.Reference();
            return found;
        }
    }

    /// <summary>Takes a description out, with the table's reference.</summary>
    public FileDescription? Remove(int fd)
    {
        lock (_lock)
        {
            return RemoveLocked(fd);
        }
    }

    /// <summary>FD_CLOEXEC of a number; EBADF when it is not open.</summary>
    public Errno GetCloseOnExec(int fd, out bool closeOnExec)
    {
        lock (_lock)
        {
            bool open = unchecked((uint)fd) < (uint)_entries.Length && _entries[fd].Description is not null;
            closeOnExec = open && _entries[fd].CloseOnExec;
            return open ? Errno.None : Errno.EBADF;
        }
    }

    /// <summary>Sets FD_CLOEXEC of a number; EBADF when it is not open.</summary>
    public Errno SetCloseOnExec(int fd, bool closeOnExec)
    {
        lock (_lock)
        {
            if (unchecked((uint)fd) >= (uint)_entries.Length || _entries[fd].Description is null)
            {
                return Errno.EBADF;
            }

            _entries[fd].CloseOnExec = closeOnExec;
            return Errno.None;
        }
    }

    /// <summary>The open numbers of a range, in order.</summary>
    public List<int> OpenNumbers(uint first = 0, uint last = uint.MaxValue)
    {
        List<int> numbers = [];
        lock (_lock)
        {
            for (uint fd = first; fd < (uint)_entries.Length && fd <= last; fd++)
            {
                if (_entries[fd].Description is not null)
                {
                    numbers.Add((int)fd);
                }
            }
        }

        return numbers;
    }

    /// <summary>A copy with its own references (fork, unshare).</summary>
    public FdTable Clone()
    {
        FdTable copy = new();
        lock (_lock)
        {
            copy._entries = (Entry[])_entries.Clone();
            copy._firstFree = _firstFree;
            foreach (Entry entry in copy._entries)
            {
                entry.Description?.Reference();
            }
        }

        return copy;
    }

    /// <summary>Takes out what execve(2) closes, with the references.</summary>
    public List<FileDescription> RemoveCloseOnExec()
    {
        List<FileDescription> closed = [];
        lock (_lock)
        {
            for (int fd = 0; fd < _entries.Length; fd++)
            {
                if (_entries[fd] is { CloseOnExec: true, Description: not null } && RemoveLocked(fd) is { } description)
                {
                    closed.Add(description);
                }
            }
        }

        return closed;
    }

    /// <summary>Ends what a number of this table meant, once it has been taken out: POSIX locks of the file go, and the table's reference.</summary>
    /// <param name="description">What was taken out.</param>
    /// <param name="task">Who closes it.</param>
    /// <returns>What close(2) reports.</returns>
    public Errno Close(FileDescription description, Tasks.Task? task)
    {
        Errno error = description.OnClose(task);
        description.Inode?.Locks.ReleaseOwner(this);
        description.Unreference();
        return error;
    }

    /// <summary>One task more uses the table.</summary>
    public void AddUser() => _ = Interlocked.Increment(ref _users);

    /// <summary>Whether only one task uses the table.</summary>
    public bool IsExclusive => Volatile.Read(ref _users) == 1;

    /// <summary>One task less; the last one closes everything.</summary>
    /// <param name="task">The task that leaves, for POSIX locks.</param>
    public void RemoveUser(Tasks.Task? task)
    {
        if (Interlocked.Decrement(ref _users) != 0)
        {
            return;
        }

        foreach (int fd in OpenNumbers())
        {
            if (Remove(fd) is { } description)
            {
                _ = Close(description, task);
            }
        }
    }

    [RequiresLock(nameof(_lock))]
    private FileDescription? RemoveLocked(int fd)
    {
        if (unchecked((uint)fd) >= (uint)_entries.Length || _entries[fd].Description is not { } found)
        {
            return null;
        }

        _entries[fd] = default;
        _firstFree = Math.Min(_firstFree, fd);
        return found;
    }

    [RequiresLock(nameof(_lock))]
    private void GrowLocked(int fd)
    {
        if (fd >= _entries.Length)
        {
            Array.Resize(ref _entries, Math.Max(fd + 1, _entries.Length * 2));
        }
    }
}
