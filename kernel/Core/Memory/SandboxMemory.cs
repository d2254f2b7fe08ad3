// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Host;

namespace CVisor.Core.Memory;

/// <summary>The sandbox's own memory: one memfd that all anonymous and in-memory pages of all guests lie in, mapped here in one piece.</summary>
/// <remarks>
/// Ranges are handed out with a reference count per page; a page whose count drops to zero is given back to the host (a hole is punched, so it reads as
/// zeros when it is handed out again). Handing out costs nothing: the host commits a page when it is touched.
/// A few pages of small ranges are kept instead (<see cref="_kept"/>): clearing one when it is handed out again costs a tenth of what its way to the host and back does.
/// </remarks>
public sealed class SandboxMemory : MemoryFile
{
    private const int ProtRead = 1, ProtWrite = 2, MapShared = 1, MapNoReserve = 0x4000;
    private const int FallocKeepSize = 1, FallocPunchHole = 2;
    private const ulong PageSize = 4096;
    private const int ChunkPages = 16384;

    /// <summary>How many pages are kept at most, and of what ranges.</summary>
    private const int MostKeptPages = 192, KeptRangePages = 16;

    // The host commits what is touched, so a large piece only saves faults.
    private const ulong LargePieceBytes = 4UL << 20, SmallPieceBytes = 64UL << 10;
    private readonly Lock _lock = new();
    private readonly nuint _base;
    private readonly ulong _sizeBytes;
    [GuardedBy(nameof(_lock))]
    private readonly List<int[]> _counts = [];
    [GuardedBy(nameof(_lock))]
    private readonly SortedSet<(ulong Length, ulong Offset)> _freeBySize = [];
    [GuardedBy(nameof(_lock))]
    private readonly SortedDictionary<ulong, ulong> _freeByOffset = [];
    private readonly Dictionary<ulong, ulong> _freeByEnd = [];
    [GuardedBy(nameof(_lock))]
    private ulong _top;
    private long _usedPages;

    /// <summary>Freed ranges that have not been given back, the oldest first; and how many pages that is.</summary>
    [GuardedBy(nameof(_lock))]
    private readonly List<(ulong Offset, ulong End)> _kept = [];
    [GuardedBy(nameof(_lock))]
    private int _keptPages;

    private SandboxMemory(int fd, nuint address, ulong sizeBytes)
        : base(fd) => (_base, _sizeBytes) = (address, sizeBytes);

    /// <summary>Pages handed out now, in bytes: an upper bound of what is committed.</summary>
    public long UsedBytes => Volatile.Read(ref _usedPages) * (long)PageSize;

    /// <summary>The most that may be committed, in bytes: beyond it <see cref="Allocate"/> says ENOMEM.</summary>
    public ulong LimitBytes { get; set; } = ulong.MaxValue;

    /// <summary>How far the kernel's own copies may go beyond the limit while somebody is being killed, in bytes: a call that is half done cannot wait for that.</summary>
    public ulong OverdraftBytes { get; set; }

    /// <summary>Whether what is handed out could, touched to the last page, go beyond the limit: then pieces are small and somebody has to watch.</summary>
    public bool IsOvercommitted => (ulong)UsedBytes > LimitBytes;

    /// <summary>How much is best handed out at once for anonymous memory, in bytes: a lot while it cannot go beyond the limit, little afterwards.</summary>
    internal ulong PieceBytes => (ulong)UsedBytes + LargePieceBytes > LimitBytes ? SmallPieceBytes : LargePieceBytes;

    /// <summary>What the host has committed, in bytes.</summary>
    public ulong CommittedBytes
    {
        get
        {
            const ulong BlockBytes = 512;
            HostStat stat = default;
            return HostCalls.Fstat(HostFd, ref stat).IsError ? 0 : (ulong)stat.Blocks * BlockBytes;
        }
    }

    /// <summary>Makes the memory.</summary>
    /// <param name="sizeBytes">The most that can ever be handed out; only address space.</param>
    [StartUp("Made once, before the first guest runs.")]
    public static SandboxMemory Create(ulong sizeBytes = 1UL << 38)
    {
        int fd = HostCalls.MemfdCreate("cvisor-memory\0"u8, 1).OrThrow("create the sandbox memory file").Int;
        return Adopt(fd, sizeBytes);
    }

