// SPDX-License-Identifier: Apache-2.0
using System.Runtime.Intrinsics.X86;

namespace CVisor.Host;

/// <summary>What the processor tells of itself.</summary>
public static partial class HostProcessor
{
    /// <summary>AT_HWCAP on x86_64: the edx word of CPUID leaf 1.</summary>
    public static ulong HardwareCapabilities { get; } = X86Base.IsSupported ? unchecked((uint)X86Base.CpuId(1, 0).Edx) : 0;

    /// <summary>Whether the time-stamp counter runs at one rate, whatever the processor does (CPUID 80000007H, edx bit 8).</summary>
    public static bool HasInvariantCounter { get; } =
        X86Base.IsSupported && unchecked((uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax) >= 0x80000007 && (X86Base.CpuId(unchecked((int)0x80000007), 0).Edx & 0x100) != 0;
}
