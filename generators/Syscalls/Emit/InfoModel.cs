// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using CVisor.Generators.Shared;
using CVisor.Schema.Model;

namespace CVisor.Generators.Syscalls.Emit;

/// <summary>Names and support levels by x86_64 number.</summary>
internal sealed record InfoModel(EquatableArray<InfoRow> Rows, int Limit)
{
    public static InfoModel From(Spec spec)
    {
        EquatableArray<InfoRow> rows = (
            from family in spec.Families
            from row in family.Rows
            where row.X64 is not null
            orderby row.X64
            select new InfoRow(row.X64!.Value, row.Name, row.Support.ToString())).ToEquatableArray();
        return new InfoModel(rows, rows.Count == 0 ? 0 : rows[rows.Count - 1].Number + 1);
    }

    public static string Render(InfoModel model) => Templates.Render("Info", model);
}

/// <summary>One number.</summary>
internal sealed record InfoRow(int Number, string Name, string Support);
