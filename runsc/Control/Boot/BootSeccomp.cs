// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Control;

/// <summary>A filter that every process of the container gets (--oci-seccomp).</summary>
/// <param name="DefaultReturn">SECCOMP_RET_* with its data, for a call that no rule matches.</param>
/// <param name="Rules">The rules; the first that matches a call counts.</param>
public sealed record BootSeccomp(uint DefaultReturn, BootSeccompRule[] Rules);

/// <summary>A rule.</summary>
/// <param name="Names">The calls; unknown ones are passed over.</param>
/// <param name="Return">SECCOMP_RET_* with its data.</param>
/// <param name="Conditions">All of them hold when the rule matches.</param>
public sealed record BootSeccompRule(string[] Names, uint Return, BootSeccompCondition[] Conditions);

/// <summary>A condition on an argument.</summary>
/// <param name="Index">Which one, from 0 to 5.</param>
/// <param name="Comparison">How it is compared.</param>
/// <param name="Mask">Its bits that count.</param>
/// <param name="Value">What it is compared with.</param>
public sealed record BootSeccompCondition(uint Index, SeccompComparison Comparison, ulong Mask, ulong Value);

/// <summary>How an argument is compared, as an unsigned number.</summary>
public enum SeccompComparison
{
    /// <summary>The masked argument is the value.</summary>
    Equal,

    /// <summary>It is not.</summary>
    NotEqual,

    /// <summary>The argument is greater; there is no mask.</summary>
    Greater,

    /// <summary>It is greater or the same.</summary>
    GreaterOrEqual,

    /// <summary>It is less.</summary>
    Less,

    /// <summary>It is less or the same.</summary>
    LessOrEqual,
}
