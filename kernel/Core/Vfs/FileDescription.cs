// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;

namespace CVisor.Core.Vfs;

/// <summary>An open file (open(2) calls it a description): what descriptors, mappings and messages in flight refer to.</summary>
/// <remarks>
/// Life: counted references. Descriptors, in-flight messages and mappings hold one each; at zero <see cref="OnRelease"/> runs, once, without locks held.
/// Reads and writes never wait: they say EAGAIN, and <see cref="BlockingIo"/> waits on <see cref="Queue"/> for descriptions that are not O_NONBLOCK.
/// </remarks>
public abstract class FileDescription
{
    private int _references = 1;
    private int _flags;
    private readonly Lock _observerLock = new();
    [GuardedBy(nameof(_observerLock))]
    private List<IReleaseObserver>? _observers;
    private Inode? _written;
    [GuardedBy(nameof(_observerLock))]
    private SignalDrivenIo? _signals;
    private AsyncOwner? _asyncOwner;

    /// <summary>Makes a description with one reference, the caller's.</summary>
    /// <param name="path">Where it was opened; the default for files without a path (pipes, sockets).</param>
    /// <param name="flags">Access mode and status flags; creation flags are dropped.</param>
    protected FileDescription(VfsPath path, OpenFlags flags)
    {
        Path = path;
        path.Reference();
        _flags = unchecked((int)(flags & ~(OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoControllingTty | OpenFlags.Truncate | OpenFlags.CloseOnExec | OpenFlags.ForExecution)));
    }

    /// <summary>Where it was opened.</summary>
    public VfsPath Path { get; }

    /// <summary>The file, or null for descriptions that have no inode of their own.</summary>
    public virtual Inode? Inode => Path.Dentry?.Inode;

    /// <summary>Access mode and status flags (F_GETFL).</summary>
    public OpenFlags Flags => (OpenFlags)unchecked((uint)Volatile.Read(ref _flags));

    /// <summary>Whether O_NONBLOCK is set.</summary>
    public bool IsNonBlocking => (Flags & OpenFlags.NonBlock) != 0;

    /// <summary>Whether it was opened for reading.</summary>
    public bool IsReadable => (Flags & OpenFlags.Path) == 0 && (Flags & OpenFlags.AccessModeMask) != OpenFlags.WriteOnly;

    /// <summary>Whether it was opened for writing.</summary>
    public bool IsWritable => (Flags & OpenFlags.Path) == 0 && (Flags & OpenFlags.AccessModeMask) is OpenFlags.WriteOnly or OpenFlags.ReadWrite;

    /// <summary>Whether lseek(2), pread(2) and pwrite(2) work.</summary>
    public virtual bool IsSeekable => false;

    /// <summary>The waiters of this file's events, or null when it is always ready.</summary>
    public virtual WaitQueue? Queue => null;

    /// <summary>Whether a write(2) that may wait goes on until all of it is written (pipes, stream sockets, terminals).</summary>
    public virtual bool WritesWhole => false;

    /// <summary>How long a read waits, in nanoseconds (SO_RCVTIMEO); then it is EAGAIN.</summary>
    public virtual long ReadTimeoutNs => long.MaxValue;

    /// <summary>How long a write waits, in nanoseconds (SO_SNDTIMEO); then it is EAGAIN.</summary>
    public virtual long WriteTimeoutNs => long.MaxValue;

    /// <summary>Whether watches are told of what is done with it: a guest opened it.</summary>
    internal bool TellsEvents { get; set; }

    /// <summary>References now. A hint for whoever holds none of them.</summary>
    public int ReferenceCount => Volatile.Read(ref _references);

    /// <summary>The <c>readlink</c> text of /proc/self/fd/N for files without a path, such as <c>pipe:[12]</c>; null otherwise.</summary>
    public virtual string? AnonymousName => null;

