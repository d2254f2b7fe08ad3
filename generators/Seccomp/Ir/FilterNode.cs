// SPDX-License-Identifier: Apache-2.0
using CVisor.Schema.Model;

namespace CVisor.Generators.Seccomp.Ir;

/// <summary>A step of a filter's decision. Nodes form a graph without cycles; equal nodes of one pool are the same object.</summary>
public abstract class FilterNode
{
    private protected FilterNode()
    {
    }
}

/// <summary>The end of a decision.</summary>
public sealed class ReturnNode : FilterNode
{
    internal ReturnNode(FilterVerdict verdict) => Verdict = verdict;

    /// <summary>What happens with the call.</summary>
    public FilterVerdict Verdict { get; }
}

/// <summary>Loads a 32-bit word of struct seccomp_data into the accumulator.</summary>
public sealed class LoadNode : FilterNode
{
    internal LoadNode(int offset, FilterNode next) => (Offset, Next) = (offset, next);

    /// <summary>The word's offset in bytes.</summary>
    public int Offset { get; }

    /// <summary>What follows.</summary>
    public FilterNode Next { get; }
}

/// <summary>Masks the accumulator.</summary>
public sealed class AndNode : FilterNode
{
    internal AndNode(uint mask, FilterNode next) => (Mask, Next) = (mask, next);

    /// <summary>The bits that stay.</summary>
    public uint Mask { get; }

    /// <summary>What follows.</summary>
    public FilterNode Next { get; }
}

/// <summary>How a branch compares the accumulator with its value; unsigned.</summary>
public enum BranchTest
{
    /// <summary>Equal.</summary>
    Equal,

    /// <summary>Greater.</summary>
    Greater,

    /// <summary>Greater or equal.</summary>
    GreaterOrEqual,

    /// <summary>Any of the value's bits is set.</summary>
    AnyBit,

    /// <summary>Equal to a value that the installer writes into the program: see <see cref="FilterSlot"/>.</summary>
    EqualSlot,
}

/// <summary>Values known only when a filter is installed. The generated code passes their numbers on to the installer.</summary>
public enum FilterSlot
{
    /// <summary>The process's own ID.</summary>
    OwnPid,

    /// <summary>The lower half of the address behind the one instruction that may call.</summary>
    CallerLow,

    /// <summary>The upper half of it.</summary>
    CallerHigh,
}

/// <summary>Goes one of two ways.</summary>
public sealed class BranchNode : FilterNode
{
    internal BranchNode(BranchTest test, uint value, FilterNode then, FilterNode otherwise)
        => (Test, Value, Then, Otherwise) = (test, value, then, otherwise);

    /// <summary>The comparison.</summary>
    public BranchTest Test { get; }

    /// <summary>What the accumulator is compared with; for <see cref="BranchTest.EqualSlot"/> the <see cref="FilterSlot"/>.</summary>
    public uint Value { get; }

    /// <summary>Where to when it holds.</summary>
    public FilterNode Then { get; }

    /// <summary>Where to when it does not.</summary>
    public FilterNode Otherwise { get; }
}
