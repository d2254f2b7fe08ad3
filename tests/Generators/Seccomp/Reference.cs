// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Generators.Seccomp.Emit;
using CVisor.Schema.Model;

namespace CVisor.Generators.Tests.Seccomp;

/// <summary>What the spec says of a call, computed straight from the rules, for comparison with what the program does.</summary>
internal static class Reference
{
    public const int OwnPid = 0x1234;
    public const ulong CallerAddress = 0x7fff_1234_5678_9002;

    public static uint Answer(RoleFilterSpec role, SeccompCall call)
    {
        if (role.ForeignCaller is FilterVerdict foreign && call.Caller != CallerAddress)
        {
            return Word(foreign);
        }

        if (call.Arch != SeccompCall.X64 || call.Number >= 0x4000_0000)
        {
            return BpfMachine.KillProcess;
        }

        foreach (CallFilter rule in role.Calls)
        {
            if (rule.Number == call.Number)
            {
                bool matches = rule.Alternatives.Count == 0 || rule.Alternatives.Any(a => a.Conditions.All(c => Holds(c, call)));
                return Word(matches ? rule.Match : rule.Otherwise);
            }
        }

        return Word(role.Default);
    }

    public static bool Holds(FilterCondition condition, SeccompCall call)
    {
        ulong value = condition.Wide ? call.Args[condition.Argument] : (uint)call.Args[condition.Argument];
        return condition.Test switch
        {
            FilterTest.OneOf => condition.Values.Contains(value),
            FilterTest.NoneOf => !condition.Values.Contains(value),
            FilterTest.Masked => (value & condition.Mask) == condition.Values[0],
            FilterTest.AtMost => value <= condition.Values[0],
            _ => value == OwnPid,
        };
    }

    public static uint Word(FilterVerdict verdict) => verdict.Action switch
    {
        FilterAction.Allow => BpfMachine.Allow,
        FilterAction.Errno => BpfMachine.Errno | (uint)Enum.Parse<Errno>(verdict.Errno),
        FilterAction.Trap => BpfMachine.Trap,
        _ => BpfMachine.KillProcess,
    };

    /// <summary>The words of an assembled program, with its slots filled.</summary>
    public static ulong[] Words(IEnumerable<Instruction> program) => [.. program.Select(i =>
    {
        uint k = i.K | (i.Errno.Length == 0 ? 0 : (uint)Enum.Parse<Errno>(i.Errno));
        k |= i.Slot switch
        {
            CVisor.Generators.Seccomp.Ir.FilterSlot.OwnPid => OwnPid,
            CVisor.Generators.Seccomp.Ir.FilterSlot.CallerLow => unchecked((uint)CallerAddress),
            CVisor.Generators.Seccomp.Ir.FilterSlot.CallerHigh => (uint)(CallerAddress >> 32),
            _ => 0,
        };
        return i.Code | ((ulong)i.Jt << 16) | ((ulong)i.Jf << 24) | ((ulong)k << 32);
    })];
}
