// SPDX-License-Identifier: Apache-2.0
using System.Text.Json;
using CVisor.Host;

namespace CVisor.Runsc.Control;

/// <summary>
/// How the start of a sandbox went: lines of JSON on the start pipe (<see cref="BootFds.Start"/>). First
/// <see cref="Ready"/> once the control socket is served; then, for a sandbox that starts at once,
/// <see cref="Started"/>; or an error in place of either. The end of the pipe without a line means the process died.
/// </summary>
public sealed record StartReport
{
    /// <summary>The control socket is served.</summary>
    public bool Ready { get; init; }

    /// <summary>The first process runs.</summary>
    public bool Started { get; init; }

    /// <summary>Why the start failed.</summary>
    public ControlError? Error { get; init; }

    /// <summary>Sends one report.</summary>
    /// <returns>False when nobody reads it: runsc was killed while it started us, so the sandbox should end.</returns>
    public static bool Send(int fd, StartReport report)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(report, ControlJsonContext.Default.StartReport);
        byte[] line = [.. json, (byte)'\n'];
        return !HostIo.WriteAll(fd, line).IsError;
    }
}
