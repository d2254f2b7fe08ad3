// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using CVisor.Generators.Shared;
using CVisor.Schema.Model;

namespace CVisor.Generators.Syscalls.Emit;

/// <summary>The constants of SyscallNumbers.</summary>
internal sealed record NumbersModel(EquatableArray<ArchNumbers> Architectures)
{
    public static NumbersModel From(Spec spec) => new(new EquatableArray<ArchNumbers>(new[]
    {
        new ArchNumbers("X86_64", "x86_64", Constants(spec, r => r.X64)),
        new ArchNumbers("AArch64", "aarch64", Constants(spec, r => r.Arm64)),
    }));

    public static string Render(NumbersModel model) => Templates.Render("Numbers", model);

    private static EquatableArray<NumberConstant> Constants(Spec spec, Func<SyscallRow, int?> number)
    {
        IEnumerable<NumberConstant> constants =
            from family in spec.Families
            from row in family.Rows
            let n = number(row)
            where n is not null
            orderby n
            select new NumberConstant(Naming.Pascal(row.Name), row.Name, n.Value);
        return constants.ToEquatableArray();
    }
}

/// <summary>One architecture's constants, in number order.</summary>
internal sealed record ArchNumbers(string ClassName, string Name, EquatableArray<NumberConstant> Constants);

/// <summary>One constant.</summary>
internal sealed record NumberConstant(string Identifier, string Name, int Value);
