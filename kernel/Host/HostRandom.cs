// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics;

namespace CVisor.Host;

/// <summary>The host's random numbers for the kernel's own use.</summary>
public static class HostRandom
{
    /// <summary>Fills a buffer.</summary>
    /// <param name="bytes">At most 256 bytes: so many come whole, whatever signals arrive (getrandom(2)).</param>
    [HostCall("getrandom")]
    public static void Fill(Span<byte> bytes)
    {
        HostResult result = HostCalls.Getrandom(bytes, 0);
        if (result.Raw != bytes.Length)
        {
            throw new UnreachableException($"getrandom of {bytes.Length} bytes answered {result.Raw}");
        }
    }
}
