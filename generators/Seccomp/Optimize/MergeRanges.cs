// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Generators.Seccomp.Ir;

namespace CVisor.Generators.Seccomp.Optimize;

/// <summary>Joins neighbouring ranges that end the same way, and drops empty ones.</summary>
internal static class MergeRanges
{
    public static List<NumberRange> Run(List<NumberRange> ranges)
    {
        List<NumberRange> merged = new();
        for (int i = 0; i < ranges.Count; i++)
        {
            bool isEmpty = i + 1 < ranges.Count && ranges[i + 1].Start == ranges[i].Start;
            if (isEmpty || (merged.Count > 0 && merged[merged.Count - 1].Node == ranges[i].Node))
            {
                continue;
            }

            merged.Add(ranges[i]);
        }

        return merged;
    }
}
