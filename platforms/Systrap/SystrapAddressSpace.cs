// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Host;
using static CVisor.Platforms.Systrap.SystrapLayout;

namespace CVisor.Platforms.Systrap;

/// <summary>A guest address space: a helper process that changes it, and the guest's own process in it, whose carriers run the guest threads that can run.</summary>
/// <remarks>
/// A guest thread that waits in the kernel has no carrier. There are as many carriers as guest threads have ever run at once, up to <see cref="MostCarriers"/>;
/// beyond that released contexts take turns (<see cref="_starving"/>).
/// </remarks>
internal sealed class SystrapAddressSpace : AddressSpace
{
    /// <summary>Beyond this many guest threads that run at once, they share carriers.</summary>
    private const int MostCarriers = 64;

    private const int MapShared = 1, MapFixed = 0x10, MapPopulate = 0x8000, SigKill = 9;
    private const ulong CloneThreadFlags = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000; // VM FS FILES SIGHAND THREAD SYSVSEM
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly Stack<SystrapContext> _unused = new();
    [GuardedBy(nameof(_lock))]
    private readonly List<Carrier> _idle;
    [GuardedBy(nameof(_lock))]
    private readonly Queue<SystrapContext> _starving = new();
    [GuardedBy(nameof(_lock))]
    private readonly List<int> _lines;
    [GuardedBy(nameof(_lock))]
    private int _nextSlot;
    private int _starvingCount;
    private int _isReleased;

    private SystrapAddressSpace(SystrapPlatform platform, Helper helper)
    {
        Platform = platform;
        Helper = helper;
        Patcher = new CodePatcher(this, platform.CodePool);
        Pid = helper.GuestPid;
        _lines = [helper.FirstLine];
        _idle = [new Carrier(this, 0, helper.FirstLine) { Tid = Pid }];
    }

    internal SystrapPlatform Platform { get; }

    internal SharedRegion Region => Platform.Region;

    /// <summary>Its part of the region's file.</summary>
    internal ulong Part => Helper.Part;

    /// <summary>What changes the mappings.</summary>
    internal Helper Helper { get; }

    /// <summary>Its patched call sites.</summary>
    internal CodePatcher Patcher { get; }

    /// <summary>The process id of the guest's process.</summary>
    internal int Pid { get; }

    /// <summary>Whether released contexts wait for a carrier.</summary>
    internal bool HasStarving => Volatile.Read(ref _starvingCount) != 0;

    /// <summary>Whether the host still has the guest's process.</summary>
    internal bool IsAlive => Volatile.Read(ref _isReleased) == 0 && !HostCalls.Kill(Pid, 0).IsError;

    /// <summary>Makes an empty address space.</summary>
    /// <returns>The space, or null when the host has no room for it.</returns>
    internal static SystrapAddressSpace? Create(SystrapPlatform platform) => platform.Pool.Take() is { } helper ? new SystrapAddressSpace(platform, helper) : null;

    /// <summary>Makes a copy of an address space, with all that is mapped there.</summary>
    /// <returns>The copy, or null when the host has no room for it.</returns>
    internal SystrapAddressSpace? Copy()
    {
        if (Helper.BeginFork() is not { } helper || !helper.TryFinish())
        {
            return null;
        }

        SystrapAddressSpace copy = new(Platform, helper);
        Patcher.CopyTo(copy.Patcher);
        return copy;
    }

    /// <summary>A held context, like new.</summary>
    /// <param name="sibling">A held context of this space, if there is one: its carrier can make others.</param>
    internal SystrapContext? TakeContext(SystrapContext? sibling)
    {
        if (sibling?.Carrier is { } maker && MakeCarrier(maker) is { } made)
        {
            PutIdle(made);
        }

        int slot;
        lock (_lock)
        {
            if (_unused.TryPop(out SystrapContext? used))
            {
                return used;
            }

            if (_nextSlot >= SlotCount)
            {
                return null;
            }

            slot = _nextSlot++;
        }

        return new SystrapContext(this, slot);
    }

    /// <summary>Takes back a context that a guest thread leaves behind.</summary>
    internal void Retire(SystrapContext context)
    {
        Carrier? carrier = context.Carrier;
        if (!context.IsSaved && (carrier ?? context.Last) is not null && !context.EnsureSaved())
        {
            return;
        }

        context.Reset();
        if (carrier is not null)
        {
            PutIdle(carrier);
        }

        lock (_lock)
        {
            _unused.Push(context);
        }
    }

