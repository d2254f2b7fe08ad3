// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using CVisor.Generators.Shared;
using CVisor.Schema.Model;
using CVisor.Schema.Parsing;

namespace CVisor.Generators.Syscalls.Emit;

/// <summary>What a trace needs to know of calls, types and flag sets.</summary>
/// <param name="Types">Types in an order in which each stands after those it mentions.</param>
/// <param name="Calls">Calls in number order.</param>
internal sealed record TraceModel(EquatableArray<TraceTypeModel> Types, EquatableArray<TraceCallModel> Calls)
{
    public static TraceModel From(Spec spec)
    {
        TraceLayout layout = new(spec);
        IEnumerable<TraceCallModel> calls =
            from family in spec.Families
            from row in family.Rows
            where row.X64 is not null
            orderby row.X64
            select new TraceCallModel(row.X64!.Value, row.Name, row.Args.Select(a => TraceArgModel.From(row, a, layout)).ToEquatableArray());
        return new TraceModel(layout.Ordered.ToEquatableArray(), calls.ToEquatableArray());
    }

    public static string Render(TraceModel model) => Templates.Render("Trace", model);
}

/// <summary>One type, flag sets included.</summary>
/// <param name="Field">The C# field that holds it.</param>
/// <param name="Name">Its name in the spec.</param>
/// <param name="Format">The TraceFormat member.</param>
/// <param name="Size">Its size in guest memory, in bytes; 0 when it has no fixed size.</param>
/// <param name="Signed">Whether a decimal is printed with a sign.</param>
/// <param name="Flags">The arguments of the TraceFlagSet constructor, or empty.</param>
/// <param name="Values">The named values of a flag set, each of which exactly one applies.</param>
/// <param name="Bits">The named bits of a flag set.</param>
/// <param name="Fields">The fields of a structure.</param>
internal sealed record TraceTypeModel(
    string Field,
    string Name,
    string Format,
    int Size,
    bool Signed,
    string Flags,
    EquatableArray<TraceValueModel> Values,
    EquatableArray<TraceValueModel> Bits,
    EquatableArray<TraceFieldModel> Fields);

/// <summary>A named value.</summary>
internal sealed record TraceValueModel(string Name, string Literal)
{
    public static TraceValueModel From(NamedValue value) => new(value.Name, TraceLayout.Literal(value.Value));
}

/// <summary>One field.</summary>
internal sealed record TraceFieldModel(string Name, int Offset, string Type);

/// <summary>One call.</summary>
internal sealed record TraceCallModel(int Number, string Name, EquatableArray<TraceArgModel> Args);

/// <summary>One argument.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">The field that holds its type.</param>
/// <param name="Direction">The TraceDirection member.</param>
/// <param name="Count">The TraceCount expression.</param>
internal sealed record TraceArgModel(string Name, string Type, string Direction, string Count)
{
    public static TraceArgModel From(SyscallRow row, ArgSpec arg, TraceLayout layout)
        => new(arg.Name, layout.FieldOf(arg.Type), arg.Direction.ToString(), CountOf(row, arg));

    private static string CountOf(SyscallRow row, ArgSpec arg)
    {
        if (arg.Count.Length == 0)
        {
            return "One";
        }

        if (arg.Count == "ret")
        {
            return "Result";
        }

        if (NodeReader.TryParseNumber(arg.Count, out ulong fixedCount))
        {
            return "Fixed(" + fixedCount.ToString(CultureInfo.InvariantCulture) + ")";
        }

        int index = row.Args.Select(a => a.Name).ToList().IndexOf(arg.Count);
        string form = row.Args[index].Direction == PointerDirection.None ? "Argument" : "Pointed";
        return form + "(" + index.ToString(CultureInfo.InvariantCulture) + ")";
    }
}
