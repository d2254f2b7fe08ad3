// SPDX-License-Identifier: Apache-2.0
using System.Threading;

namespace CVisor.Core.Memory;

/// <summary>Buffers of one size that pipes and sockets keep their data in, handed from one to the next without a collection.</summary>
/// <remarks>Lock order: nothing is taken under the lock. A page holds whatever was in it: only what was written to it is ever read from it.</remarks>
public static class PagePool
{
    /// <summary>The size of a page in bytes.</summary>
    public const int PageBytes = 8192;

    // What an idle sandbox may keep: 1 MiB.
    private const int Kept = 128;

    private static readonly Lock s_lock = new();
    [GuardedBy(nameof(s_lock))]
    private static readonly byte[][] s_free = new byte[Kept][];
    [GuardedBy(nameof(s_lock))]
    private static int s_count;

    /// <summary>A page; new only when none is free.</summary>
    public static byte[] Rent()
    {
        lock (s_lock)
        {
            if (s_count > 0)
            {
                return s_free[--s_count];
            }
        }

        return new byte[PageBytes];
    }

    /// <summary>Takes a page back.</summary>
    public static void Return(byte[] page)
    {
        lock (s_lock)
        {
            if (s_count < Kept)
            {
                s_free[s_count++] = page;
            }
        }
    }
}
