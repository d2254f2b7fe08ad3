// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Inotify;

/// <summary>An inotify instance (inotify(7)): watches, and the events that were not read yet.</summary>
/// <remarks>Lock order: <see cref="_lock"/> is a leaf. Watches are hooked to inodes, and off them, without it.</remarks>
public sealed class InotifyDescription : FileDescription
{
    /// <summary>Everything that can be asked for (IN_ALL_EVENTS).</summary>
    public const FileEventMask AllEvents = (FileEventMask)0xfff;

    /// <summary>Events kept before IN_Q_OVERFLOW (fs.inotify.max_queued_events).</summary>
    public const int MaximumEvents = 16384;

    /// <summary>Watches of one instance (fs.inotify.max_user_watches).</summary>
    public const int MaximumWatches = 65536;

    // struct inotify_event: wd, mask, cookie, len; then the name, padded to a multiple of this.
    private const int HeaderBytes = 16;
    private const uint Fionread = 0x541b;

    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly Queue<Event> _events = new();
    [GuardedBy(nameof(_lock))]
    private readonly Dictionary<int, InotifyWatch> _byNumber = [];
    [GuardedBy(nameof(_lock))]
    private readonly Dictionary<Inode, InotifyWatch> _byInode = [];
    [GuardedBy(nameof(_lock))]
    private Event _last;
    [GuardedBy(nameof(_lock))]
    private int _lastNumber;
    [GuardedBy(nameof(_lock))]
    private int _bytes;

    /// <summary>Makes an instance.</summary>
    /// <param name="flags">O_NONBLOCK.</param>
    public InotifyDescription(OpenFlags flags)
        : base(default, flags)
    {
    }

    /// <inheritdoc/>
    public override Inode Inode => AnonymousFileSystem.SharedInode;

    /// <inheritdoc/>
    public override WaitQueue Queue { get; } = new();

    /// <inheritdoc/>
    public override string AnonymousName => "anon_inode:inotify";

    /// <summary>Watches a file, or changes what its watch tells.</summary>
    /// <param name="inode">The file.</param>
    /// <param name="mask">Events and <see cref="InotifyOptions"/>, checked.</param>
    /// <param name="number">The watch descriptor.</param>
    /// <returns>None; EEXIST with IN_MASK_CREATE; ENOSPC.</returns>
    public Errno Watch(Inode inode, uint mask, out int number)
    {
        InotifyOptions options = (InotifyOptions)mask;
        uint kept = mask & ((uint)AllEvents | (uint)(InotifyOptions.ExcludeUnlinked | InotifyOptions.OneShot));
        InotifyWatch watch;
        lock (_lock)
        {
            if (_byInode.TryGetValue(inode, out InotifyWatch? existing))
            {
                number = existing.Number;
                if ((options & InotifyOptions.MaskCreate) != 0)
                {
                    return Errno.EEXIST;
                }

                existing.Mask = (options & InotifyOptions.MaskAdd) != 0 ? existing.Mask | kept : kept;
                return Errno.None;
            }

            number = -1;
            if (_byNumber.Count >= MaximumWatches)
            {
                return Errno.ENOSPC;
            }

            do
            {
                _lastNumber = _lastNumber == int.MaxValue ? 1 : _lastNumber + 1;
            }
            while (_byNumber.ContainsKey(_lastNumber));
            number = _lastNumber;
            watch = new InotifyWatch(this, number, inode, kept);
            _byNumber.Add(number, watch);
            _byInode.Add(inode, watch);
        }

        FileEvents.Watch(inode, watch);
        return Errno.None;
    }

    /// <summary>Ends a watch (inotify_rm_watch(2)); EINVAL when there is none of this number.</summary>
    public Errno Unwatch(int number)
    {
        InotifyWatch? watch;
        lock (_lock)
        {
            _ = _byNumber.TryGetValue(number, out watch);
        }

        return watch is not null && Remove(watch) ? Errno.None : Errno.EINVAL;
    }

