// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using CVisor.Generators.Shared;
using CVisor.Schema.Model;

namespace CVisor.Generators.Syscalls.Emit;

/// <summary>The switch over x86_64 numbers.</summary>
/// <param name="Ready">Calls whose handler never waits.</param>
/// <param name="Blocking">Calls whose handler may wait.</param>
/// <param name="Refused">Calls without a handler, grouped by what they answer.</param>
/// <param name="Standing">Calls whose answer a platform may give.</param>
internal sealed record DispatchModel(
    EquatableArray<DispatchCase> Ready, EquatableArray<DispatchCase> Blocking, EquatableArray<RefusedGroup> Refused, EquatableArray<DispatchCase> Standing)
{
    public static DispatchModel From(Spec spec)
    {
        CSharpTypes types = new(spec);
        List<SyscallRow> rows = spec.Families.SelectMany(f => f.Rows).Where(r => r.X64 is not null).OrderBy(r => r.X64).ToList();
        List<SyscallRow> handled = rows.Where(r => r.Support != SupportLevel.None).ToList();
        return new DispatchModel(
            handled.Where(r => !r.Blocks).Select(r => DispatchCase.From(r, types)).ToEquatableArray(),
            handled.Where(r => r.Blocks).Select(r => DispatchCase.From(r, types)).ToEquatableArray(),
            rows.Where(r => r.Support == SupportLevel.None)
                .GroupBy(r => r.Errno, System.StringComparer.Ordinal)
                .OrderBy(g => g.Key, System.StringComparer.Ordinal)
                .Select(g => new RefusedGroup(g.Key, g.Select(r => new RefusedCase(r.X64!.Value, r.Name)).ToEquatableArray()))
                .ToEquatableArray(),
            handled.Where(r => r.IsStanding).Select(r => DispatchCase.From(r, types)).ToEquatableArray());
    }

    public static string Render(DispatchModel model) => Templates.Render("Dispatch", model);
}

/// <summary>One handled number.</summary>
/// <param name="Number">The number.</param>
/// <param name="Handler">The handler's name.</param>
/// <param name="Arguments">The decoded arguments, each preceded by a comma.</param>
internal sealed record DispatchCase(int Number, string Handler, string Arguments)
{
    public static DispatchCase From(SyscallRow row, CSharpTypes types) => new(
        row.X64!.Value,
        Naming.Pascal(row.Name),
        string.Concat(row.Args.Select((a, i) => ", " + types.Decode(a, i))));
}

/// <summary>Numbers that answer the same errno.</summary>
internal sealed record RefusedGroup(string Errno, EquatableArray<RefusedCase> Cases);

/// <summary>One number without a handler.</summary>
internal sealed record RefusedCase(int Number, string Name);
