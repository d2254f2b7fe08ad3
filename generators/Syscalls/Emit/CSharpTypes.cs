// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using CVisor.Schema.Model;

namespace CVisor.Generators.Syscalls.Emit;

/// <summary>How arguments look in C#: their types and how a register becomes one.</summary>
internal sealed class CSharpTypes
{
    /// <summary>What a handler returns.</summary>
    public const string Result = "global::CVisor.Core.Tasks.SyscallResult";

    /// <summary>What a handler that may wait returns.</summary>
    public const string BlockingResult = "global::CVisor.Core.Tasks.Blocking<global::CVisor.Core.Tasks.SyscallResult>";

    private const string UserPtr = "global::CVisor.Core.Memory.UserPtr";

    private readonly Dictionary<string, string> _scalars = new();

    public CSharpTypes(Spec spec)
    {
        foreach (TypeSpec type in spec.Types.Where(t => t.CSharp.Length > 0))
        {
            _scalars[type.Name] = type.CSharp;
        }

        foreach (FlagSet set in spec.Flags)
        {
            _scalars[set.Name] = set.CSharp;
        }
    }

    /// <summary>The parameter type of <paramref name="arg"/>.</summary>
    public string Parameter(ArgSpec arg)
    {
        string type = Scalar(arg);
        return type == "ptr" ? UserPtr : type;
    }

    /// <summary>The expression that takes <paramref name="arg"/> out of register <paramref name="index"/>.</summary>
    public string Decode(ArgSpec arg, int index) => Scalar(arg) switch
    {
        "ptr" => $"new {UserPtr}(args.A{index})",
        "ulong" => $"args.A{index}",
        string type => $"unchecked(({type})args.A{index})",
    };

    // A name that is not there was reported by validation; the row is printed as if it were a plain register.
    private string Scalar(ArgSpec arg)
        => arg.Direction != PointerDirection.None ? "ptr" : _scalars.TryGetValue(arg.Type, out string? type) ? type : "ulong";
}
