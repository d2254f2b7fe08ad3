// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Schema.Model;

namespace CVisor.Generators.Seccomp.Ir;

/// <summary>Makes nodes, each only once: what two rules have in common becomes one piece of program.</summary>
public sealed class NodePool
{
    private readonly Dictionary<FilterVerdict, ReturnNode> _returns = new();
    private readonly Dictionary<(int, FilterNode), LoadNode> _loads = new();
    private readonly Dictionary<(uint, FilterNode), AndNode> _ands = new();
    private readonly Dictionary<(BranchTest, uint, FilterNode, FilterNode), BranchNode> _branches = new();

    /// <summary>The end of a decision.</summary>
    public FilterNode Return(FilterVerdict verdict)
        => _returns.TryGetValue(verdict, out ReturnNode? node) ? node : _returns[verdict] = new ReturnNode(verdict);

    /// <summary>Loads a word.</summary>
    public FilterNode Load(int offset, FilterNode next)
        => _loads.TryGetValue((offset, next), out LoadNode? node) ? node : _loads[(offset, next)] = new LoadNode(offset, next);

    /// <summary>Masks the accumulator.</summary>
    public FilterNode And(uint mask, FilterNode next)
        => _ands.TryGetValue((mask, next), out AndNode? node) ? node : _ands[(mask, next)] = new AndNode(mask, next);

    /// <summary>Goes one of two ways.</summary>
    public FilterNode Branch(BranchTest test, uint value, FilterNode then, FilterNode otherwise)
    {
        (BranchTest, uint, FilterNode, FilterNode) key = (test, value, then, otherwise);
        return _branches.TryGetValue(key, out BranchNode? node) ? node : _branches[key] = new BranchNode(test, value, then, otherwise);
    }
}
