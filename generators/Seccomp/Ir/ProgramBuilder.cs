// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using CVisor.Generators.Seccomp.Optimize;
using CVisor.Schema.Model;

namespace CVisor.Generators.Seccomp.Ir;

/// <summary>Builds the decision graph of a role: place of the call, architecture, ABI, a search over numbers, conditions on arguments.</summary>
public static class ProgramBuilder
{
    /// <summary>The optimized graph of <paramref name="role"/>.</summary>
    public static FilterNode Build(RoleFilterSpec role)
    {
        NodePool pool = new();
        List<NumberRange> ranges = MergeRanges.Run(Ranges(pool, role));
        FilterNode kill = pool.Return(new FilterVerdict(FilterAction.KillProcess, ""));
        FilterNode search = pool.Load(SeccompData.Number, SearchTree.Build(pool, ranges));
        FilterNode root = pool.Load(SeccompData.Arch, pool.Branch(BranchTest.Equal, SeccompData.ArchX64, search, kill));
        if (role.ForeignCaller is FilterVerdict verdict)
        {
            FilterNode foreign = pool.Return(verdict);
            FilterNode high = pool.Load(SeccompData.CallerHigh, pool.Branch(BranchTest.EqualSlot, (uint)FilterSlot.CallerHigh, root, foreign));
            root = pool.Load(SeccompData.CallerLow, pool.Branch(BranchTest.EqualSlot, (uint)FilterSlot.CallerLow, high, foreign));
        }

        return CollapseBranches.Run(pool, RemoveRedundantLoads.Run(pool, root));
    }

    /// <summary>What happens with each number: every range goes up to the next one's start, the last to the end.</summary>
    internal static List<NumberRange> Ranges(NodePool pool, RoleFilterSpec role)
    {
        FilterNode otherwise = pool.Return(role.Default);
        List<NumberRange> ranges = new() { new NumberRange(0, otherwise) };
        foreach (CallFilter call in role.Calls.OrderBy(c => c.Number))
        {
            ranges.Add(new NumberRange((uint)call.Number, BuildCall(pool, call)));
            ranges.Add(new NumberRange((uint)call.Number + 1, otherwise));
        }

        ranges.Add(new NumberRange(SeccompData.X32Bit, pool.Return(new FilterVerdict(FilterAction.KillProcess, ""))));
        return ranges;
    }

    private static FilterNode BuildCall(NodePool pool, CallFilter call)
    {
        FilterNode match = pool.Return(call.Match);
        if (call.Alternatives.Count == 0)
        {
            return match;
        }

        ConditionBuilder conditions = new(pool);
        FilterNode node = pool.Return(call.Otherwise);
        foreach (FilterAlternative alternative in call.Alternatives.Reverse())
        {
            FilterNode no = node;
            FilterNode yes = match;
            foreach (FilterCondition condition in alternative.Conditions.Reverse())
            {
                yes = conditions.Build(condition, yes, no);
            }

            node = yes;
        }

        return node;
    }
}

/// <summary>Numbers from <paramref name="Start"/> up to the next range's start.</summary>
/// <param name="Start">The first number.</param>
/// <param name="Node">What happens with them.</param>
internal sealed record NumberRange(uint Start, FilterNode Node);
