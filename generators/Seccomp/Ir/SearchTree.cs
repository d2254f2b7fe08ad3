// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace CVisor.Generators.Seccomp.Ir;

/// <summary>A balanced search over number ranges, with the number in the accumulator.</summary>
internal static class SearchTree
{
    public static FilterNode Build(NodePool pool, List<NumberRange> ranges) => Build(pool, ranges, 0, ranges.Count);

    private static FilterNode Build(NodePool pool, List<NumberRange> ranges, int from, int to)
    {
        if (to - from == 1)
        {
            return ranges[from].Node;
        }

        // A single number between two equal neighbours is one comparison instead of two.
        if (to - from == 3 && ranges[from].Node == ranges[from + 2].Node && ranges[from + 2].Start == ranges[from + 1].Start + 1)
        {
            return pool.Branch(BranchTest.Equal, ranges[from + 1].Start, ranges[from + 1].Node, ranges[from].Node);
        }

        int middle = (from + to) / 2;
        return pool.Branch(
            BranchTest.GreaterOrEqual, ranges[middle].Start, Build(pool, ranges, middle, to), Build(pool, ranges, from, middle));
    }
}
