// SPDX-License-Identifier: Apache-2.0
using CVisor.Generators.Shared;

namespace CVisor.Schema.Model;

/// <summary>How much of a call works.</summary>
public enum SupportLevel
{
    /// <summary>Not at all: it answers its errno.</summary>
    None,

    /// <summary>Some of it; the note names what is missing.</summary>
    Partial,

    /// <summary>All that Linux does.</summary>
    Full,
}

/// <summary>A group of calls.</summary>
/// <param name="Name">The key in the file.</param>
/// <param name="Rows">The calls, sorted by name.</param>
public sealed record SyscallFamily(string Name, EquatableArray<SyscallRow> Rows);

/// <summary>One guest system call.</summary>
/// <param name="Name">Linux's name.</param>
/// <param name="Family">The family it stands in.</param>
/// <param name="X64">The number on x86_64, or null.</param>
/// <param name="Arm64">The number on aarch64, or null.</param>
/// <param name="Args">The arguments in register order.</param>
/// <param name="Arm64Args">The arguments on aarch64 where the order differs there, else empty.</param>
/// <param name="Support">How much works.</param>
/// <param name="Note">What is missing or differs; empty when nothing.</param>
/// <param name="Errno">What a call of support none answers.</param>
/// <param name="Blocks">Whether the handler may wait.</param>
/// <param name="Restart">How an interrupted call goes on; empty when it is never interrupted.</param>
/// <param name="IsStanding">Whether a platform may give the answer, which stays until the kernel withdraws it.</param>
public sealed record SyscallRow(
    string Name,
    string Family,
    int? X64,
    int? Arm64,
    EquatableArray<ArgSpec> Args,
    EquatableArray<ArgSpec> Arm64Args,
    SupportLevel Support,
    string Note,
    string Errno,
    bool Blocks,
    string Restart,
    bool IsStanding);
