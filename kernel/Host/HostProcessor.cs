// SPDX-License-Identifier: Apache-2.0
using System.Runtime.Intrinsics.X86;

namespace CVisor.Host;

/// <summary>What the processor tells of itself.</summary>
public static class HostProcessor
{
    /// <summary>AT_HWCAP on x86_64: the edx word of CPUID leaf 1.</summary>
    public static ulong HardwareCapabilities { get; } = X86Base.IsSupported ? unchecked((uint)X86Base.CpuId(1, 0).Edx) : 0;
}