    /// <summary>A carrier for a released context: the one that has its extended registers, else one that is awake, else any that is idle; null when there is none.</summary>
    internal Carrier? TakeIdle(SystrapContext context)
    {
        lock (_lock)
        {
            int last = context.Last is { } own && own.Loaded == context ? _idle.LastIndexOf(own) : -1;
            int chosen = last >= 0 && (!context.IsSaved || !_idle[last].IsAsleep) ? last : -1;
            chosen = chosen >= 0 || _idle.Count == 0 || _idle[^1].IsAsleep ? chosen : _idle.Count - 1;
            chosen = chosen >= 0 ? chosen : last >= 0 ? last : _idle.Count - 1;
            if (chosen < 0)
            {
                _starving.Enqueue(context);
                Volatile.Write(ref _starvingCount, _starving.Count);
                return null;
            }

            Carrier carrier = _idle[chosen];
            _idle.RemoveAt(chosen);
            return carrier;
        }
    }

    /// <summary>A carrier has nothing to do, unless a context waits for one.</summary>
    internal void PutIdle(Carrier carrier)
    {
        while (!TryFeed(carrier))
        {
            lock (_lock)
            {
                if (_starving.Count == 0)
                {
                    _idle.Add(carrier);
                    return;
                }
            }
        }
    }

    /// <summary>Whether an idle carrier looks for orders.</summary>
    internal bool IsAnyAwake
    {
        get
        {
            lock (_lock)
            {
                return _idle.Count > 0 && !_idle[^1].IsAsleep;
            }
        }
    }

    /// <summary>Has an idle carrier save the extended registers that it has of a context.</summary>
    internal void SaveIdle(SystrapContext context)
    {
        lock (_lock)
        {
            if (context.Last is { IsAsleep: false } last && last.Loaded == context && _idle.Contains(last))
            {
                last.Save();
            }
        }
    }

    /// <summary>A released context goes behind those that wait for a carrier, and its own carrier to the first of them.</summary>
    internal void TakeTurns(SystrapContext context, Carrier carrier)
    {
        context.Carrier = null;
        lock (_lock)
        {
            _starving.Enqueue(context);
            Volatile.Write(ref _starvingCount, _starving.Count);
        }

        PutIdle(carrier);
    }

    /// <summary>Keeps a prepared context for the next <see cref="TakeContext"/>.</summary>
    internal void KeepForFirst(SystrapContext context)
    {
        lock (_lock)
        {
            _unused.Push(context);
        }
    }

    /// <summary>Gives a carrier that has nothing to do to a released context that waits for one.</summary>
    internal bool TryFeed(Carrier carrier)
    {
        if (!HasStarving)
        {
            return false;
        }

        SystrapContext? context;
        lock (_lock)
        {
            if (!_starving.TryDequeue(out context))
            {
                return false;
            }

            Volatile.Write(ref _starvingCount, _starving.Count);
        }

        if (EnsureMovable(context, carrier))
        {
            context.RunOn(carrier);
            if (carrier.IsAsleep)
            {
                carrier.Wake();
            }
        }

        return true;
    }

    /// <summary>Takes a context out of the queue of those that wait for a carrier.</summary>
    internal bool TryUnqueue(SystrapContext context)
    {
        lock (_lock)
        {
            bool found = false;
            for (int count = _starving.Count; count > 0; count--)
            {
                SystrapContext each = _starving.Dequeue();
                if (each == context)
                {
                    found = true;
                }
                else
                {
                    _starving.Enqueue(each);
                }
            }

            Volatile.Write(ref _starvingCount, _starving.Count);
            return found;
        }
    }

    /// <summary>Whether a context's extended registers are where a carrier can get at them; otherwise its process is ended.</summary>
    internal static bool EnsureMovable(SystrapContext context, Carrier carrier) => context.IsSaved || context.Last is null || context.Last == carrier || context.EnsureSaved();

    /// <summary>With a held context's carrier, makes carriers for those that wait, as far as there may be more.</summary>
    internal void RelieveWith(SystrapContext context)
    {
        while (HasStarving && context.Carrier is { } maker && MakeCarrier(maker) is { } made)
        {
            PutIdle(made);
        }
    }

    /// <summary>Ends the guest's process; its released contexts are found lost.</summary>
    internal void Kill() => _ = HostCalls.Kill(Pid, SigKill);

    /// <inheritdoc/>
    public override (ulong Start, ulong End) BorrowedRange => (SiteCode.TableAddress, SiteCode.TableAddress + SiteCode.TableSize);

    /// <inheritdoc/>
    public override void ReturnBorrowed(GuestContext? via) => Patcher.SwitchOff(via);

