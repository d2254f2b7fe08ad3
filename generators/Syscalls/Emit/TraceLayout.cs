// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using CVisor.Generators.Shared;
using CVisor.Schema.Model;

namespace CVisor.Generators.Syscalls.Emit;

/// <summary>Lays guest structures out as a C compiler does on a 64-bit Linux, and orders types by what they mention.</summary>
internal sealed class TraceLayout
{
    private readonly Dictionary<string, TypeSpec> _types;
    private readonly Dictionary<string, FlagSet> _flags;
    private readonly Dictionary<string, int> _alignments = new();
    private readonly Dictionary<string, TraceTypeModel> _done = new();

    public TraceLayout(Spec spec)
    {
        _types = spec.Types.GroupBy(t => t.Name).ToDictionary(g => g.Key, g => g.First());
        _flags = spec.Flags.GroupBy(f => f.Name).ToDictionary(g => g.Key, g => g.First());
        foreach (string name in _types.Keys.Concat(_flags.Keys).OrderBy(n => n, System.StringComparer.Ordinal))
        {
            Place(name);
        }
    }

    /// <summary>The types, each after those it mentions.</summary>
    public List<TraceTypeModel> Ordered { get; } = new();

    /// <summary>The C# field of type <paramref name="name"/>; a name that is not there was reported and is a plain word.</summary>
    public string FieldOf(string name) => _done.ContainsKey(name) ? "s_" + name : "TraceType.Word";

    /// <summary>An unsigned long literal.</summary>
    public static string Literal(ulong value) => "0x" + value.ToString("x", CultureInfo.InvariantCulture) + "UL";

    private static int SizeOf(string csharp) => csharp switch
    {
        "byte" => 1,
        "short" or "ushort" => 2,
        "int" or "uint" => 4,
        "" => 0,
        _ => 8,
    };

    private void Place(string name)
    {
        if (_done.ContainsKey(name))
        {
            return;
        }

        if (_flags.TryGetValue(name, out FlagSet? set))
        {
            PlaceFlags(set);
        }
        else if (_types.TryGetValue(name, out TypeSpec? type))
        {
            PlaceType(type);
        }
    }

    private void PlaceFlags(FlagSet set)
    {
        int size = SizeOf(set.CSharp);
        string zero = set.Zero.Length == 0 ? "0" : set.Zero;
        string flags = $"{Literal(set.Mask)}, {(set.Format == "oct" ? "true" : "false")}, \"{zero}\"";
        Add(
            new TraceTypeModel(
                "s_" + set.Name,
                set.Name,
                "Flags",
                size,
                false,
                flags,
                set.Enum.Select(TraceValueModel.From).ToEquatableArray(),
                set.Bits.Select(TraceValueModel.From).ToEquatableArray(),
                default),
            size);
    }

    private void PlaceType(TypeSpec type)
    {
        if (type.Fields.Count == 0)
        {
            int scalar = SizeOf(type.CSharp);
            bool signed = type.CSharp is "int" or "long" or "short";
            Add(new TraceTypeModel("s_" + type.Name, type.Name, Naming.Pascal(type.Format), scalar, signed, "", default, default, default), scalar);
            return;
        }

        // Ends the recursion of a structure that contains itself; its size is then wrong, which no caller sees.
        _alignments[type.Name] = 1;
        List<TraceFieldModel> fields = new();
        int offset = 0;
        int widest = 1;
        foreach (FieldSpec field in type.Fields)
        {
            if (field.Type.Length == 0)
            {
                offset += field.Padding;
                continue;
            }

            if (!_alignments.ContainsKey(field.Type))
            {
                Place(field.Type);
            }

            int size = _done.TryGetValue(field.Type, out TraceTypeModel? placed) ? placed.Size : 8;
            int alignment = type.Packed || !_alignments.TryGetValue(field.Type, out int natural) || natural == 0 ? 1 : natural;
            offset = RoundUp(offset, alignment);
            widest = alignment > widest ? alignment : widest;
            fields.Add(new TraceFieldModel(field.Name, offset, FieldOf(field.Type)));
            offset += size;
        }

        Add(
            new TraceTypeModel(
                "s_" + type.Name, type.Name, "Struct", RoundUp(offset, widest), false, "", default, default, fields.ToEquatableArray()),
            widest);
    }

    private static int RoundUp(int offset, int alignment) => (offset + alignment - 1) / alignment * alignment;

    private void Add(TraceTypeModel type, int alignment)
    {
        _alignments[type.Name] = alignment;
        _done[type.Name] = type;
        Ordered.Add(type);
    }
}
