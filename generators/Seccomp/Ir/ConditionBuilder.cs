// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using CVisor.Schema.Model;

namespace CVisor.Generators.Seccomp.Ir;

/// <summary>Turns conditions on arguments into branches. The machine has 32-bit words, so a wide argument is compared in halves.</summary>
internal sealed class ConditionBuilder
{
    private readonly NodePool _pool;

    public ConditionBuilder(NodePool pool) => _pool = pool;

    /// <summary>Goes to <paramref name="yes"/> when the condition holds, else to <paramref name="no"/>.</summary>
    public FilterNode Build(FilterCondition condition, FilterNode yes, FilterNode no) => condition.Test switch
    {
        FilterTest.OneOf => OneOf(condition, yes, no),
        FilterTest.NoneOf => OneOf(condition, no, yes),
        FilterTest.Masked => Masked(condition, yes, no),
        FilterTest.AtMost => AtMost(condition, yes, no),
        _ => _pool.Load(SeccompData.Low(condition.Argument), _pool.Branch(BranchTest.EqualSlot, (uint)FilterSlot.OwnPid, yes, no)),
    };

    private static uint LowHalf(ulong value) => unchecked((uint)value);

    private static uint HighHalf(ulong value) => (uint)(value >> 32);

    private FilterNode OneOf(FilterCondition condition, FilterNode yes, FilterNode no)
    {
        int argument = condition.Argument;
        if (!condition.Wide)
        {
            return _pool.Load(SeccompData.Low(argument), AnyEqual(condition.Values.Select(LowHalf), yes, no));
        }

        FilterNode node = no;
        foreach (IGrouping<uint, ulong> group in condition.Values.GroupBy(HighHalf).OrderByDescending(g => g.Key))
        {
            FilterNode low = _pool.Load(SeccompData.Low(argument), AnyEqual(group.Select(LowHalf), yes, no));
            node = _pool.Branch(BranchTest.Equal, group.Key, low, node);
        }

        return _pool.Load(SeccompData.High(argument), node);
    }

    private FilterNode AnyEqual(IEnumerable<uint> values, FilterNode yes, FilterNode no)
    {
        FilterNode node = no;
        foreach (uint value in values.Reverse())
        {
            node = _pool.Branch(BranchTest.Equal, value, yes, node);
        }

        return node;
    }

    private FilterNode Masked(FilterCondition condition, FilterNode yes, FilterNode no)
    {
        ulong value = condition.Values[0];
        FilterNode low = MaskedHalf(SeccompData.Low(condition.Argument), LowHalf(condition.Mask), LowHalf(value), yes, no);
        return condition.Wide
            ? MaskedHalf(SeccompData.High(condition.Argument), HighHalf(condition.Mask), HighHalf(value), low, no)
            : low;
    }

    private FilterNode MaskedHalf(int offset, uint mask, uint value, FilterNode yes, FilterNode no)
    {
        if (mask == 0)
        {
            return yes;
        }

        if (mask == uint.MaxValue)
        {
            return _pool.Load(offset, _pool.Branch(BranchTest.Equal, value, yes, no));
        }

        // "None of these bits" leaves the word in the accumulator for the next test.
        return value == 0
            ? _pool.Load(offset, _pool.Branch(BranchTest.AnyBit, mask, no, yes))
            : _pool.Load(offset, _pool.And(mask, _pool.Branch(BranchTest.Equal, value, yes, no)));
    }

    private FilterNode AtMost(FilterCondition condition, FilterNode yes, FilterNode no)
    {
        ulong max = condition.Values[0];
        FilterNode low = _pool.Load(SeccompData.Low(condition.Argument), _pool.Branch(BranchTest.Greater, LowHalf(max), no, yes));
        if (!condition.Wide)
        {
            return low;
        }

        FilterNode equal = _pool.Branch(BranchTest.Equal, HighHalf(max), low, yes);
        return _pool.Load(SeccompData.High(condition.Argument), _pool.Branch(BranchTest.Greater, HighHalf(max), no, equal));
    }
}
