// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Time;
using CVisor.Platforms;

namespace CVisor.Core.Loader;

/// <summary>The shared object that every program gets (vdso(7)), and the clock page below it: clocks read without a system call.</summary>
/// <remarks>The source is Vdso.x64.s beside this file. Both pages are handed out once and never given back; every address space maps the same ones.</remarks>
public sealed class Vdso
{
    private const ulong Page = MemoryManager.PageSize;
    private readonly PageSource _clock;
    private readonly PageSource _image;

    private Vdso(PageSource clock, PageSource image) => (_clock, _image) = (clock, image);

    /// <summary>Makes the two pages.</summary>
    /// <param name="memory">Where pages come from.</param>
    /// <param name="timers">What keeps the clock page right.</param>
    /// <returns>The vDSO, or null when there is no memory.</returns>
    public static Vdso? Create(SandboxMemory memory, TimerQueue timers)
    {
        if (memory.Allocate(2 * Page, out ulong offset) != Errno.None)
        {
            return null;
        }

        nuint address = memory.GetAddress(offset, 2 * Page, out _);
        if (!Host.SafeMemory.Write(address + (nuint)Page, VdsoX64.Bytes))
        {
            memory.Unreference(offset, 2 * Page);
            return null;
        }

        if (Host.HostProcessor.HasInvariantCounter)
        {
            ClockPage.Start(address, timers); // else the page stays empty, and programs ask the kernel
        }

        return new Vdso(new PageSource(memory, offset), new PageSource(memory, offset + Page));
    }

    /// <summary>Maps it into a fresh address space.</summary>
    /// <returns>The address of its ELF header, or 0 when there was no room.</returns>
    public ulong Map(MemoryManager memory)
    {
        // One reservation, so that the two stay neighbours wherever they go.
        MapRequest clock = new() { Length = 2 * Page, Access = MemoryAccess.Read, MaximumAccess = MemoryAccess.Read, IsShared = true, Source = _clock, Name = "[vvar]" };
        if (memory.Map(clock, 0, Placement.Hint, growsDown: false, populate: false, out UserPtr start) != Errno.None)
        {
            return 0;
        }

        ulong image = start.Address + Page;
        MapRequest code = new()
        {
            Length = Page,
            Access = MemoryAccess.Read | MemoryAccess.Execute,
            MaximumAccess = MemoryAccess.Read | MemoryAccess.Write | MemoryAccess.Execute,
            Source = _image,
            Name = "[vdso]",
        };
        if (memory.Map(code, image, Placement.Fixed, growsDown: false, populate: false, out _) == Errno.None)
        {
            return image;
        }

        _ = memory.Unmap(start, 2 * Page);
        return 0;
    }

    /// <summary>One page that is there as long as the kernel is.</summary>
    private sealed class PageSource(SandboxMemory memory, ulong place) : MemorySource
    {
        public override Errno GetMemory(ulong offset, ulong maximumLength, bool write, out MemoryExtent extent)
        {
            if (offset != 0)
            {
                extent = default;
                return Errno.ENXIO;
            }

            memory.Reference(place, Page);
            extent = new MemoryExtent(memory, place, Page);
            return Errno.None;
        }

        public override void Reference()
        {
            // Its pages are never given back, so nobody counts who maps them.
        }

        public override void Unreference()
        {
        }
    }
}
