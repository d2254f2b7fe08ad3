// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Host;
using static CVisor.Platforms.Systrap.SystrapLayout;

namespace CVisor.Platforms.Systrap;

/// <summary>One worker's end: it looks at the slots of what it released, and sleeps on an event descriptor when nothing has stopped for a while.</summary>
/// <remarks>
/// Any executor may touch a held context, so nothing is bound to one; a released context comes back to the one that released it.
/// While every processor has something to do, a released context without a carrier is owed one: the next carrier that has nothing to do runs it, or, in another process, wakes one
/// for it and sleeps (<see cref="Park"/>), which is a switch on one processor. If none comes by, this executor wakes one after a short while itself.
/// </remarks>
internal sealed class SystrapExecutor : IExecutor
{
    private const int PollIn = 1, MostScore = 16, TriesApart = 16;
    private readonly SystrapPlatform _platform;
    private readonly SharedRegion _region;
    private readonly int _index;
    private readonly int _eventFd;
    private readonly int _asleepOffset;
    private readonly List<SystrapContext> _released = [];

    /// <summary>Released contexts that have no carrier yet.</summary>
    private readonly List<SystrapContext> _owed = [];
    private int _owedFor;
    private int _stops;
    private int _score;
    private int _tries;
    private long _checkAt;

    /// <summary>Whether this executor has woken a carrier itself since it last looked.</summary>
    private bool _hasWoken;
    private int _next;
    private int _isKicked;

    internal SystrapExecutor(SystrapPlatform platform, int index, int eventFd)
    {
        _platform = platform;
        _region = platform.Region;
        _index = index;
        _eventFd = eventFd;
        _asleepOffset = Executors + (index * ExecutorStride);
        Volatile.Write(ref _region.DoorbellWord(_asleepOffset + 4), eventFd);
        platform.Add(this);
    }

    /// <inheritdoc/>
    public AddressSpace CreateAddressSpace() =>
        SystrapAddressSpace.Create(_platform) ?? throw new HostException("make a stub process", HostErrno.EAGAIN);

    /// <inheritdoc/>
    public AddressSpace? ForkAddressSpace(GuestContext parent, int mappings, out bool isEmpty)
    {
        SystrapContext context = (SystrapContext)parent;
        isEmpty = mappings <= SystrapPlatform.MappingsWorthACopy;
        SystrapAddressSpace? space = isEmpty ? SystrapAddressSpace.Create(_platform) : context.StubSpace.Copy();
        if (space is null)
        {
            return null;
        }

        // A copied process goes on with its parent's vector registers.
        SystrapContext first = space.TakeContext(null)!;
        CopyState(context, first);
        space.KeepForFirst(first);
        return space;
    }

    /// <inheritdoc/>
    public GuestContext? CreateContext(AddressSpace space, GuestContext? sibling) => ((SystrapAddressSpace)space).TakeContext((SystrapContext?)sibling);

    /// <inheritdoc/>
    public bool Owns(GuestContext context) => true;

    /// <inheritdoc/>
    public bool TryExport(GuestContext context) => true;

    /// <inheritdoc/>
    public void Import(GuestContext context)
    {
        // Nothing binds a context to an executor.
    }

    /// <inheritdoc/>
    [NoAlloc]
    public void Release(GuestContext context)
    {
        SystrapContext released = (SystrapContext)context;
        released.WriteBack(_index);
        released.ReleasedAt = _released.Count;
        _released.Add(released);
        Carrier? carrier = released.Carrier;
        if (carrier is null)
        {
            if (_released.Count > 1 && _released.Count >= _platform.Processors && (IsSiblingOut(released) || !released.StubSpace.IsAnyAwake))
            {
                _owed.Add(released);
            }
            else
            {
                Wake(Start(released));
            }

            return;
        }

        if (released.StubSpace.HasStarving)
        {
            released.StubSpace.TakeTurns(released, carrier);
            return;
        }

        released.RunOn(carrier);
        Wake(carrier.IsAsleep ? carrier : null);
    }

    /// <inheritdoc/>
    [NoAlloc]
    public void Park(GuestContext context)
    {
        SystrapContext parked = (SystrapContext)context;
        Carrier? carrier = parked.Carrier;
        if (carrier is null)
        {
            return;
        }

        parked.Carrier = null;
        if (_owed.Count > 0 && !parked.StubSpace.HasStarving)
        {
            int sibling = FindOwed(parked.StubSpace);
            SystrapContext next = _owed[Math.Max(sibling, 0)];
            _owed.RemoveAt(Math.Max(sibling, 0));
            if (sibling >= 0)
            {
                RunOn(next, carrier);
                return;
            }

            if (Start(next) is { } other)
            {
                if (carrier.IsAsleep)
                {
                    Wake(other);
                }
                else
                {
                    carrier.WakeInstead(other);
                }
            }
        }

        parked.StubSpace.PutIdle(carrier);
    }

