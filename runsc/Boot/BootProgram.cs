// SPDX-License-Identifier: Apache-2.0
using CVisor.Host;
using CVisor.Runsc.Control;

namespace CVisor.Runsc.Boot;

/// <summary>The sentry's process entry.</summary>
public static class BootProgram
{
    private const int Failure = 128;

    /// <summary>Runs the sandbox to its end.</summary>
    /// <param name="config">What runsc resolved; the process is already confined.</param>
    /// <returns>The first process's exit code, 128 + signal when a signal ended it, 128 for a failure of ours.</returns>
    public static int Main(BootConfig config)
    {
        SentryLog log = new(config.Fds, config.Flags);
        Sentry sentry;
        try
        {
            sentry = new Sentry(config, log);
        }
        catch (Exception failure) when (failure is HostException or BootException)
        {
            log.Error(failure.Message);
            _ = StartReport.Send(config.Fds.Start, new StartReport { Error = new ControlError(ControlErrorKind.Internal, failure.Message) });
            return Failure;
        }

        return sentry.Run();
    }
}

/// <summary>The sandbox cannot be set up as asked.</summary>
/// <param name="message">One line for a person.</param>
public sealed class BootException(string message) : Exception(message);
