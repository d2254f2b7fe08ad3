// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Commands;

/// <summary><c>ps</c>.</summary>
internal static class PsCommand
{
    /// <summary>Lists the processes.</summary>
    public static int Run(CommandContext context)
    {
        Container container = Container.Load(context.Store, context.Id);
        ProcessInfo[] processes = container.Call(new ControlRequest { Method = ControlMethod.Processes }).Processes ?? [];
        CommandContext.Print(context.Text("format", "f") == "json" ? Json(container) : Table(processes));
        return 0;
    }

    /// <summary>An array of PIDs, as containerd's shim reads it: it takes them for the host's, and Docker's top asks the host's ps about them. Of the host's processes the sandbox is the container's.</summary>
    private static string Json(Container container) => string.Create(CultureInfo.InvariantCulture, $"[{container.State.Sandbox.Pid}]\n");

    private static string Table(ProcessInfo[] processes)
    {
        StringBuilder text = new("UID       PID       PPID      C         TTY       STIME     TIME      CMD\n");
        DateTimeOffset now = DateTimeOffset.UtcNow;
        foreach (ProcessInfo process in processes)
        {
            DateTimeOffset started = DateTimeOffset.FromUnixTimeSeconds(process.StartTimeSeconds);
            double ageSeconds = Math.Max((now - started).TotalSeconds, 1e-3);
            int percent = (int)Math.Clamp(process.CpuTimeNs / 1e7 / ageSeconds, 0, 9999);
            string time = started.Date == now.Date ? started.ToString("HH:mm", CultureInfo.InvariantCulture) : started.ToString("MMMdd", CultureInfo.InvariantCulture);
            string used = TimeSpan.FromTicks(process.CpuTimeNs / 100).ToString(@"hh\:mm\:ss", CultureInfo.InvariantCulture);
            _ = text.Append(CultureInfo.InvariantCulture, $"{process.Uid,-9} {process.Pid,-9} {process.Ppid,-9} {percent,-9} {process.Tty,-9} {time,-9} {used,-9} {GuestText.ToText(process.Command)}\n");
        }

        return text.ToString();
    }
}