    /// <inheritdoc/>
    public GuestContext? Wait(WaitMode block)
    {
        if (_owed.Count > 0 && ++_owedFor > SystrapPlatform.OwedStops)
        {
            PayOwed(); // Who runs does not stop running.
        }

        if (++_stops >= SystrapPlatform.StopsPerCheck)
        {
            _stops = 0;
            if (Check() is { } lost)
            {
                return lost;
            }
        }

        if (Look() is { } back)
        {
            return back;
        }

        if (block == WaitMode.Poll)
        {
            return null;
        }

        int running = _released.Count - _owed.Count;
        bool isCalm = _platform.Contention.IsCalm;
        bool hasRoom = running < _platform.Processors;
        _platform.SetStubSpins(!isCalm ? 0 : hasRoom ? SystrapPlatform.StubSpins : SystrapPlatform.CrowdedStubSpins);
        bool isTrying = !hasRoom && isCalm && ShouldTry();
        int looks = running > 0 && isCalm && (hasRoom || isTrying) ? hasRoom ? SystrapPlatform.ExecutorSpins : SystrapPlatform.CrowdedSpins : _owed.Count > 0 ? SystrapPlatform.OwedSpins : 0;
        long then = 0;
        bool isInTheWay = false;
        for (int look = 1; look <= looks && Volatile.Read(ref _isKicked) == 0; look++)
        {
            if (Look() is { } soon)
            {
                if (_hasWoken && !isInTheWay)
                {
                    _platform.Contention.OnOrder(wasTaken: true);
                }

                _hasWoken = false;
                _score = isTrying ? Math.Min(_score + 1, MostScore) : _score;
                return soon;
            }

            if (look == SystrapPlatform.OwedSpins && _owed.Count > 0)
            {
                PayOwed();
                if (_released.Count >= _platform.Processors)
                {
                    break;
                }
            }

            if (look % SystrapPlatform.SpinsPerGlance == 0)
            {
                then = then == 0 ? Contention.Now : _platform.Contention.HasPassed(then);
                if (then == 0)
                {
                    break;
                }

                if (look >= SystrapPlatform.UnseenSpins && IsAnyUnseen())
                {
                    _ = Thread.Yield(); // The host tends to put whom we wake behind us, although another processor may be about to be free.
                    if (!isInTheWay && Contention.HasRunOther(then) && !IsAnyUnseen())
                    {
                        isInTheWay = true;
                        _platform.Contention.OnOrder(wasTaken: false);
                    }
                }
            }

            Thread.SpinWait(1);
        }

        _hasWoken = false;
        _score = isTrying ? Math.Max(_score - 2, 0) : _score;
        PayOwed();
        return Sleep();
    }

    /// <summary>Whether to look for a moment although guests could use this processor: as long as that mostly finds something, and now and then to see.</summary>
    private bool ShouldTry() => _score > 0 || ++_tries % TriesApart == 0;

