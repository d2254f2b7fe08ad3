// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;

namespace CVisor.Generators.NineP;

/// <summary>How a field travels.</summary>
internal enum WireKind
{
    U8,
    U16,
    U32,
    U64,
    I64,
    Struct,
    String,
    Data,
    ListU32,
    ListString,
    ListStruct,
    Packed,
}

/// <summary>A field's type: its kind, the struct it names, and the constants that cap it.</summary>
/// <param name="Kind">How it travels.</param>
/// <param name="StructName">The struct of a Struct, ListStruct or Packed.</param>
/// <param name="Limit">The cap's constant: bytes of a String, Data or Packed, elements of a list.</param>
/// <param name="ElementLimit">The cap of each string of a ListString.</param>
internal sealed record WireType(WireKind Kind, string StructName, string Limit, string ElementLimit);

/// <summary>A field of a message or struct.</summary>
internal sealed record FieldModel(string Name, WireType Type, string Doc);

/// <summary>A named cap.</summary>
internal sealed record LimitModel(string Name, long Value, string Why);

/// <summary>A struct; <see cref="FixedSize"/> is -1 when it holds a string.</summary>
internal sealed record StructModel(string Name, string Doc, int FixedSize, ModelList<FieldModel> Fields);

/// <summary>A request and its reply.</summary>
internal sealed record MessageModel(
    string Name, int Id, string Doc, string Extension, bool HasRequest, int Fds, ModelList<FieldModel> Request, ModelList<FieldModel> Reply);

/// <summary>The whole <c>ninep</c> section.</summary>
internal sealed record NinePModel(
    string Version, ModelList<LimitModel> Limits, ModelList<StructModel> Structs, ModelList<MessageModel> Messages);

/// <summary>A fault in the section, at a place in the YAML (zero-based).</summary>
internal sealed record NinePFault(string Message, int Line, int Column);

/// <summary>What parsing gave: a model, or the faults.</summary>
internal sealed record NinePParse(NinePModel? Model, ModelList<NinePFault> Faults, string Path);

/// <summary>A list that is equal to another with equal elements, so that the pipeline can tell that nothing changed.</summary>
internal sealed class ModelList<T>(IEnumerable<T> items) : IReadOnlyList<T>, IEquatable<ModelList<T>>
{
    private readonly T[] _items = items.ToArray();

    /// <inheritdoc/>
    public int Count => _items.Length;

    /// <inheritdoc/>
    public T this[int index] => _items[index];

    /// <inheritdoc/>
    public bool Equals(ModelList<T>? other) => other is not null && _items.SequenceEqual(other._items);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ModelList<T> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        int hash = 17;
        foreach (T item in _items)
        {
            hash = unchecked((hash * 31) + (item?.GetHashCode() ?? 0));
        }

        return hash;
    }

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_items).GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => _items.GetEnumerator();
}
