// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Sandbox;

/// <summary>Exit statuses of runsc itself.</summary>
public static class ExitStatus
{
    /// <summary>Our own failure, as gVisor's runsc has it.</summary>
    public const int Failure = 128;

    /// <summary>A sandbox that ended without a word was killed.</summary>
    public const int Killed = 128 + 9;

    /// <summary>Turns a status of wait(2) into an exit status: the code, or 128 + signal.</summary>
    public static int FromWait(int status) => (status & 0x7F) != 0 ? 128 + (status & 0x7F) : (status >> 8) & 0xFF;
}
