// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

/// <content>What takes an instruction that the language lacks.</content>
public static unsafe partial class HostProcessor
{
    // SAFETY: the symbol is a leaf that takes nothing and touches no memory.
    private static readonly delegate* unmanaged[SuppressGCTransition]<ulong> s_readTsc = (delegate* unmanaged[SuppressGCTransition]<ulong>)(HostCode.Base + HostCodeX64.ReadTsc);

    /// <summary>Reads the time-stamp counter.</summary>
    // SAFETY: as above.
    public static ulong ReadTimestampCounter() => s_readTsc();
}
