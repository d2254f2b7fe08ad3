// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>Turns a spec's seccomp filter into what the sentry is told.</summary>
public static class SeccompPlanner
{
    /// <summary>Converts a validated filter.</summary>
    public static BootSeccomp Plan(OciSeccomp seccomp)
    {
        uint otherwise = SeccompWords.Return(seccomp.DefaultAction, seccomp.DefaultErrnoRet);
        List<BootSeccompRule> rules = [];
        foreach (OciSeccompRule rule in seccomp.Syscalls ?? [])
        {
            uint returned = SeccompWords.Return(rule.Action, rule.ErrnoRet);
            BootSeccompCondition[] conditions = Array.ConvertAll(rule.Args ?? [], Plan);
            if (!HasRepeatedIndex(conditions))
            {
                rules.Add(new BootSeccompRule(rule.Names!, returned, conditions));
                continue;
            }

            // libseccomp takes one condition for each argument; runc makes a rule of each when an argument is named twice, so that one of them is enough.
            foreach (BootSeccompCondition condition in conditions)
            {
                rules.Add(new BootSeccompRule(rule.Names!, returned, [condition]));
            }
        }

        return new BootSeccomp(otherwise, [.. rules]);
    }

    private static BootSeccompCondition Plan(OciSeccompArgument argument) => argument.Op switch
    {
        "SCMP_CMP_MASKED_EQ" => new(argument.Index, SeccompComparison.Equal, argument.Value, argument.ValueTwo),
        "SCMP_CMP_NE" => new(argument.Index, SeccompComparison.NotEqual, ulong.MaxValue, argument.Value),
        "SCMP_CMP_GT" => new(argument.Index, SeccompComparison.Greater, ulong.MaxValue, argument.Value),
        "SCMP_CMP_GE" => new(argument.Index, SeccompComparison.GreaterOrEqual, ulong.MaxValue, argument.Value),
        "SCMP_CMP_LT" => new(argument.Index, SeccompComparison.Less, ulong.MaxValue, argument.Value),
        "SCMP_CMP_LE" => new(argument.Index, SeccompComparison.LessOrEqual, ulong.MaxValue, argument.Value),
        _ => new(argument.Index, SeccompComparison.Equal, ulong.MaxValue, argument.Value),
    };

    private static bool HasRepeatedIndex(BootSeccompCondition[] conditions)
    {
        uint seen = 0;
        foreach (BootSeccompCondition condition in conditions)
        {
            uint bit = 1u << (int)condition.Index;
            if ((seen & bit) != 0)
            {
                return true;
            }

            seen |= bit;
        }

        return false;
    }
}
