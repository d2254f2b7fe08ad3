// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Host;
using static CVisor.Platforms.Systrap.SystrapLayout;

namespace CVisor.Platforms.Systrap;

/// <summary>A host thread of a stub process. It runs one guest thread at a time and takes the next one when that has stopped for longer.</summary>
/// <remarks>
/// Orders go by its line, which guests can only read; what it tells lies in its block, where a guest can write: a forged word harms the guest's own process.
/// Whoever holds the context that it is attached to gives orders, or, while it is idle, whoever holds its space's lock.
/// </remarks>
internal sealed class Carrier
{
    private readonly SystrapAddressSpace _space;
    private readonly SharedRegion _region;
    private readonly ulong _line;
    private readonly ulong _block;
    private Carrier? _toWake;
    private int _sequence;
    private int _wakeSequence;

    /// <summary>The carrier whose block and line are prepared; the thread may not exist yet.</summary>
    internal Carrier(SystrapAddressSpace space, int index, int line)
    {
        _space = space;
        _region = space.Region;
        _line = LineAt(line);
        _block = BlockAt(space.Part, index);
        BlockAddress = _region.Address + CarriersOffset + ((ulong)index * CarrierSize);
    }

    /// <summary>Prepares the block and the line of a carrier to be.</summary>
    internal static void Prepare(SharedRegion region, ulong part, int index, int line)
    {
        ulong block = BlockAt(part, index);
        region.Bytes(LineAt(line), (int)LineSize).Clear();
        region.Bytes(block, CarrierStackOffset).Clear();
        region.Quad(block + CarrierLine) = region.Address + LineAt(line);
        region.Quad(block + CarrierStack) = region.Address + CarriersOffset + ((ulong)index * CarrierSize) + CarrierStackOffset;
        region.Quad(block + CarrierStack + 16) = CarrierSize - CarrierStackOffset;
    }

    /// <summary>The line's address in every stub.</summary>
    internal ulong LineAddress => _region.Address + _line;

    /// <summary>The block's address in its own process.</summary>
    internal ulong BlockAddress { get; }

    /// <summary>The host's thread id, in the Sentry's PID namespace.</summary>
    internal int Tid { get; set; }

    /// <summary>Whose extended registers it has, unless they are saved.</summary>
    internal SystrapContext? Loaded { get; private set; }

    /// <summary>Whether it waits in the host, and needs a call to be woken.</summary>
    internal bool IsAsleep => Volatile.Read(ref _region.Word(_block + CarrierAsleep)) != 0;

    /// <summary>Whether it has taken its last order.</summary>
    internal bool HasTaken => Volatile.Read(ref _region.Word(_block + CarrierSeen)) == _sequence;

    /// <summary>Has it stop before it runs any guest code by the next order.</summary>
    internal void InterruptFirst() => _ = Interlocked.Exchange(ref _region.Word(_block + CarrierInterrupt), 1);

    /// <summary>Has it run a guest thread. It may have to be woken.</summary>
    internal void Run(SystrapContext context, int flags)
    {
        Loaded = context;
        _region.Quad(_line + LineSlot) = context.GuestAddress;
        _region.Word(_line + LineFlags) = flags;
        Order(RunOrder);
    }

    /// <summary>Has it put the loaded thread's extended registers into the slot.</summary>
    internal void Save()
    {
        Order(SaveOrder);
        if (IsAsleep)
        {
            Wake(); // Only a forged word says so: one that sleeps has saved.
        }
    }

    /// <summary>Has it wake another one, in whatever process, and sleep itself: a switch on one processor.</summary>
    internal void WakeInstead(Carrier other)
    {
        _toWake = other;
        WakeWord(other.LineAddress);
    }

    /// <summary>Has it wake who sleeps on a word of its own process or of all, and sleep itself.</summary>
    internal void WakeWord(ulong address)
    {
        _region.Quad(_line + LineWake) = address;
        Order(WakeOrder);
        _wakeSequence = _sequence;
    }

    /// <summary>Has it make a further carrier.</summary>
    /// <returns>The new thread's id, or the error.</returns>
    internal HostResult Make(Carrier other, ulong flags)
    {
        _region.Quad(_line + LineBlock) = other.BlockAddress;
        _region.Quad(_line + LineClone) = flags;
        Order(MakeOrder);
        if (IsAsleep)
        {
            Wake();
        }

        return _region.AwaitWord(_block + CarrierDone, _sequence, _space) ? new HostResult(unchecked((long)Volatile.Read(ref _region.Quad(_block + CarrierResult)))) : new HostResult(-(long)HostErrno.ESRCH);
    }

    /// <summary>Wakes it if it sleeps.</summary>
    internal void Wake() => _ = HostCalls.FutexWakeShared(_region.At(_line), 1);

    private static ulong LineAt(int line) => LinesOffset + ((ulong)line * LineSize);

    private static ulong BlockAt(ulong part, int index) => part + CarriersInSpace + ((ulong)index * CarrierSize);

    private void Order(int order)
    {
        if (_toWake is { } other)
        {
            // The order before this one: it must not be lost.
            _toWake = null;
            if (Volatile.Read(ref _region.Word(_block + CarrierDone)) != _wakeSequence)
            {
                other.Wake();
            }
        }

        // One word says that there is an order and which: nobody waits until an order to wake was taken, and the next must not be read in its place.
        _sequence = unchecked(((_sequence & ~OrderMask) + OrderStep) | order);
        _ = Interlocked.Exchange(ref _region.Word(_line + LineSequence), _sequence);
    }
}