    /// <summary>What /proc/PID/fdinfo tells of the watches.</summary>
    public IReadOnlyList<(int Number, Inode Inode, uint Mask)> ReportWatches()
    {
        List<(int, Inode, uint)> report = [];
        lock (_lock)
        {
            foreach (InotifyWatch watch in _byNumber.Values)
            {
                report.Add((watch.Number, watch.Inode, watch.Mask));
            }
        }

        return report;
    }

    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination)
    {
        long total = 0;
        byte[] bytes = new byte[HeaderBytes + PathWalker.MaximumName + 1];
        while (true)
        {
            int length;
            lock (_lock)
            {
                if (!_events.TryPeek(out Event next))
                {
                    return total > 0 ? total : Errno.EAGAIN;
                }

                length = next.Bytes;
                if (length > destination.Remaining)
                {
                    return total > 0 ? total : Errno.EINVAL;
                }

                _ = _events.Dequeue();
                _bytes -= length;
                next.Write(bytes);
            }

            Errno error = destination.CopyOut(bytes.AsSpan(0, length), out _);
            if (error != Errno.None)
            {
                return total > 0 ? total : error; // As Linux: the event is lost.
            }

            total += length;
        }
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        lock (_lock)
        {
            return _events.Count > 0 ? mask & PollEvents.AllIn : PollEvents.None;
        }
    }

    /// <inheritdoc/>
    public override Blocking<SyscallResult> Ioctl(Task task, uint request, ulong argument)
    {
        if (request != Fionread)
        {
            return (SyscallResult)Errno.ENOTTY;
        }

        int bytes;
        lock (_lock)
        {
            bytes = _bytes;
        }

        return (SyscallResult)task.Memory.CopyOut(new UserPtr(argument), bytes);
    }

    /// <summary>Keeps an event, unless it equals the one before, which nobody read yet.</summary>
    internal void Enqueue(int number, FileEventMask mask, uint cookie, string? name)
    {
        Event made = new(number, mask, cookie, name);
        lock (_lock)
        {
            if (_events.Count > 0 && _last.IsSameAs(made))
            {
                return;
            }

            if (_events.Count >= MaximumEvents)
            {
                made = new Event(-1, FileEventMask.Overflow, 0, null);
                if (_last.IsSameAs(made))
                {
                    return;
                }
            }

            _events.Enqueue(made);
            _last = made;
            _bytes += made.Bytes;
        }

        Queue.Notify(PollEvents.AllIn);
    }

    /// <summary>Takes a watch away, and tells that it is gone (IN_IGNORED); false when it is gone already.</summary>
    internal bool Remove(InotifyWatch watch)
    {
        lock (_lock)
        {
            if (!_byNumber.TryGetValue(watch.Number, out InotifyWatch? found) || found != watch)
            {
                return false;
            }

            _ = _byNumber.Remove(watch.Number);
            _ = _byInode.Remove(watch.Inode);
        }

        Enqueue(watch.Number, FileEventMask.Ignored, 0, null);
        FileEvents.Unwatch(watch.Inode, watch);
        return true;
    }

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        InotifyWatch[] watches;
        lock (_lock)
        {
            watches = [.. _byNumber.Values];
        }

        foreach (InotifyWatch watch in watches)
        {
            _ = Remove(watch);
        }
    }

    private readonly record struct Event(int Number, FileEventMask Mask, uint Cookie, string? Name)
    {
        private int NameBytes => Name is null ? 0 : (Name.Length + HeaderBytes) / HeaderBytes * HeaderBytes;

        internal int Bytes => HeaderBytes + NameBytes;

        /// <summary>Whether two events say the same; the halves of different moves do not differ by their cookies (event_compare()).</summary>
        internal bool IsSameAs(in Event other) => Number == other.Number && Mask == other.Mask && string.Equals(Name, other.Name, StringComparison.Ordinal);

        internal void Write(Span<byte> bytes)
        {
            bytes[..Bytes].Clear();
            BinaryPrimitives.WriteInt32LittleEndian(bytes, Number);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[4..], (uint)Mask);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], Cookie);
            BinaryPrimitives.WriteInt32LittleEndian(bytes[12..], NameBytes);
            if (Name is not null)
            {
                _ = KernelString.ToBytes(Name, bytes[HeaderBytes..]);
            }
        }
    }
}
