// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using CVisor.Generators.Shared;
using CVisor.Schema.Model;

namespace CVisor.Generators.Syscalls.Emit;

/// <summary>The partial methods a project must implement: one for each row that is not "none".</summary>
internal sealed record HandlersModel(EquatableArray<HandlerModel> Handlers)
{
    public static HandlersModel From(Spec spec)
    {
        CSharpTypes types = new(spec);
        return new HandlersModel((
            from family in spec.Families
            from row in family.Rows
            where row.Support != SupportLevel.None
            select HandlerModel.From(row, types)).ToEquatableArray());
    }

    public static string Render(HandlersModel model) => Templates.Render("Handlers", model);
}

/// <summary>One handler declaration.</summary>
/// <param name="Name">The method's name.</param>
/// <param name="Syscall">Linux's name.</param>
/// <param name="Returns">The fully qualified result type.</param>
/// <param name="Parameters">The parameters after the task, each preceded by a comma.</param>
internal sealed record HandlerModel(string Name, string Syscall, string Returns, string Parameters)
{
    public static HandlerModel From(SyscallRow row, CSharpTypes types) => new(
        Naming.Pascal(row.Name),
        row.Name,
        row.Blocks ? CSharpTypes.BlockingResult : CSharpTypes.Result,
        string.Concat(row.Args.Select(a => $", {types.Parameter(a)} {Naming.Camel(a.Name)}")));
}
