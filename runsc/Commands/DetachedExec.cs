// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using CVisor.Host;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Commands;

/// <summary>
/// <c>exec --detach</c>: a second runsc stays behind that waits for the process and ends with its status, since
/// containerd watches a host process by its PID. The first one returns when the process runs.
/// </summary>
internal static class DetachedExec
{
    private const int OCloexec = 0x80000, MaxReportBytes = 1 << 20;

    /// <summary>Starts the second runsc and waits for its report.</summary>
    public static int Start(CommandContext context)
    {
        FdPair pipe = default;
        HostCalls.Pipe2(ref pipe, OCloexec).OrThrow("pipe2");
        List<byte[]> argv = [Encoding.ASCII.GetBytes("runsc")];
        for (int i = 0; i < context.RawArguments.Length; i++)
        {
            argv.Add(Encoding.Latin1.GetBytes(context.RawArguments[i]));
            if (i == context.Line.CommandStart)
            {
                argv.Add(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"--sync-fd={pipe.Second}")));
            }
        }

        List<byte[]> environment = [];
        foreach (string line in RawStrings.Environment())
        {
            environment.Add(Encoding.Latin1.GetBytes(line));
        }

        using HostChild script = new();
        HostResult pid = script.PlaceFd(pipe.Second, pipe.Second).ExecBytes("/proc/self/exe", argv, environment).Spawn();
        _ = HostCalls.Close(pipe.Second);
        if (pid.IsError)
        {
            throw new RunscException($"cannot start the waiting process: {script.FailedStep}: {script.FailedError}");
        }

        string report = Encoding.UTF8.GetString(HostIo.ReadToEnd(pipe.First, MaxReportBytes));
        if (report == "started")
        {
            return 0;
        }

        int status = 0;
        _ = HostCalls.Wait4(pid.Int, ref status, 0);
        throw new RunscException(report.Length > 0 ? report : "the waiting process ended before the process was started");
    }

    /// <summary>The second runsc's end of the pipe.</summary>
    internal sealed class Report(int fd)
    {
        /// <summary>The process runs.</summary>
        public void Started() => Send("started");

        /// <summary>The process does not run.</summary>
        public void Failed(string message) => Send(message);

        private void Send(string text)
        {
            if (fd >= 0)
            {
                _ = HostIo.WriteAll(fd, Encoding.UTF8.GetBytes(text));
                _ = HostCalls.Close(fd);
                fd = -1;
            }
        }
    }
}