    /// <inheritdoc/>
    public void Kick()
    {
        if (Interlocked.Exchange(ref _isKicked, 1) == 0)
        {
            Ring();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _ = HostCalls.Close(_eventFd);

    /// <summary>Whether a carrier has not taken its order: it waits for a processor, perhaps for this one.</summary>
    private bool IsAnyUnseen()
    {
        foreach (SystrapContext context in _released)
        {
            if (context.Carrier is { HasTaken: false })
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether another guest thread of the same process is released: when that stops, its carrier is the nearest.</summary>
    private bool IsSiblingOut(SystrapContext context)
    {
        const int Farthest = 16;
        for (int i = 0; i < _released.Count && i < Farthest; i++)
        {
            if (_released[i].StubSpace == context.StubSpace && _released[i] != context)
            {
                return true;
            }
        }

        return false;
    }

    private void PayOwed()
    {
        foreach (SystrapContext context in _owed)
        {
            Wake(Start(context));
        }

        _owed.Clear();
        _owedFor = 0;
    }

    private int FindOwed(SystrapAddressSpace space)
    {
        for (int i = 0; i < _owed.Count; i++)
        {
            if (_owed[i].StubSpace == space)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Has an idle carrier run a released context, if there is one and the context can be moved.</summary>
    /// <returns>The carrier, if it has to be woken.</returns>
    private static Carrier? Start(SystrapContext context)
    {
        if (context.StubSpace.TakeIdle(context) is not { } carrier || !SystrapAddressSpace.EnsureMovable(context, carrier))
        {
            return null; // It waits for one, or is lost.
        }

        context.RunOn(carrier);
        return carrier.IsAsleep ? carrier : null;
    }

    private void RunOn(SystrapContext context, Carrier carrier)
    {
        if (SystrapAddressSpace.EnsureMovable(context, carrier))
        {
            context.RunOn(carrier);
            Wake(carrier.IsAsleep ? carrier : null);
        }
    }

    private void Wake(Carrier? carrier)
    {
        if (carrier is not null)
        {
            carrier.Wake();
            _hasWoken = true;
        }
    }

    /// <summary>Takes a released context out of where it waits for a carrier.</summary>
    private bool TryUnqueue(SystrapContext context) => _owed.Remove(context) || context.StubSpace.TryUnqueue(context);

    private void Ring()
    {
        Span<byte> one = stackalloc byte[8];
        one.Clear();
        one[0] = 1;
        _ = HostCalls.Write(_eventFd, one);
    }

    private SystrapContext? Look()
    {
        int count = _released.Count;
        for (int i = 0; i < count; i++)
        {
            _next = _next + 1 < count ? _next + 1 : 0;
            SystrapContext context = _released[_next];
            if (context.HasStopped)
            {
                Forget(context);
                context.TakeIn();
                if (context.IsTrappedCall)
                {
                    context.StubSpace.Patcher.OnTrap(context, IsAlone(context));
                }

                if (context.StubSpace.HasStarving)
                {
                    context.StubSpace.RelieveWith(context);
                }

                return context;
            }

            if (context.Carrier is null && context.TakeInterrupt() && TryUnqueue(context))
            {
                Forget(context);
                context.Exit = GuestExit.Interrupted;
                return context;
            }
        }

        return null;
    }

    /// <summary>Whether no other guest thread of its process runs.</summary>
    private bool IsAlone(SystrapContext context)
    {
        foreach (SystrapContext other in _released)
        {
            if (other.StubSpace == context.StubSpace)
            {
                return false;
            }
        }

        return _platform.HasOneExecutor;
    }

    private void Forget(SystrapContext context)
    {
        int last = _released.Count - 1;
        SystrapContext moved = _released[last];
        _released[context.ReleasedAt] = moved;
        moved.ReleasedAt = context.ReleasedAt;
        _released.RemoveAt(last);
        context.ReleasedAt = -1;
    }

    private SystrapContext? Sleep()
    {
        _platform.Pool.Renew();
        ref int asleep = ref _region.DoorbellWord(_asleepOffset);
        SystrapContext? back = null;
        _ = Interlocked.Exchange(ref asleep, 1); // Before the look: who stops after it sees the announcement, and rings.
        while (Volatile.Read(ref _isKicked) == 0 && (back = Look() ?? Check()) is null)
        {
            AwaitRing();
        }

        Volatile.Write(ref asleep, 0);
        if (back is null)
        {
            Drain();
            Volatile.Write(ref _isKicked, 0);
        }

        return back;
    }

    private void AwaitRing()
    {
        // With nothing released nobody can be lost, so an idle sandbox sleeps for good.
        Span<HostPollFd> fds = [new HostPollFd { Fd = _eventFd, Events = PollIn }];
        HostResult result = HostCalls.Poll(fds, _released.Count == 0 ? -1 : SystrapPlatform.CheckMs);
        if (!result.IsError && result.Value > 0)
        {
            Drain();
        }
    }

    private void Drain()
    {
        Span<byte> count = stackalloc byte[8];
        _ = HostCalls.Read(_eventFd, count); // non-blocking; what it counted says nothing
    }

    /// <summary>Every now and then looks for what does not stop by itself.</summary>
    private SystrapContext? Check()
    {
        if (_released.Count == 0)
        {
            return null;
        }

        long now = Contention.Now;
        if (now < _checkAt)
        {
            return null;
        }

        _checkAt = now + (SystrapPlatform.CheckMs * 1_000_000L);
        return FindLost(now);
    }

    /// <summary>A released context whose process the host has taken away would never stop; one whose siblings wait has had its turn.</summary>
    private SystrapContext? FindLost(long now)
    {
        foreach (SystrapContext context in _released)
        {
            if (context.Carrier is not null && context.StubSpace.HasStarving)
            {
                context.Interrupt();
            }

            if (context.Carrier is { IsAsleep: true } forgotten)
            {
                forgotten.Wake(); // Who was asked to did not.
            }

            if (context.AskedAt is not 0 and var asked && now - asked > SystrapPlatform.DeafNs)
            {
                context.StubSpace.Kill(); // Guest code does not run there any more, and ours does not do what it should.
            }

            if (!context.StubSpace.IsAlive && !context.HasStopped)
            {
                _ = TryUnqueue(context);
                Forget(context);
                context.Exit = GuestExit.Lost;
                return context;
            }
        }

        return null;
    }

    private static void CopyState(SystrapContext from, SystrapContext to)
    {
        byte[] area = System.Buffers.ArrayPool<byte>.Shared.Rent(from.ExtendedStateSize);
        int length = from.ReadExtendedState(area);
        if (length > 0)
        {
            _ = to.WriteExtendedState(area.AsSpan(0, length));
        }

        System.Buffers.ArrayPool<byte>.Shared.Return(area);
    }
}
