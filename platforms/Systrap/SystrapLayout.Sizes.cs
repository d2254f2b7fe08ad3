// SPDX-License-Identifier: Apache-2.0
using System.Runtime.Intrinsics.X86;

namespace CVisor.Platforms.Systrap;

/// <content>What depends on the processor.</content>
internal static partial class SystrapLayout
{
    /// <summary>The length of an XSAVE area with everything that the host has switched on, in bytes.</summary>
    internal static int StateSize { get; } = X86Base.IsSupported ? X86Base.CpuId(0xd, 0).Ebx : 0;

    /// <summary>A guest thread's slot: a page where the extended state fits.</summary>
    internal static ulong SlotSize { get; } = StateSize <= (int)PageSize - ExtendedState ? PageSize : 4 * PageSize;

    /// <summary>The length of an address space's part: from the control page to the last slot.</summary>
    internal static ulong SpaceSize => SlotsInSpace + (SlotCount * SlotSize);

    /// <summary>The region's length.</summary>
    internal static ulong RegionSize => ControlOffset + SpaceSize;
}
