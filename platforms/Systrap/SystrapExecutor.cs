// SPDX-License-Identifier: Apache-2.0
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;
using CVisor.Abi.Arch;
using CVisor.Host;
using static CVisor.Platforms.Systrap.SystrapLayout;

namespace CVisor.Platforms.Systrap;

/// <summary>One worker's end: it looks at the slots of what it released, and sleeps on an event descriptor when nothing has stopped for a while.</summary>
/// <remarks>Any executor may touch a held context, so nothing is bound to one; a released context comes back to the one that released it.</remarks>
internal sealed class SystrapExecutor : IExecutor
{
    private const int PollIn = 1;
    private readonly SystrapPlatform _platform;
    private readonly SharedRegion _region;
    private readonly int _eventFd;
    private readonly int _asleepOffset;
    private readonly List<SystrapContext> _released = [];
    private int _next;
    private int _isKicked;

    internal SystrapExecutor(SystrapPlatform platform, int index, int eventFd)
    {
        _platform = platform;
        _region = platform.Region;
        Index = index;
        _eventFd = eventFd;
        _asleepOffset = Executors + (index * ExecutorStride);
        Volatile.Write(ref _region.DoorbellWord(_asleepOffset + 4), eventFd);
    }

    internal int Index { get; }

    /// <inheritdoc/>
    public AddressSpace CreateAddressSpace() =>
        SystrapAddressSpace.Create(_platform, _platform.Zygote) ?? throw new HostException("make a stub process", HostErrno.EAGAIN);

    /// <inheritdoc/>
    public AddressSpace? ForkAddressSpace(GuestContext parent)
    {
        SystrapContext context = (SystrapContext)parent;
        SystrapAddressSpace? space = SystrapAddressSpace.Create(_platform, context.StubSpace.Helper);
        if (space is null)
        {
            return null;
        }

        // A copied process goes on with its parent's vector registers.
        SystrapContext first = space.TakeContext(null)!;
        CopyState(context, first);
        space.Retire(first);
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
        SystrapContext stub = (SystrapContext)context;
        stub.WriteBack();
        stub.ReleasedAt = _released.Count;
        _released.Add(stub);
        stub.Go(Index);
    }

    /// <inheritdoc/>
    public GuestContext? Wait(WaitMode block)
    {
        if (Look() is { } back)
        {
            return back;
        }

        if (block == WaitMode.Poll)
        {
            return null;
        }

        for (int spins = _released.Count == 0 ? 0 : SystrapPlatform.ExecutorSpins; spins > 0; spins--)
        {
            if (Volatile.Read(ref _isKicked) != 0)
            {
                break;
            }

            if (Look() is { } soon)
            {
                return soon;
            }

            Thread.SpinWait(1);
        }

        return Sleep();
    }

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
                return context;
            }
        }

        return null;
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
        ref int asleep = ref _region.DoorbellWord(_asleepOffset);
        SystrapContext? back = null;
        bool hasRung = true;
        _ = Interlocked.Exchange(ref asleep, 1); // Before the look: who stops after it sees the announcement, and rings.
        while (Volatile.Read(ref _isKicked) == 0 && (back = Look() ?? (hasRung ? null : FindLost())) is null)
        {
            hasRung = AwaitRing();
        }

        Volatile.Write(ref asleep, 0);
        if (back is null)
        {
            Drain();
            Volatile.Write(ref _isKicked, 0);
        }

        return back;
    }

    private bool AwaitRing()
    {
        // With nothing released nobody can be lost, so an idle sandbox sleeps for good.
        Span<HostPollFd> fds = [new HostPollFd { Fd = _eventFd, Events = PollIn }];
        HostResult result = HostCalls.Poll(fds, _released.Count == 0 ? -1 : SystrapPlatform.LostCheckMs);
        if (result.IsError || result.Value == 0)
        {
            return false;
        }

        Drain();
        return true;
    }

    private void Drain()
    {
        Span<byte> count = stackalloc byte[8];
        _ = HostCalls.Read(_eventFd, count); // non-blocking; what it counted says nothing
    }

    /// <summary>A released context whose process the host has taken away: it would never stop.</summary>
    private SystrapContext? FindLost()
    {
        foreach (SystrapContext context in _released)
        {
            if (!context.StubSpace.IsAlive && !context.HasStopped)
            {
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
