// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Namespaces;
using CVisor.Core.Tasks;

namespace CVisor.Core.Ipc;

/// <summary>A System V shared memory segment (shmget(2)).</summary>
public sealed class SharedMemorySegment : IpcObject
{
    /// <summary>SHM_DEST in the mode that IPC_STAT tells: removed, still attached.</summary>
    public const uint DestroyedMode = 0x200;

    /// <summary>SHM_LOCKED likewise.</summary>
    public const uint LockedMode = 0x400;

    private const ulong PageSize = MemoryManager.PageSize;
    private readonly SandboxMemory _memory;
    private readonly IpcTable<SharedMemorySegment> _table;
    private readonly ulong _offset;
    private readonly ulong _pageBytes;
    [GuardedBy(nameof(Lock))]
    private int _attachments;
    [GuardedBy(nameof(Lock))]
    private bool _isFreed;

    private SharedMemorySegment(Task creator, int key, uint mode, ulong length, ulong offset, ulong pageBytes)
        : base(creator, key, mode)
    {
        _memory = creator.Kernel.Memory;
        _table = creator.Namespaces.Ipc.SharedMemory;
        _offset = offset;
        _pageBytes = pageBytes;
        LengthBytes = length;
        CreatorPid = creator.ThreadGroup.Pid;
        Source = new Pages(this);
    }

    /// <summary>The size that was asked for.</summary>
    public ulong LengthBytes { get; }

    /// <summary>What a mapping maps.</summary>
    public MemorySource Source { get; }

    /// <summary>Who made it.</summary>
    public int CreatorPid { get; }

    /// <summary>Who attached or detached last.</summary>
    public int LastPid { get; private set; }

    /// <summary>Last shmat, in seconds since the epoch.</summary>
    public long AttachSeconds { get; private set; }

    /// <summary>Last shmdt.</summary>
    public long DetachSeconds { get; private set; }

    /// <summary>How many mappings there are.</summary>
    public int Attachments
    {
        get
        {
            lock (Lock)
            {
                return _attachments;
            }
        }
    }

    /// <summary>Makes a segment of zeros.</summary>
    /// <returns>None, or ENOMEM.</returns>
    public static Errno Create(Task creator, int key, uint mode, ulong length, out SharedMemorySegment? segment)
    {
        segment = null;
        ulong pageBytes = (length + PageSize - 1) & ~(PageSize - 1);
        Errno error = creator.Kernel.Memory.Allocate(pageBytes, out ulong offset);
        if (error == Errno.None)
        {
            segment = new SharedMemorySegment(creator, key, mode, length, offset, pageBytes);
        }

        return error;
    }

    /// <summary>shmat(2): maps the segment.</summary>
    /// <param name="task">Into whose memory.</param>
    /// <param name="address">Where, page aligned; 0 for anywhere.</param>
    /// <param name="access">What for.</param>
    /// <param name="maximum">What mprotect(2) may allow.</param>
    /// <param name="replaces">SHM_REMAP.</param>
    /// <param name="mapped">Where it lies.</param>
    /// <returns>None; EINVAL when something lies there; ENOMEM; EIDRM.</returns>
    public Errno Attach(Task task, ulong address, Platforms.MemoryAccess access, Platforms.MemoryAccess maximum, bool replaces, out UserPtr mapped)
    {
        mapped = default;
        lock (Lock)
        {
            if (_isFreed)
            {
                return Errno.EIDRM;
            }

            // Held while the mapping is made.
            _attachments++;
        }

        MapRequest request = new() { Length = LengthBytes, Access = access, MaximumAccess = maximum, IsShared = true, Source = Source };
        Placement placement = address == 0 ? Placement.Hint : replaces ? Placement.Fixed : Placement.FixedNoReplace;
        Errno error = task.Memory.Map(request, address, placement, growsDown: false, populate: false, out mapped);
        lock (Lock)
        {
            LastPid = task.ThreadGroup.Pid;
            AttachSeconds = error == Errno.None ? NowSeconds : AttachSeconds;
        }

        Detach();
        return error == Errno.EEXIST ? Errno.EINVAL : error;
    }

    /// <summary>shmdt(2): unmaps the segment that is attached at an address.</summary>
    /// <returns>None, or EINVAL when none is.</returns>
    public static Errno Detach(Task task, UserPtr address)
    {
        if (task.Memory.FindAttachment(address) is not Pages { Segment: { } segment } source)
        {
            return Errno.EINVAL;
        }

        task.Memory.UnmapAttachment(address, source, segment._pageBytes);
        lock (segment.Lock)
        {
            segment.LastPid = task.ThreadGroup.Pid;
        }

        return Errno.None;
    }

    /// <summary>SHM_LOCK and SHM_UNLOCK: remembered; nothing is ever swapped.</summary>
    public void SetLocked(bool isLocked)
    {
        lock (Lock)
        {
            Mode = isLocked ? Mode | LockedMode : Mode & ~LockedMode;
        }
    }

    /// <summary>IPC_RMID: a segment in use stays, without its key, until the last one lets go.</summary>
    public void Destroy()
    {
        bool isUsed;
        lock (Lock)
        {
            Mode |= DestroyedMode;
            isUsed = _attachments > 0;
        }

        if (isUsed)
        {
            _table.DropKey(this);
        }
        else
        {
            _table.Remove(this);
        }
    }

    private protected override void OnRemoved()
    {
        lock (Lock)
        {
            if (_attachments > 0 || _isFreed)
            {
                return;
            }

            _isFreed = true;
        }

        _memory.Unreference(_offset, _pageBytes);
    }

    private void Detach()
    {
        bool isLast;
        lock (Lock)
        {
            DetachSeconds = NowSeconds;
            isLast = --_attachments == 0 && (Mode & DestroyedMode) != 0;
        }

        if (isLast)
        {
            _table.Remove(this);
        }
    }

    /// <summary>The segment's pages.</summary>
    private sealed class Pages(SharedMemorySegment segment) : MemorySource
    {
        internal SharedMemorySegment Segment => segment;

        /// <inheritdoc/>
        public override Errno GetMemory(ulong offset, ulong maximumLength, bool write, out MemoryExtent extent)
        {
            if (offset >= segment._pageBytes)
            {
                extent = default;
                return Errno.ENXIO;
            }

            ulong length = Math.Min(maximumLength, segment._pageBytes - offset);
            segment._memory.Reference(segment._offset + offset, length);
            extent = new MemoryExtent(segment._memory, segment._offset + offset, length);
            return Errno.None;
        }

        /// <inheritdoc/>
        public override void Reference()
        {
            lock (segment.Lock)
            {
                segment._attachments++;
            }
        }

        /// <inheritdoc/>
        public override void Unreference() => segment.Detach();

        /// <inheritdoc/>
        public override bool TryDescribe(out ulong device, out ulong inode, out string path)
        {
            device = 1;
            inode = (ulong)segment.Id;
            path = "/SYSV" + segment.Key.ToString("x8", System.Globalization.CultureInfo.InvariantCulture);
            return true;
        }
    }
}
