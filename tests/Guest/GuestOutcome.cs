// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Guest.Tests;

/// <summary>How a guest case went.</summary>
public enum GuestOutcome
{
    /// <summary>It printed <c>ok</c>.</summary>
    Passed,

    /// <summary>It printed <c>skip</c>.</summary>
    Skipped,

    /// <summary>It printed <c>not ok</c>, or ended badly.</summary>
    Failed,
}
