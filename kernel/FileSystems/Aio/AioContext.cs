// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;

namespace CVisor.FileSystems.Aio;

/// <summary>struct io_event: what an operation came to.</summary>
/// <param name="Data">The caller's mark.</param>
/// <param name="Operation">The address of its struct iocb.</param>
/// <param name="Result">Bytes, or a negative errno.</param>
/// <param name="Result2">Always 0.</param>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(32)]
public readonly record struct AioEvent(ulong Data, ulong Operation, long Result, long Result2);

/// <summary>A queue of finished operations (io_setup(2)). Operations run when they are submitted, as those of buffered files do on Linux.</summary>
public sealed class AioContext
{
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly Queue<AioEvent> _events = new();
    [GuardedBy(nameof(_lock))]
    private uint _running;
    [GuardedBy(nameof(_lock))]
    private bool _isDestroyed;
    private readonly uint _capacity;

    internal AioContext(uint capacity) => _capacity = capacity;

    /// <summary>Waits for events, and for the context's end.</summary>
    public WaitQueue Queue { get; } = new();

    /// <summary>Whether io_destroy(2) has ended it.</summary>
    public bool IsDestroyed
    {
        get
        {
            lock (_lock)
            {
                return _isDestroyed;
            }
        }
    }

    /// <summary>Takes a place for an operation; EAGAIN when there is none, EINVAL when the context is gone.</summary>
    public Errno Begin()
    {
        lock (_lock)
        {
            if (_isDestroyed)
            {
                return Errno.EINVAL;
            }

            if (_running + (ulong)_events.Count >= _capacity)
            {
                return Errno.EAGAIN;
            }

            _running++;
            return Errno.None;
        }
    }

    /// <summary>An operation was refused after all.</summary>
    public void Cancel()
    {
        lock (_lock)
        {
            _running--;
        }
    }

    /// <summary>An operation is finished.</summary>
    public void Finish(in AioEvent finished)
    {
        lock (_lock)
        {
            _running--;
            _events.Enqueue(finished);
        }

        Queue.Notify(PollEvents.AllIn);
    }

    /// <summary>Takes the oldest event; false when there is none.</summary>
    public bool TryTake(out AioEvent finished)
    {
        lock (_lock)
        {
            return _events.TryDequeue(out finished);
        }
    }

    internal void Destroy()
    {
        lock (_lock)
        {
            _isDestroyed = true;
        }

        Queue.NotifyAll(PollEvents.Any);
    }
}

/// <summary>The contexts of an address space, by the addresses that name them. They end with it.</summary>
public sealed class AioContexts
{
    /// <summary>The most events that all contexts of an address space may hold (fs.aio-max-nr).</summary>
    public const uint MaximumEvents = 65536;

    private static readonly ConditionalWeakTable<MemoryManager, AioContexts> s_all = [];
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly Dictionary<ulong, (AioContext Context, uint Capacity)> _contexts = [];
    [GuardedBy(nameof(_lock))]
    private uint _events;

    /// <summary>Those of an address space.</summary>
    public static AioContexts Of(MemoryManager memory) => s_all.GetOrCreateValue(memory);

    /// <summary>Makes a context; EAGAIN when there are too many events.</summary>
    /// <param name="address">The address that names it: mapped for it, and nobody else's.</param>
    /// <param name="capacity">How many operations may be under way or not fetched.</param>
    public Errno Add(ulong address, uint capacity)
    {
        lock (_lock)
        {
            if (capacity > MaximumEvents - _events)
            {
                return Errno.EAGAIN;
            }

            // What was there before has been unmapped by the guest.
            if (_contexts.TryGetValue(address, out (AioContext Context, uint Capacity) old))
            {
                _events -= old.Capacity;
            }

            _events += capacity;
            _contexts[address] = (new AioContext(capacity), capacity);
            return Errno.None;
        }
    }

    /// <summary>The context of an address, or null.</summary>
    public AioContext? Find(ulong address)
    {
        lock (_lock)
        {
            return _contexts.TryGetValue(address, out (AioContext Context, uint Capacity) found) ? found.Context : null;
        }
    }

    /// <summary>Ends a context; false when there is none of this address.</summary>
    public bool Remove(ulong address)
    {
        (AioContext Context, uint Capacity) removed;
        lock (_lock)
        {
            if (!_contexts.Remove(address, out removed))
            {
                return false;
            }

            _events -= removed.Capacity;
        }

        removed.Context.Destroy();
        return true;
    }
}
