// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Host;
using static CVisor.Platforms.Systrap.SystrapLayout;

namespace CVisor.Platforms.Systrap;

/// <summary>Copies of code pages in which call sites are patched: one memory file, its pages counted, since a forked process maps its parent's.</summary>
internal sealed class CodePool
{
    private const int FallocKeepSize = 1, FallocPunchHole = 2;
    private const int MostPages = 16384;

    /// <summary>How many pages that nobody maps keep their memory: the next program is soon there.</summary>
    private const int KeptPages = 32;
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly List<int> _counts = [];
    [GuardedBy(nameof(_lock))]
    private readonly Stack<int> _free = new();

    internal CodePool()
    {
        Fd = HostCalls.MemfdCreate("cvisor-code\0"u8, 1).OrThrow("create the patched pages' memory file").Int;
        _ = HostCalls.Ftruncate(Fd, MostPages * (long)PageSize).OrThrow("size the patched pages' memory file");
    }

    /// <summary>The file.</summary>
    internal int Fd { get; }

    /// <summary>Stores a page, with one reference.</summary>
    /// <returns>Its number, or -1 when there is no room.</returns>
    internal int Add(ReadOnlySpan<byte> page)
    {
        int number;
        lock (_lock)
        {
            if (!_free.TryPop(out number))
            {
                if (_counts.Count == MostPages)
                {
                    return -1;
                }

                number = _counts.Count;
                _counts.Add(0);
            }

            _counts[number] = 1;
        }

        if (HostCalls.Pwrite(Fd, page, (long)OffsetOf(number)).Value == page.Length)
        {
            return number;
        }

        Unreference(number);
        return -1;
    }

    /// <summary>Where a page lies in the file, in bytes.</summary>
    internal static ulong OffsetOf(int number) => (ulong)number * PageSize;

    /// <summary>One process more maps a page.</summary>
    internal void Reference(int number)
    {
        lock (_lock)
        {
            _counts[number]++;
        }
    }

    /// <summary>One process less maps it.</summary>
    internal void Unreference(int number)
    {
        lock (_lock)
        {
            if (--_counts[number] == 0)
            {
                if (_free.Count >= KeptPages)
                {
                    _ = HostCalls.Fallocate(Fd, FallocPunchHole | FallocKeepSize, (long)OffsetOf(number), (long)PageSize);
                }

                _free.Push(number);
            }
        }
    }
}