    /// <summary>Who is to be told of events by a signal.</summary>
    public AsyncOwner AsyncOwner
    {
        get => Volatile.Read(ref _asyncOwner) ?? AsyncOwner.Nobody;
        set => Volatile.Write(ref _asyncOwner, value);
    }

    /// <summary>Where a magic link to this file leads (/proc/self/fd/N), with references: its path, or a place of its own that no other path leads to.</summary>
    public VfsPath GetPlace()
    {
        VfsPath place = Path;
        if (!place.IsValid && Inode is { } inode)
        {
            place = PlaceOf(inode, AnonymousName ?? "");
        }

        place.Reference();
        return place;
    }

    /// <summary>A place of its own for a file that no path leads to, without references.</summary>
    public static VfsPath PlaceOf(Inode inode, string name) =>
        new(inode.FileSystem.InternalMount, new Dentry(inode.FileSystem, null, name, inode) { IsUnlinked = true });

    /// <summary>Sets the status flags that F_SETFL may change (APPEND, ASYNC, DIRECT, NOATIME, NONBLOCK).</summary>
    /// <param name="flags">All of them.</param>
    /// <param name="task">Who; null when the kernel itself does, which asks for no signals.</param>
    /// <param name="fd">The number that signals of O_ASYNC name.</param>
    public void SetStatusFlags(OpenFlags flags, Task? task = null, int fd = -1)
    {
        const OpenFlags Settable = OpenFlags.Append | OpenFlags.Async | OpenFlags.Direct | OpenFlags.NoAccessTime | OpenFlags.NonBlock;
        int before;
        int after;
        do
        {
            before = Volatile.Read(ref _flags);
            after = unchecked((int)(((OpenFlags)(uint)before & ~Settable) | (flags & Settable)));
        }
        while (Interlocked.CompareExchange(ref _flags, after, before) != before);

        if (task is not null && ((before ^ after) & (int)OpenFlags.Async) != 0)
        {
            lock (_observerLock)
            {
                _signals?.Stop();
                _signals = (after & (int)OpenFlags.Async) != 0 ? SignalDrivenIo.Start(this, task.Kernel, fd) : null;
            }
        }
    }

    /// <summary>What poll(2) says now.</summary>
    public virtual PollEvents Readiness(PollEvents mask) => mask & (PollEvents.AllIn | PollEvents.AllOut);

    /// <summary>Reads at the description's offset and moves it. EAGAIN when nothing is there yet; 0 at the end.</summary>
    public virtual IoResult Read(Task? task, ref IoBuffer destination) => Errno.EINVAL;

    /// <summary>Writes at the description's offset (at the end with O_APPEND) and moves it. EAGAIN when nothing fits now.</summary>
    public virtual IoResult Write(Task? task, ref IoBuffer source) => Errno.EINVAL;

    /// <summary>Goes on with a read that said EAGAIN, of a description that is not O_NONBLOCK and has a <see cref="Queue"/>: waits until there is something. A terminal has rules of its own.</summary>
    public virtual Blocking<SyscallResult> FinishRead(Task task, IoBuffer destination) => BlockingIo.ReadLater(task, this, Queue!, destination);

    /// <summary>Reads at an offset in bytes.</summary>
    public virtual IoResult ReadAt(Task? task, ref IoBuffer destination, long offset) => Errno.ESPIPE;

    /// <summary>Writes at an offset in bytes.</summary>
    public virtual IoResult WriteAt(Task? task, ref IoBuffer source, long offset) => Errno.ESPIPE;

    /// <summary>Writes at the end of the file, wherever the description's offset is, and leaves that.</summary>
    /// <param name="task">The writer.</param>
    /// <param name="source">What.</param>
    /// <param name="end">Where the end is then, in bytes.</param>
    public virtual IoResult Append(Task? task, ref IoBuffer source, out long end)
    {
        end = 0;
        return Errno.ESPIPE;
    }

    /// <summary>lseek(2): the new offset in bytes. <paramref name="whence"/> is SEEK_SET 0, CUR 1, END 2, DATA 3, HOLE 4.</summary>
    public virtual IoResult Seek(long offset, int whence) => Errno.ESPIPE;

