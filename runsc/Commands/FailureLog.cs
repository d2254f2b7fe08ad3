// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using CVisor.Host;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Commands;

/// <summary>How runsc tells of its own failure: one line on standard error, and one JSON object in the file of --log.</summary>
public static class FailureLog
{
    /// <summary>Tells of a failure.</summary>
    /// <param name="message">One line.</param>
    /// <param name="log">The file of --log; empty for none. It is appended to: Docker hands one file to all commands.</param>
    public static void Report(string message, string log)
    {
        string line = message.ReplaceLineEndings(" ");
        _ = HostIo.WriteAll(2, Encoding.UTF8.GetBytes("runsc: " + line + "\n"));
        if (log.Length == 0)
        {
            return;
        }

        FailureLine record = new(line, "error", DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture));
        try
        {
            int fd = DebugLogFile.OpenAppending(log);
            _ = HostIo.WriteAll(fd, Encoding.UTF8.GetBytes(JsonSerializer.Serialize(record, FailureJsonContext.Default.FailureLine) + "\n"));
            _ = HostCalls.Close(fd);
        }
        catch (RunscException error)
        {
            _ = HostIo.WriteAll(2, Encoding.UTF8.GetBytes("runsc: " + error.Message + "\n"));
        }
    }
}

/// <summary>A line of --log.</summary>
/// <param name="Msg">The message.</param>
/// <param name="Level">"error".</param>
/// <param name="Time">RFC 3339, UTC.</param>
internal sealed record FailureLine(string Msg, string Level, string Time);

/// <summary>Compiled JSON writer of <see cref="FailureLine"/>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(FailureLine))]
internal sealed partial class FailureJsonContext : JsonSerializerContext;
