// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using CVisor.Host;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Commands;

/// <summary><c>exec</c>.</summary>
internal static class ExecCommand
{
    /// <summary>Runs a further process in a running container.</summary>
    public static int Run(CommandContext context)
    {
        long sync = context.Flags.Integer("sync-fd");
        if (sync < 0 && context.Boolean("detach", "d"))
        {
            return DetachedExec.Start(context);
        }

        if (sync < 0)
        {
            return Run(context, static _ => { });
        }

        DetachedExec.Report report = new((int)sync);
        try
        {
            return Run(context, _ => report.Started());
        }
        catch (Exception error) when (error is RunscException or HostException)
        {
            report.Failed(error.Message);
            return ExitStatus.Failure;
        }
    }

    private static int Run(CommandContext context, Action<int> started)
    {
        Container container = Container.Load(context.Store, context.Id);
        if (container.Status() != ContainerStatus.Running)
        {
            throw new RunscException($"container not running: {context.Id} is {Container.StatusName(container.Status())}");
        }

        OciProcess process = ExecProcess.Make(context, container.State.Process);
        string consoleSocket = context.Flags.Text("console-socket");
        bool isOurs = consoleSocket.Length == 0 && (process.Terminal || context.Boolean("tty", "t")) && context.Flags.Integer("sync-fd") < 0 && RawTerminal.IsUsable();
        process = process with { Terminal = isOurs || consoleSocket.Length > 0 };
        using RawTerminal? raw = isOurs ? RawTerminal.Enter(0) : null;

        using ControlClient client = container.Connect();
        int pid = Execute(context, client, process, consoleSocket);
        string internalPidFile = context.Flags.Text("internal-pid-file");
        if (internalPidFile.Length > 0)
        {
            PidFile.Write(internalPidFile, pid);
        }

        // The PID a caller waits for and signals is ours: we end as the process ends, and pass signals on.
        string pidFile = context.Flags.Text("pid-file");
        if (pidFile.Length > 0)
        {
            PidFile.Write(pidFile, Environment.ProcessId);
        }

        using SignalForwarder forwarder = SignalForwarder.ToProcess(container, pid, process.Terminal);
        client.Send(new ControlRequest { Method = ControlMethod.Wait, Wait = new WaitRequest { Pid = pid, KillOnDisconnect = true } });
        started(pid);
        ControlReply reply;
        try
        {
            reply = client.Receive();
        }
        catch (HostException error) when (error.Error == HostErrno.ECONNRESET)
        {
            // A container that ends by itself answers first.
            throw new RunscException($"container {context.Id}: the sandbox ended while the process was waited for (killed from outside, or a failure of its own: see its debug log)");
        }

        return reply.Error is null ? ExitStatus.FromWait(reply.WaitStatus) : throw new RunscException(reply.Error.Message);
    }

    private static int Execute(CommandContext context, ControlClient client, OciProcess process, string consoleSocket)
    {
        using FdKeeper fds = new();
        List<int> descriptors;
        if (consoleSocket.Length > 0)
        {
            int slave = Pseudoterminal.Create(consoleSocket, process.ConsoleSize?.Width ?? 0, process.ConsoleSize?.Height ?? 0, fds);
            descriptors = [slave, slave, slave];
        }
        else
        {
            descriptors = [.. StandardStreams.Copy(fds)];
        }

        List<int> numbers = [0, 1, 2];
        foreach (PassedFd passed in CreateCommand.Passed(context))
        {
            int copy = fds.Copy(passed.HostFd);
            descriptors.Add(copy >= 0 ? copy : throw new RunscException($"descriptor {passed.HostFd} is to be passed on, but it is not open"));
            numbers.Add(passed.GuestFd);
        }

        ExecuteRequest request = new() { Process = ProcessPlanner.Plan(process, context.Config), GuestFds = [.. numbers] };
        return Container.Call(client, new ControlRequest { Method = ControlMethod.Execute, Execute = request }, descriptors.ToArray()).Pid;
    }
}