    /// <inheritdoc/>
    public override bool MapFile(GuestContext via, ulong address, ulong length, int hostFd, ulong offset, MemoryAccess access, MappingTraits traits)
    {
        Patcher.OnMap(address, length, hostFd, offset, IsCode(access, traits));
        return !Helper.Call(via, SysMmap, address, length, (ulong)access, MapFlags(traits), (ulong)hostFd, offset).IsError;
    }

    /// <inheritdoc/>
    public override bool MapFileLater(GuestContext? via, ulong address, ulong length, int hostFd, ulong offset, MemoryAccess access, MappingTraits traits)
    {
        Patcher.OnMap(address, length, hostFd, offset, IsCode(access, traits));
        Helper.Post(SysMmap, address, length, (ulong)access, MapFlags(traits), (ulong)hostFd, offset);
        return true;
    }

    /// <inheritdoc/>
    public override void ProtectLater(GuestContext? via, ulong address, ulong length, MemoryAccess access)
    {
        Patcher.BeforeProtect(via, address, length, access);
        Helper.Post(SysMprotect, address, length, (ulong)access);
    }

    /// <inheritdoc/>
    public override void Start() => Helper.Start();

    /// <inheritdoc/>
    public override bool Flush(GuestContext? via) => Helper.Flush(via);

    /// <inheritdoc/>
    public override void Unmap(GuestContext via, ulong address, ulong length) => UnmapBoth(via, address, length);

    /// <inheritdoc/>
    public override void Protect(GuestContext via, ulong address, ulong length, MemoryAccess access)
    {
        Patcher.BeforeProtect(via, address, length, access);
        _ = Helper.Call(via, SysMprotect, address, length, (ulong)access);
    }

    /// <inheritdoc/>
    public override void UnmapRemote(ulong address, ulong length, Action done)
    {
        UnmapBoth(null, address, length);
        done();
    }

    /// <inheritdoc/>
    public override void Release()
    {
        if (Interlocked.Exchange(ref _isReleased, 1) == 0)
        {
            Kill();

            // A signal takes its time, and a guest may have threads that nobody knows of; its pages are about to be another's.
            _ = Helper.Call(null, SysMunmap, 0, Region.Address);
            Patcher.Release();
            lock (_lock)
            {
                Platform.Pool.Return(Helper, [.. _lines]);
            }
        }
    }

    private static ulong MapFlags(MappingTraits traits) => MapShared | MapFixed | ((traits & MappingTraits.IsThere) != 0 ? (ulong)MapPopulate : 0);

    private static bool IsCode(MemoryAccess access, MappingTraits traits) => (traits & MappingTraits.IsStill) != 0 && (access & (MemoryAccess.Execute | MemoryAccess.Write)) == MemoryAccess.Execute;

    /// <summary>Unmaps guest memory, and not the jump table, if that lies within.</summary>
    private void UnmapBoth(GuestContext? via, ulong address, ulong length)
    {
        Patcher.OnUnmap(address, length);
        (ulong start, ulong end) = BorrowedRange;
        if (address < end && start < address + length && Patcher.HasTable)
        {
            UnmapPart(via, address, Math.Max(address, start));
            UnmapPart(via, Math.Min(address + length, end), address + length);
            return;
        }

        UnmapPart(via, address, address + length);
    }

    private void UnmapPart(GuestContext? via, ulong start, ulong end)
    {
        if (end > start)
        {
            _ = Helper.Call(via, SysMunmap, start, end - start);
        }
    }

    private Carrier? PrepareCarrier()
    {
        lock (_lock)
        {
            int line = _lines.Count < CarrierCount ? Region.TakeLine() : -1;
            if (line < 0)
            {
                return null;
            }

            Carrier.Prepare(Region, Part, _lines.Count, line);
            Carrier carrier = new(this, _lines.Count, line);
            _lines.Add(line);
            return carrier;
        }
    }

    /// <summary>Makes a carrier unless one is idle, or there are many.</summary>
    private Carrier? MakeCarrier(Carrier maker)
    {
        lock (_lock)
        {
            if (_idle.Count > 0 || _lines.Count >= MostCarriers)
            {
                return null;
            }
        }

        if (PrepareCarrier() is not { } carrier)
        {
            return null;
        }

        HostResult tid = maker.Make(carrier, CloneThreadFlags);
        if (tid.IsError)
        {
            if (tid.Error == HostErrno.ESRCH)
            {
                Kill(); // It did not answer.
            }

            return null; // Its block is lost; the host has no more threads for us anyway.
        }

        carrier.Tid = tid.Int;
        return carrier;
    }
}
