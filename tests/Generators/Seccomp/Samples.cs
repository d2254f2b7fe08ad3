// SPDX-License-Identifier: Apache-2.0
using CVisor.Schema.Model;

namespace CVisor.Generators.Tests.Seccomp;

/// <summary>Values on both sides of a condition.</summary>
internal static class Samples
{
    public static ulong Matching(FilterCondition condition) => condition.Test switch
    {
        FilterTest.OneOf or FilterTest.Masked or FilterTest.AtMost => condition.Values[0],
        FilterTest.NoneOf => Enumerable.Range(0, 64).Select(i => (ulong)i).First(v => !condition.Values.Contains(v)),
        _ => Reference.OwnPid,
    };

    public static ulong Violating(FilterCondition condition)
        => Around(condition).First(v => !Reference.Holds(condition, new SeccompCall(0, 0, 0, [.. Enumerable.Repeat(v, 6)])));

    /// <summary>Each value, its neighbours, each with one bit turned over, in the upper half too.</summary>
    public static IEnumerable<ulong> Around(FilterCondition condition)
    {
        foreach (ulong value in condition.Values.Append(Matching(condition)))
        {
            yield return value;
            yield return unchecked(value + 1);
            yield return unchecked(value - 1);
            for (int bit = 0; bit < 64; bit++)
            {
                yield return value ^ (1UL << bit);
            }
        }

        yield return 0;
        yield return ulong.MaxValue;
    }
}
