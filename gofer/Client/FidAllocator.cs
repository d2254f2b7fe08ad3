// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Gofer.Protocol;

namespace CVisor.Gofer.Client;

/// <summary>Numbers for fids: small ones, reused, and those that wait to be clunked together.</summary>
internal sealed class FidAllocator
{
    // Enough that clunks cost nothing, few enough that the gofer's descriptors go soon.
    private const int BatchSize = 32;

    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private uint[] _free = new uint[64];
    [GuardedBy(nameof(_lock))]
    private int _freeCount;
    [GuardedBy(nameof(_lock))]
    private uint _next = 1;
    [GuardedBy(nameof(_lock))]
    private readonly uint[] _dropped = new uint[BatchSize];
    [GuardedBy(nameof(_lock))]
    private int _droppedCount;

    /// <summary>A number that no fid has; false when there is none.</summary>
    public bool TryTake(out uint fid)
    {
        lock (_lock)
        {
            if (_freeCount > 0)
            {
                fid = _free[--_freeCount];
                return true;
            }

            fid = _next;
            if (_next >= NinePLimits.MaxFids)
            {
                return false;
            }

            _next++;
            return true;
        }
    }

    /// <summary>Gives back a number that the gofer has no fid for.</summary>
    public void Return(uint fid)
    {
        lock (_lock)
        {
            ReturnLocked(fid);
        }
    }

    /// <summary>Gives back numbers that the gofer has no fids for.</summary>
    public void Return(ReadOnlySpan<uint> fids)
    {
        lock (_lock)
        {
            foreach (uint fid in fids)
            {
                ReturnLocked(fid);
            }
        }
    }

    /// <summary>Puts a fid among those to be clunked. When a batch is full it is moved to <paramref name="batch"/>, and the value is its length.</summary>
    /// <param name="fid">The fid.</param>
    /// <param name="batch">Room for a batch (<see cref="BatchRoom"/>).</param>
    public int Drop(uint fid, Span<uint> batch)
    {
        lock (_lock)
        {
            _dropped[_droppedCount++] = fid;
            return _droppedCount < BatchSize ? 0 : TakeDroppedLocked(batch);
        }
    }

    /// <summary>Moves all fids that wait to be clunked to <paramref name="batch"/>; the value is how many.</summary>
    public int TakeDropped(Span<uint> batch)
    {
        lock (_lock)
        {
            return TakeDroppedLocked(batch);
        }
    }

    /// <summary>How many fids one batch holds.</summary>
    public const int BatchRoom = BatchSize;

    [RequiresLock(nameof(_lock))]
    private int TakeDroppedLocked(Span<uint> batch)
    {
        int count = _droppedCount;
        _dropped.AsSpan(0, count).CopyTo(batch);
        _droppedCount = 0;
        return count;
    }

    [RequiresLock(nameof(_lock))]
    private void ReturnLocked(uint fid)
    {
        if (_freeCount == _free.Length)
        {
            Array.Resize(ref _free, _free.Length * 2);
        }

        _free[_freeCount++] = fid;
    }
}
