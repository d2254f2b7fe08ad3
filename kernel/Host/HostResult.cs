// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;

namespace CVisor.Host;

/// <summary>What a host call returned: a value, or a <see cref="HostErrno"/>.</summary>
/// <param name="Raw">The kernel's raw answer: -4095..-1 is an error number, anything else the value.</param>
public readonly record struct HostResult(long Raw)
{
    /// <summary>Whether the call failed.</summary>
    public bool IsError => Raw is < 0 and >= -4095;

    /// <summary>The error number, or <see cref="HostErrno.None"/>.</summary>
    public HostErrno Error => IsError ? (HostErrno)(-Raw) : HostErrno.None;

    /// <summary>The value of a call that succeeded.</summary>
    public long Value => Raw;

    /// <summary>The value as a descriptor or count that the kernel keeps within int.</summary>
    public int Int => (int)Raw;
}

/// <summary>Conversions of host errors.</summary>
public static class HostErrnoExtensions
{
    /// <summary>The guest's view of a host error: the same number, since both sides speak Linux.</summary>
    public static Errno ToGuest(this HostErrno error) => (Errno)error;

    /// <summary>Throws <see cref="HostException"/> when the call failed; for start-up paths no guest can reach.</summary>
    /// <param name="result">The call's result.</param>
    /// <param name="what">What was attempted, for the message.</param>
    public static HostResult OrThrow(this HostResult result, string what) =>
        result.IsError ? throw new HostException(what, result.Error) : result;
}

/// <summary>A host call failed on a path that no guest reaches (start-up, tear-down, the command line).</summary>
/// <param name="what">What was attempted.</param>
/// <param name="error">Why the host refused.</param>
public sealed class HostException(string what, HostErrno error) : Exception($"{what}: {error}")
{
    /// <summary>The host's error number.</summary>
    public HostErrno Error { get; } = error;
}
