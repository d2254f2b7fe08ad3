// SPDX-License-Identifier: Apache-2.0
using CVisor.Generators.Shared;

namespace CVisor.Schema.Model;

/// <summary>What a filter does with a call.</summary>
public enum FilterAction
{
    /// <summary>The call goes through.</summary>
    Allow,

    /// <summary>The call fails with an errno.</summary>
    Errno,

    /// <summary>The thread gets SIGSYS.</summary>
    Trap,

    /// <summary>The process ends.</summary>
    KillProcess,
}

/// <summary>An action and, for <see cref="FilterAction.Errno"/>, the errno's name.</summary>
public sealed record FilterVerdict(FilterAction Action, string Errno)
{
    /// <summary>Lets the call through.</summary>
    public static readonly FilterVerdict Allow = new(FilterAction.Allow, "");
}

/// <summary>The host calls of one process role.</summary>
/// <param name="Role">The role's name.</param>
/// <param name="Default">What happens to calls that are not listed.</param>
/// <param name="ForeignCaller">What happens to calls made from elsewhere than the one place the installer names; null when all places may call.</param>
/// <param name="Calls">The calls listed.</param>
public sealed record RoleFilterSpec(string Role, FilterVerdict Default, FilterVerdict? ForeignCaller, EquatableArray<CallFilter> Calls);

/// <summary>The rule for one call.</summary>
/// <param name="Name">The call.</param>
/// <param name="Number">Its number on x86_64.</param>
/// <param name="Why">Why the role makes it.</param>
/// <param name="Alternatives">Sets of conditions of which one must hold; none means the call is never looked into.</param>
/// <param name="Match">What happens when one holds.</param>
/// <param name="Otherwise">What happens when none holds.</param>
public sealed record CallFilter(
    string Name, int Number, string Why, EquatableArray<FilterAlternative> Alternatives, FilterVerdict Match, FilterVerdict Otherwise);

/// <summary>Conditions that must all hold.</summary>
public sealed record FilterAlternative(EquatableArray<FilterCondition> Conditions);

/// <summary>How an argument is compared.</summary>
public enum FilterTest
{
    /// <summary>It is one of the values.</summary>
    OneOf,

    /// <summary>It is none of the values.</summary>
    NoneOf,

    /// <summary>Under the mask it is the one value.</summary>
    Masked,

    /// <summary>Unsigned, it is the one value at most.</summary>
    AtMost,

    /// <summary>It is the process's own ID, known when the filter is installed.</summary>
    OwnPid,
}

/// <summary>A condition on one argument.</summary>
/// <param name="Argument">Its index.</param>
/// <param name="Name">Its name, for the disassembly.</param>
/// <param name="Wide">Whether all 64 bits count; the host's kernel looks at the lower 32 of an int.</param>
/// <param name="Test">How it is compared.</param>
/// <param name="Mask">The mask of <see cref="FilterTest.Masked"/>.</param>
/// <param name="Values">What it is compared with.</param>
public sealed record FilterCondition(int Argument, string Name, bool Wide, FilterTest Test, ulong Mask, EquatableArray<ulong> Values);
