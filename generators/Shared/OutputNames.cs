// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Generators.Shared;

/// <summary>What a project can ask for in its CVisorGenerate property.</summary>
public static class OutputNames
{
    /// <summary>SyscallNumbers: constants per architecture.</summary>
    public const string Numbers = "Numbers";

    /// <summary>Handlers: a partial declaration per supported row.</summary>
    public const string Handlers = "Handlers";

    /// <summary>SyscallTable: register decode and the switch over numbers.</summary>
    public const string Dispatch = "Dispatch";

    /// <summary>SyscallInfo: names by number and back.</summary>
    public const string Info = "Info";

    /// <summary>SyscallTrace: the data strace lines are printed from.</summary>
    public const string Trace = "Trace";

    /// <summary>RoleFilters: seccomp programs per process role.</summary>
    public const string Filters = "Filters";

    /// <summary>9P codecs.</summary>
    public const string NineP = "NineP";

    /// <summary>Random samples of 9P messages, for tests.</summary>
    public const string NinePSamples = "NinePSamples";

    /// <summary>HostCodeX64: machine code of our own processes.</summary>
    public const string HostCode = "HostCode";

    /// <summary>StubX64: machine code of systrap's stubs.</summary>
    public const string StubCode = "StubCode";

    /// <summary>The outputs of the guest call sections.</summary>
    public static readonly string[] OfSyscalls = { Numbers, Handlers, Dispatch, Info, Trace };

    /// <summary>Every name, to catch misspelt ones.</summary>
    public static readonly string[] All = { Numbers, Handlers, Dispatch, Info, Trace, Filters, NineP, NinePSamples, HostCode, StubCode };
}