    /// <summary>Makes memory of a file of the host: what is kept there takes its file system's space, not memory.</summary>
    /// <param name="fd">An empty file that nobody else uses; taken over.</param>
    /// <param name="sizeBytes">The most that can ever be handed out; the file stays sparse.</param>
    [StartUp("Made once, before the first guest runs.")]
    public static SandboxMemory Adopt(int fd, ulong sizeBytes = 1UL << 38)
    {
        _ = HostCalls.Ftruncate(fd, (long)sizeBytes).OrThrow("size the sandbox memory file");
        nuint address = (nuint)HostCalls.Mmap(0, (nuint)sizeBytes, ProtRead | ProtWrite, MapShared | MapNoReserve, fd, 0).OrThrow("map the sandbox memory file").Value;
        return new SandboxMemory(fd, address, sizeBytes);
    }

    /// <summary>Hands out a contiguous, zeroed range with one reference on each page.</summary>
    /// <param name="lengthBytes">Whole pages.</param>
    /// <param name="offset">Where it lies.</param>
    /// <param name="overdraftBytes">How far it may go beyond the limit.</param>
    /// <returns>None or ENOMEM.</returns>
    public Errno Allocate(ulong lengthBytes, out ulong offset, ulong overdraftBytes = 0) => Allocate(lengthBytes, out offset, out _, overdraftBytes);

    /// <summary>Hands out a contiguous, zeroed range with one reference on each page.</summary>
    /// <param name="lengthBytes">Whole pages.</param>
    /// <param name="offset">Where it lies.</param>
    /// <param name="isThere">Whether the host has committed all of it.</param>
    /// <param name="overdraftBytes">How far it may go beyond the limit.</param>
    /// <returns>None or ENOMEM.</returns>
    public Errno Allocate(ulong lengthBytes, out ulong offset, out bool isThere, ulong overdraftBytes = 0)
    {
        isThere = false;
        lock (_lock)
        {
            // A long range is committed bit by bit, if ever; only its beginning must have room.
            if ((ulong)UsedBytes + lengthBytes + ((ulong)_keptPages * PageSize) > LimitBytes)
            {
                GiveBackLocked(0);
            }

            if ((ulong)UsedBytes + lengthBytes > LimitBytes && CommittedBytes + Math.Min(lengthBytes, SmallPieceBytes) > LimitBytes + overdraftBytes)
            {
                offset = 0;
                return Errno.ENOMEM;
            }

            foreach ((ulong length, ulong start) in _freeBySize.GetViewBetween((lengthBytes, 0), (ulong.MaxValue, ulong.MaxValue)))
            {
                RemoveFreeLocked(start, length);
                if (length > lengthBytes)
                {
                    AddFreeLocked(start + lengthBytes, length - lengthBytes);
                }

                offset = start;
                isThere = SetCountsLocked(start, lengthBytes);
                return Errno.None;
            }

            if (_sizeBytes - _top < lengthBytes)
            {
                offset = 0;
                return Errno.ENOMEM;
            }

            offset = _top;
            _top += lengthBytes;
            isThere = SetCountsLocked(offset, lengthBytes);
            return Errno.None;
        }
    }

    /// <inheritdoc/>
    public override nuint GetAddress(ulong offset, ulong length, out ulong available)
    {
        available = length;
        return _base + (nuint)offset;
    }

    /// <inheritdoc/>
    public override void Reference(ulong offset, ulong length)
    {
        lock (_lock)
        {
            for (ulong page = offset / PageSize; page < (offset + length) / PageSize; page++)
            {
                CountLocked(page)++;
            }
        }
    }

    /// <inheritdoc/>
    public override void Unreference(ulong offset, ulong length)
    {
        lock (_lock)
        {
            ulong end = (offset + length) / PageSize;
            ulong runStart = ulong.MaxValue;
            for (ulong page = offset / PageSize; page < end; page++)
            {
                if (--CountLocked(page) == 0)
                {
                    if (runStart == ulong.MaxValue)
                    {
                        runStart = page;
                    }
                }
                else if (runStart != ulong.MaxValue)
                {
                    FreeLocked(runStart * PageSize, (page - runStart) * PageSize);
                    runStart = ulong.MaxValue;
                }
            }

            if (runStart != ulong.MaxValue)
            {
                FreeLocked(runStart * PageSize, (end - runStart) * PageSize);
            }
        }
    }

    /// <inheritdoc/>
    public override bool IsExclusive(ulong offset, ulong length)
    {
        lock (_lock)
        {
            for (ulong page = offset / PageSize; page < (offset + length) / PageSize; page++)
            {
                if (CountLocked(page) != 1)
                {
                    return false;
                }
            }

            return true;
        }
    }

