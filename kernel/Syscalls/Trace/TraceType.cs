// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Syscalls.Trace;

/// <summary>A type of the spec, as a trace sees it.</summary>
public sealed class TraceType
{
    /// <summary>A register of which nothing is known.</summary>
    public static readonly TraceType Word = new("word", TraceFormat.Hex, sizeof(ulong), isSigned: false);

    private readonly TraceField[] _fields = [];

    /// <summary>A type printed by <paramref name="format"/>; <paramref name="size"/> in bytes, 0 when it has no fixed size.</summary>
    public TraceType(string name, TraceFormat format, int size, bool isSigned)
    {
        Name = name;
        Format = format;
        Size = size;
        IsSigned = isSigned;
    }

    private TraceType(string name, int size, TraceFlagSet flags)
        : this(name, TraceFormat.Flags, size, isSigned: false) => Flags = flags;

    private TraceType(string name, int size, TraceField[] fields)
        : this(name, TraceFormat.Struct, size, isSigned: false) => _fields = fields;

    /// <summary>Its name in the spec.</summary>
    public string Name { get; }

    /// <summary>How it is printed.</summary>
    public TraceFormat Format { get; }

    /// <summary>Its size in guest memory in bytes; 0 when it has no fixed size.</summary>
    public int Size { get; }

    /// <summary>Whether a decimal has a sign.</summary>
    public bool IsSigned { get; }

    /// <summary>The values, for <see cref="TraceFormat.Flags"/>.</summary>
    public TraceFlagSet? Flags { get; }

    /// <summary>The fields, for <see cref="TraceFormat.Struct"/>.</summary>
    public ReadOnlySpan<TraceField> Fields => _fields;

    /// <summary>A type of named values.</summary>
    public static TraceType OfFlags(string name, int size, TraceFlagSet flags) => new(name, size, flags);

    /// <summary>A structure.</summary>
    public static TraceType OfStruct(string name, int size, TraceField[] fields) => new(name, size, fields);
}

/// <summary>A field of a structure.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Offset">Its place in bytes.</param>
/// <param name="Type">Its type.</param>
public readonly record struct TraceField(string Name, int Offset, TraceType Type);
