// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Host;
using static CVisor.Platforms.Systrap.SystrapLayout;

namespace CVisor.Platforms.Systrap;

/// <summary>A guest address space: a helper process that changes it, and the guest's own process in it.</summary>
internal sealed class SystrapAddressSpace : AddressSpace
{
    private const int MapShared = 1, MapFixed = 0x10, SigKill = 9;
    private const ulong CloneThreadFlags = 0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000; // VM FS FILES SIGHAND THREAD SYSVSEM
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly Stack<SystrapContext> _idle = new();
    [GuardedBy(nameof(_lock))]
    private int _nextSlot = 1;
    private int _isReleased;

    private SystrapAddressSpace(SystrapPlatform platform, Helper helper)
    {
        Platform = platform;
        Helper = helper;
    }

    internal SystrapPlatform Platform { get; }

    internal SharedRegion Region => Platform.Region;

    /// <summary>Its part of the region's file.</summary>
    internal ulong Part => Helper.Part;

    /// <summary>What changes the mappings.</summary>
    internal Helper Helper { get; }

    /// <summary>The process id of the guest's process.</summary>
    internal int Pid { get; private set; }

    /// <summary>Whether the host still has the guest's process.</summary>
    internal bool IsAlive => Volatile.Read(ref _isReleased) == 0 && !HostCalls.Kill(Pid, 0).IsError;

    /// <summary>Makes an address space like that of a helper, with a process whose first thread stands ready in the idle list.</summary>
    /// <returns>The space, or null when the host has no room for it.</returns>
    internal static SystrapAddressSpace? Create(SystrapPlatform platform, Helper from)
    {
        Helper? helper = from.Fork();
        if (helper is null)
        {
            return null;
        }

        SystrapAddressSpace space = new(platform, helper);
        SystrapContext first = new(space, 0);
        HostResult pid = helper.Spawn();
        if (pid.IsError)
        {
            helper.End();
            return null;
        }

        space.Pid = pid.Int;
        first.Tid = pid.Int;
        if (!first.AwaitStop())
        {
            space.Release();
            return null;
        }

        space.Retire(first);
        return space;
    }

    /// <summary>A held context: one that a guest thread left behind, or a new thread.</summary>
    internal SystrapContext? TakeContext(SystrapContext? sibling)
    {
        int slot;
        lock (_lock)
        {
            if (_idle.TryPop(out SystrapContext? idle))
            {
                return idle;
            }

            if (sibling is null || _nextSlot >= SlotCount)
            {
                return null;
            }

            slot = _nextSlot++;
        }

        SystrapContext context = new(this, slot);
        HostResult tid = sibling.MakeSibling(context, CloneThreadFlags);
        if (tid.IsError)
        {
            return null; // the slot's number is lost; the host has no more threads for us anyway
        }

        context.Tid = tid.Int;
        return context;
    }

    /// <summary>Takes back a context that a guest thread leaves behind.</summary>
    internal void Retire(SystrapContext context)
    {
        context.Owner = null;
        lock (_lock)
        {
            _idle.Push(context);
        }
    }

    /// <inheritdoc/>
    public override bool MapFile(GuestContext via, ulong address, ulong length, int hostFd, ulong offset, MemoryAccess access) =>
        !Helper.Call(SysMmap, address, length, (ulong)access, MapShared | MapFixed, (ulong)hostFd, offset).IsError;

    /// <inheritdoc/>
    public override void Unmap(GuestContext via, ulong address, ulong length) => _ = Helper.Call(SysMunmap, address, length);

    /// <inheritdoc/>
    public override void Protect(GuestContext via, ulong address, ulong length, MemoryAccess access) => _ = Helper.Call(SysMprotect, address, length, (ulong)access);

    /// <inheritdoc/>
    public override void UnmapRemote(ulong address, ulong length, Action done)
    {
        _ = Helper.Call(SysMunmap, address, length);
        done();
    }

    /// <inheritdoc/>
    public override void Release()
    {
        if (Interlocked.Exchange(ref _isReleased, 1) == 0)
        {
            _ = HostCalls.Kill(Pid, SigKill);
            Helper.End();
        }
    }
}