    /// <summary>Gives the pages of a range back to the host; they read as zeros afterwards. References stay.</summary>
    public void Decommit(ulong offset, ulong length) =>
        _ = HostCalls.Fallocate(HostFd, FallocPunchHole | FallocKeepSize, (long)offset, (long)length);

    /// <summary>Gives what is kept back to the host: nobody asks for it.</summary>
    public void GiveBack()
    {
        lock (_lock)
        {
            GiveBackLocked(0);
        }
    }

    [RequiresLock(nameof(_lock))]
    private void GiveBackLocked(int remaining)
    {
        int given = 0;
        for (; _keptPages > remaining; given++)
        {
            (ulong offset, ulong end) = _kept[given];
            Decommit(offset, end - offset);
            _keptPages -= (int)((end - offset) / PageSize);
        }

        _kept.RemoveRange(0, given);
    }

    [RequiresLock(nameof(_lock))]
    private void KeepLocked(ulong offset, ulong length)
    {
        int pages = (int)(length / PageSize);
        GiveBackLocked(MostKeptPages - pages);
        _kept.Add((offset, offset + length));
        _keptPages += pages;
    }

    /// <summary>Clears what is kept of a range that is handed out.</summary>
    [RequiresLock(nameof(_lock))]
    private void ClearKeptLocked(ulong offset, ulong end)
    {
        for (int i = _kept.Count - 1; i >= 0; i--)
        {
            (ulong from, ulong to) = _kept[i];
            ulong first = Math.Max(from, offset);
            ulong last = Math.Min(to, end);
            if (first >= last)
            {
                continue;
            }

            if (!SafeMemory.Zero(_base + (nuint)first, (nuint)(last - first)))
            {
                Decommit(first, last - first);
            }

            _keptPages -= (int)((last - first) / PageSize);
            _kept.RemoveAt(i);
            if (from < first)
            {
                _kept.Insert(i, (from, first));
            }

            if (last < to)
            {
                _kept.Insert(i, (last, to));
            }
        }
    }

    [RequiresLock(nameof(_lock))]
    private void FreeLocked(ulong offset, ulong length)
    {
        _usedPages -= (long)(length / PageSize);
        if (length <= KeptRangePages * PageSize)
        {
            KeepLocked(offset, length);
        }
        else
        {
            Decommit(offset, length);
        }

        if (_freeByEnd.TryGetValue(offset, out ulong before))
        {
            RemoveFreeLocked(before, offset - before);
            length += offset - before;
            offset = before;
        }

        if (_freeByOffset.TryGetValue(offset + length, out ulong behind))
        {
            RemoveFreeLocked(offset + length, behind);
            length += behind;
        }

        if (offset + length == _top)
        {
            _top = offset;
            return;
        }

        AddFreeLocked(offset, length);
    }

    [RequiresLock(nameof(_lock))]
    private void AddFreeLocked(ulong offset, ulong length)
    {
        _ = _freeBySize.Add((length, offset));
        _freeByOffset.Add(offset, length);
        _freeByEnd.Add(offset + length, offset);
    }

    [RequiresLock(nameof(_lock))]
    private void RemoveFreeLocked(ulong offset, ulong length)
    {
        _ = _freeBySize.Remove((length, offset));
        _ = _freeByOffset.Remove(offset);
        _ = _freeByEnd.Remove(offset + length);
    }

    [RequiresLock(nameof(_lock))]
    private bool SetCountsLocked(ulong offset, ulong length)
    {
        int kept = _keptPages;
        ulong end = (offset + length) / PageSize;
        if (_keptPages > 0)
        {
            ClearKeptLocked(offset, offset + length);
        }

        for (ulong page = offset / PageSize; page < end; page++)
        {
            CountLocked(page) = 1;
        }

        _usedPages += (long)(length / PageSize);
        return (ulong)(kept - _keptPages) == length / PageSize;
    }

    [RequiresLock(nameof(_lock))]
    private ref int CountLocked(ulong page)
    {
        int chunk = (int)(page / ChunkPages);
        while (_counts.Count <= chunk)
        {
            _counts.Add([]);
        }

        if (_counts[chunk].Length == 0)
        {
            _counts[chunk] = new int[ChunkPages];
        }

        return ref _counts[chunk][(int)(page % ChunkPages)];
    }
}
