// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text;
using System.Threading;
using CVisor.Core.Time;
using CVisor.Host;
using CVisor.Runsc.Control;

namespace CVisor.Runsc.Boot;

/// <summary>The sentry's log: lines to descriptors that runsc opened. No threads, no files, no sockets of its own.</summary>
internal sealed class SentryLog(BootFds fds, BootFlags flags)
{
    private readonly Lock _lock = new();

    /// <summary>Whether debug lines go anywhere.</summary>
    internal bool IsDebugEnabled { get; } = flags.Debug && (fds.DebugLog >= 0 || flags.AlsoLogToStderr);

    /// <summary>Logs what helps to find a fault.</summary>
    internal void Debug(string message)
    {
        if (IsDebugEnabled)
        {
            Write('D', message);
        }
    }

    /// <summary>Logs what a person should know.</summary>
    internal void Info(string message) => Write('I', message);

    /// <summary>Logs a failure; it goes to the panic log as well.</summary>
    internal void Error(string message)
    {
        Write('E', message);
        if (fds.PanicLog >= 0)
        {
            WriteTo(fds.PanicLog, message + "\n");
        }
    }

    private void Write(char level, string message)
    {
        DateTimeOffset now = DateTimeOffset.FromUnixTimeMilliseconds(KernelClock.RealtimeNs / 1_000_000);
        string line = flags.DebugLogFormat == "json"
            ? "{\"level\":\"" + level switch { 'E' => "error", 'I' => "info", _ => "debug" } + "\",\"time\":\"" + now.ToString("O", CultureInfo.InvariantCulture) + "\",\"msg\":\"" + System.Text.Json.JsonEncodedText.Encode(message) + "\"}\n"
            : level + now.ToString("MMdd HH:mm:ss.fff", CultureInfo.InvariantCulture) + " " + message + "\n";
        lock (_lock)
        {
            if (fds.DebugLog >= 0)
            {
                WriteTo(fds.DebugLog, line);
            }

            if (flags.AlsoLogToStderr)
            {
                WriteTo(2, line);
            }
        }
    }

    // A log that cannot be written must not stop the sandbox.
    private static void WriteTo(int fd, string text) => _ = HostCalls.Write(fd, Encoding.UTF8.GetBytes(text));
}