    /// <summary>Reads directory entries from the description's position on.</summary>
    /// <param name="context">Who.</param>
    /// <param name="sink">Takes entries until it is full.</param>
    public virtual Errno ReadDirectory(in OperationContext context, IDirectorySink sink) => Errno.ENOTDIR;

    /// <summary>ioctl(2) requests that the file itself knows; ENOTTY for the others.</summary>
    public virtual Blocking<SyscallResult> Ioctl(Task task, uint request, ulong argument) => (SyscallResult)Errno.ENOTTY;

    /// <summary>Prepares a mapping: sets <see cref="MapRequest.Source"/>, with a reference that is the caller's. ENODEV when the file cannot be mapped.</summary>
    public virtual Errno ConfigureMap(Task? task, ref MapRequest request) => Errno.ENODEV;

    /// <summary>fsync(2), or fdatasync(2) with <paramref name="dataOnly"/>.</summary>
    public virtual Errno Sync(bool dataOnly) => Errno.EINVAL;

    /// <summary>fallocate(2); the range has been checked.</summary>
    public virtual Errno Allocate(Task? task, int mode, long offset, long length) => Errno.EOPNOTSUPP;

    /// <summary>Called at each close(2) of a descriptor (flush of POSIX locks is the caller's).</summary>
    public virtual Errno OnClose(Task? task) => Errno.None;

    /// <summary>Counts one more reference. The caller holds one.</summary>
    public void Reference() => _ = Interlocked.Increment(ref _references);

    /// <summary>Counts one more reference unless the description is already being released.</summary>
    public bool TryReference()
    {
        int seen = Volatile.Read(ref _references);
        while (seen != 0)
        {
            int found = Interlocked.CompareExchange(ref _references, seen + 1, seen);
            if (found == seen)
            {
                return true;
            }

            seen = found;
        }

        return false;
    }

    /// <summary>Counts one reference less.</summary>
    public void Unreference()
    {
        if (Interlocked.Decrement(ref _references) == 0)
        {
            TellObservers();
            FileEvents.OnClosed(this);
            Inode?.Locks.ReleaseDescription(this);
            OnRelease();
            _written?.RemoveWriter();
            Path.Unreference();
        }
    }

    /// <summary>Tells an observer once the last reference is gone. The caller holds one.</summary>
    public void AddReleaseObserver(IReleaseObserver observer)
    {
        lock (_observerLock)
        {
            (_observers ??= []).Add(observer);
        }
    }

    /// <summary>Takes an observer out again.</summary>
    public void RemoveReleaseObserver(IReleaseObserver observer)
    {
        lock (_observerLock)
        {
            _ = _observers?.Remove(observer);
        }
    }

    /// <summary>Keeps a file's writer count, taken by open, until the description is released.</summary>
    public void HoldWriteAccess(Inode inode) => _written = inode;

    /// <summary>Called once, when the last reference is gone.</summary>
    protected virtual void OnRelease()
    {
    }

    private void TellObservers()
    {
        IReleaseObserver[] observers;
        lock (_observerLock)
        {
            _signals?.Stop();
            _signals = null;
            if (_observers is null)
            {
                return;
            }

            observers = [.. _observers];
            _observers = null;
        }

        foreach (IReleaseObserver observer in observers)
        {
            observer.OnDescriptionReleased(this);
        }
    }
}

/// <summary>Takes directory entries (getdents64).</summary>
public interface IDirectorySink
{
    /// <summary>Offers one entry.</summary>
    /// <param name="name">The name.</param>
    /// <param name="inode">The inode number.</param>
    /// <param name="type">The type.</param>
    /// <param name="nextOffset">The position behind this entry, for seeking.</param>
    /// <returns>False when it did not fit: stop, and offer it again next time.</returns>
    bool Add(string name, ulong inode, FileType type, long nextOffset);
}
