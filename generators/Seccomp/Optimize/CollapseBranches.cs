// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Generators.Seccomp.Ir;

namespace CVisor.Generators.Seccomp.Optimize;

/// <summary>Drops branches that go the same way whatever the outcome, and what was computed only for them.</summary>
internal static class CollapseBranches
{
    public static FilterNode Run(NodePool pool, FilterNode root) => Visit(pool, root, new Dictionary<FilterNode, FilterNode>());

    private static FilterNode Visit(NodePool pool, FilterNode node, Dictionary<FilterNode, FilterNode> done)
    {
        if (done.TryGetValue(node, out FilterNode? known))
        {
            return known;
        }

        FilterNode result = node switch
        {
            LoadNode load => Unless(Visit(pool, load.Next, done), next => pool.Load(load.Offset, next)),
            AndNode and => Unless(Visit(pool, and.Next, done), next => pool.And(and.Mask, next)),
            BranchNode branch => Branch(pool, branch, Visit(pool, branch.Then, done), Visit(pool, branch.Otherwise, done)),
            _ => node,
        };
        done[node] = result;
        return result;
    }

    private static FilterNode Branch(NodePool pool, BranchNode branch, FilterNode then, FilterNode otherwise)
        => then == otherwise ? then : pool.Branch(branch.Test, branch.Value, then, otherwise);

    // What follows does not look at the accumulator.
    private static FilterNode Unless(FilterNode next, System.Func<FilterNode, FilterNode> make)
        => next is ReturnNode or LoadNode ? next : make(next);
}
