// SPDX-License-Identifier: Apache-2.0
using CVisor.Runsc.Control;

namespace CVisor.Runsc.Boot;

/// <summary>The sentry's process entry.</summary>
public static class BootProgram
{
    /// <summary>Runs the sandbox to its end.</summary>
    /// <param name="config">What runsc resolved; the process is already confined.</param>
    /// <returns>The first process's exit code, 128 + signal when a signal ended it, 128 for a failure of ours.</returns>
    public static int Main(BootConfig config)
    {
        _ = StartReport.Send(config.Fds.Start, new StartReport { Error = new ControlError(ControlErrorKind.Internal, "this build has no sentry yet") });
        return 128;
    }
}
