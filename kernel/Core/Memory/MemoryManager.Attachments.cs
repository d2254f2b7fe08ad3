// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace CVisor.Core.Memory;

/// <summary>What shmdt(2) needs to know of mappings.</summary>
public sealed partial class MemoryManager
{
    /// <summary>The source whose first byte is mapped exactly at an address, or null.</summary>
    public MemorySource? FindAttachment(UserPtr address)
    {
        lock (_lock)
        {
            return _vmas.Find(address.Address) is { IsShared: true } vma && vma.Start == address.Address && vma.Offset == 0 ? vma.Source : null;
        }
    }

    /// <summary>Removes what is left of a mapping that was made in one piece: parts may have been unmapped or replaced since.</summary>
    /// <param name="address">Where the source's first byte was mapped.</param>
    /// <param name="source">The source.</param>
    /// <param name="length">The mapping's length in bytes.</param>
    public void UnmapAttachment(UserPtr address, MemorySource source, ulong length)
    {
        List<(ulong Start, ulong Length)> parts = [];
        lock (_lock)
        {
            foreach (Vma vma in _vmas)
            {
                if (vma.Source == source && vma.Start >= address.Address && vma.Start - address.Address < length && vma.Start - address.Address == vma.Offset)
                {
                    parts.Add((vma.Start, vma.Length));
                }
            }
        }

        foreach ((ulong start, ulong partLength) in parts)
        {
            _ = Unmap(new UserPtr(start), partLength);
        }
    }
}
