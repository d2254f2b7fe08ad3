// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Control;

/// <summary>What kind of refusal it is; runsc words its message and chooses its exit status by it.</summary>
public enum ControlErrorKind
{
    /// <summary>A bug or a host failure.</summary>
    Internal,

    /// <summary>The request itself is wrong.</summary>
    Invalid,

    /// <summary>The program is not there.</summary>
    ExecutableNotFound,

    /// <summary>The program is there but cannot be executed.</summary>
    NotExecutable,

    /// <summary>There is no such process.</summary>
    NoSuchProcess,

    /// <summary>The sandbox is in the wrong state for this (already started, already stopped).</summary>
    WrongState,
}

/// <summary>A refusal.</summary>
/// <param name="Kind">What kind.</param>
/// <param name="Message">One line for a person.</param>
public sealed record ControlError(ControlErrorKind Kind, string Message);
