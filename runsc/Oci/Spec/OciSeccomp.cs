// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Oci;

/// <summary>A seccomp filter (config-linux.md, "Seccomp"). Its architectures and flags say nothing that holds here: guests are x86_64, and a filter has one thread to begin with.</summary>
public sealed record OciSeccomp
{
    /// <summary>What happens to a call that no rule matches, as "SCMP_ACT_ERRNO".</summary>
    public string? DefaultAction { get; init; }

    /// <summary>The errno, or the tracer's number, of the default action.</summary>
    public uint? DefaultErrnoRet { get; init; }

    /// <summary>The rules; the first that matches a call counts.</summary>
    public OciSeccompRule[]? Syscalls { get; init; }
}

/// <summary>A rule for some calls.</summary>
public sealed record OciSeccompRule
{
    /// <summary>The calls' names; those that are unknown here are passed over, as runc does.</summary>
    public string[]? Names { get; init; }

    /// <summary>What happens.</summary>
    public string? Action { get; init; }

    /// <summary>The errno, or the tracer's number.</summary>
    public uint? ErrnoRet { get; init; }

    /// <summary>Conditions on arguments.</summary>
    public OciSeccompArgument[]? Args { get; init; }
}

/// <summary>A condition on an argument.</summary>
public sealed record OciSeccompArgument
{
    /// <summary>Which one, from 0 to 5.</summary>
    public uint Index { get; init; }

    /// <summary>What it is compared with; the mask of SCMP_CMP_MASKED_EQ.</summary>
    public ulong Value { get; init; }

    /// <summary>What the masked argument is compared with.</summary>
    public ulong ValueTwo { get; init; }

    /// <summary>How, as "SCMP_CMP_EQ".</summary>
    public string? Op { get; init; }
}
