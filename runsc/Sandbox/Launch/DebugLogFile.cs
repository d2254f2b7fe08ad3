// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.IO;
using System.Text;
using CVisor.Host;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>Opens debug logs by the pattern of --debug-log.</summary>
public static class DebugLogFile
{
    private const int AtFdcwd = -100, OWronly = 1, OCreat = 0x40, OAppend = 0x400, OCloexec = 0x80000;

    /// <summary>Opens a command's debug log for appending.</summary>
    /// <param name="config">The flags.</param>
    /// <param name="command">The command: a subcommand's name, "boot" and "gofer" included.</param>
    /// <param name="id">The container's id; may be empty.</param>
    /// <returns>A close-on-exec descriptor; -1 when no log is asked for.</returns>
    public static int Open(RuntimeConfig config, string command, string id)
    {
        if (config.DebugLog.Length == 0)
        {
            return -1;
        }

        string[] only = config.DebugCommand.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return only.Length == 0 || Array.IndexOf(only, command) >= 0 ? OpenAppending(Expand(config.DebugLog, command, id)) : -1;
    }

    /// <summary>Opens a file for appending, its directory made when missing.</summary>
    public static int OpenAppending(string path)
    {
        if (Path.GetDirectoryName(path) is { Length: > 0 } directory && !Directory.Exists(directory))
        {
            try
            {
                _ = Directory.CreateDirectory(directory);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new RunscException($"cannot make the log directory {directory}");
            }
        }

        HostResult fd = HostCalls.Openat(AtFdcwd, Encoding.UTF8.GetBytes(path + '\0'), OWronly | OCreat | OAppend | OCloexec, 0x1A4);
        return fd.IsError ? throw new RunscException($"cannot open the log {path}: {fd.Error}") : fd.Int;
    }

    /// <summary>Writes a line of runsc's own into a log; nothing when there is none.</summary>
    public static void WriteLine(int fd, string text)
    {
        if (fd >= 0)
        {
            string line = string.Create(CultureInfo.InvariantCulture, $"I{DateTime.UtcNow:MMdd HH:mm:ss.ffffff} {Environment.ProcessId} {text}\n");
            _ = HostIo.WriteAll(fd, Encoding.UTF8.GetBytes(line));
        }
    }

    /// <summary>The file's path by the pattern.</summary>
    public static string Expand(string pattern, string command, string id)
    {
        if (pattern.EndsWith('/'))
        {
            pattern += "runsc.log.%TIMESTAMP%.%COMMAND%.txt";
        }

        return pattern
            .Replace("%TIMESTAMP%", DateTime.UtcNow.ToString("yyyyMMdd-HHmmss.ffffff", CultureInfo.InvariantCulture), StringComparison.Ordinal)
            .Replace("%COMMAND%", command, StringComparison.Ordinal)
            .Replace("%CID%", id, StringComparison.Ordinal)
            .Replace("%ID%", id, StringComparison.Ordinal);
    }
}
