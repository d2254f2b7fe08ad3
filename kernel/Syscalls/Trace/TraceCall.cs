// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Syscalls.Trace;

/// <summary>A call and its arguments.</summary>
public sealed class TraceCall
{
    private readonly TraceArg[] _args;

    /// <summary>A call with its arguments in register order.</summary>
    public TraceCall(string name, params TraceArg[] args)
    {
        Name = name;
        _args = args;
    }

    /// <summary>Linux's name.</summary>
    public string Name { get; }

    /// <summary>The arguments in register order.</summary>
    public ReadOnlySpan<TraceArg> Args => _args;
}

/// <summary>An argument.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its type, or the type behind the pointer.</param>
/// <param name="Direction">How memory behind the pointer is used.</param>
/// <param name="Count">How many elements are there.</param>
public sealed record TraceArg(string Name, TraceType Type, TraceDirection Direction, TraceCount Count);

/// <summary>How many elements an array argument has.</summary>
public readonly record struct TraceCount
{
    private TraceCount(Kind source, int value) => (Source, Value) = (source, value);

    /// <summary>Where a count comes from.</summary>
    public enum Kind
    {
        /// <summary>There is one element and it is no array.</summary>
        One,

        /// <summary>A number that never changes.</summary>
        Fixed,

        /// <summary>Another argument.</summary>
        Argument,

        /// <summary>The 32-bit number another argument points to.</summary>
        Pointed,

        /// <summary>The call's result.</summary>
        Result,
    }

    /// <summary>No array.</summary>
    public static TraceCount One => default;

    /// <summary>The call's result.</summary>
    public static TraceCount Result => new(Kind.Result, 0);

    /// <summary>Where the count comes from.</summary>
    public Kind Source { get; }

    /// <summary>The number, or the index of the argument.</summary>
    public int Value { get; }

    /// <summary>A fixed number of elements.</summary>
    public static TraceCount Fixed(int count) => new(Kind.Fixed, count);

    /// <summary>As many as argument <paramref name="index"/> says.</summary>
    public static TraceCount Argument(int index) => new(Kind.Argument, index);

    /// <summary>As many as the number argument <paramref name="index"/> points to says.</summary>
    public static TraceCount Pointed(int index) => new(Kind.Pointed, index);
}
