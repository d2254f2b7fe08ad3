// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Generators.Seccomp.Ir;

namespace CVisor.Generators.Seccomp.Optimize;

/// <summary>Drops a load of the word that the accumulator holds already on every way there.</summary>
internal static class RemoveRedundantLoads
{
    /// <summary>No word of seccomp_data is known to be in the accumulator.</summary>
    private const int Unknown = -1;

    public static FilterNode Run(NodePool pool, FilterNode root) => new Pass(pool).Visit(root, Unknown);

    private sealed class Pass
    {
        private readonly NodePool _pool;
        private readonly Dictionary<(FilterNode, int), FilterNode> _done = new();

        public Pass(NodePool pool) => _pool = pool;

        public FilterNode Visit(FilterNode node, int held)
        {
            if (_done.TryGetValue((node, held), out FilterNode? known))
            {
                return known;
            }

            FilterNode result = node switch
            {
                LoadNode load when load.Offset == held => Visit(load.Next, held),
                LoadNode load => _pool.Load(load.Offset, Visit(load.Next, load.Offset)),
                AndNode and => _pool.And(and.Mask, Visit(and.Next, Unknown)),
                BranchNode branch => _pool.Branch(branch.Test, branch.Value, Visit(branch.Then, held), Visit(branch.Otherwise, held)),
                _ => node,
            };
            _done[(node, held)] = result;
            return result;
        }
    }
}
