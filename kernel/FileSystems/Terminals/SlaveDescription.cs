// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Core.Vfs;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems.Terminals;

/// <summary>An open terminal, as programs have it.</summary>
public sealed class SlaveDescription : FileDescription
{
    private readonly int _generation;

    private SlaveDescription(Pty terminal, int generation, VfsPath path, OpenFlags flags)
        : base(path, flags)
    {
        Terminal = terminal;
        _generation = generation;
    }

    /// <summary>The terminal.</summary>
    public Pty Terminal { get; }

    /// <inheritdoc/>
    public override WaitQueue Queue => Terminal.SlaveQueue;

    /// <inheritdoc/>
    public override bool WritesWhole => true;

    private bool IsHungUp => Terminal.IsHungUp(_generation);

    /// <summary>Opens a terminal. Without O_NOCTTY it becomes that of a session leader who has none.</summary>
    public static OpenResult Open(Pty terminal, in OperationContext context, VfsPath path, OpenFlags flags)
    {
        Errno error = terminal.OpenSlave(context.Credentials.Has(Capability.SysAdmin), out int generation);
        if (error != Errno.None)
        {
            return error;
        }

        SlaveDescription opened = new(terminal, generation, path, flags);
        if (context.Task is { } task && (flags & OpenFlags.NoControllingTty) == 0 && opened.IsReadable)
        {
            terminal.Tasks.AcquireOnOpen(task, terminal);
        }

        return opened;
    }

    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination)
    {
        if (IsHungUp)
        {
            return 0;
        }

        IoResult allowed = task is null ? 0 : Terminal.Tasks.CheckForeground(task, Terminal, SignalNumber.SIGTTIN);
        return allowed.IsError ? allowed : Terminal.ReadSlave(ref destination, IsNonBlocking);
    }

    /// <summary>Waits for VMIN bytes, or as long as VTIME says.</summary>
    public override async Blocking<SyscallResult> FinishRead(Task task, IoBuffer destination)
    {
        // A reader that waits is told of a hang-up by an error; one that comes later reads the end of file.
        long startNs = KernelClock.MonotonicNs;
        task.PrepareToWait();
        Queue.Add(task.Waiter, PollEvents.AllIn | PollEvents.Err | PollEvents.Hup);
        try
        {
            while (true)
            {
                IoResult result = IsHungUp ? Errno.EIO : FileTransfer.Read(task, this, ref destination);
                if (!result.WouldBlock)
                {
                    return result;
                }

                BlockOutcome outcome = await task.Block(Terminal.ReadDeadline(startNs, out bool isPartial));
                if (outcome == BlockOutcome.Woken)
                {
                    continue;
                }

                if (isPartial)
                {
                    result = Terminal.ReadSlave(ref destination, takesFewer: true);
                    if (!result.WouldBlock)
                    {
                        return result;
                    }
                }

                return outcome == BlockOutcome.TimedOut ? 0 : SyscallResult.Restarts(Restart.IfHandlerAllows);
            }
        }
        finally
        {
            Queue.Remove(task.Waiter);
        }
    }

    /// <inheritdoc/>
    public override IoResult Write(Task? task, ref IoBuffer source)
    {
        if (IsHungUp)
        {
            return Errno.EIO;
        }

        IoResult allowed = task is null || !Terminal.StopsBackgroundOutput ? 0 : Terminal.Tasks.CheckForeground(task, Terminal, SignalNumber.SIGTTOU);
        return allowed.IsError ? allowed : Terminal.WriteSlave(ref source);
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask) =>
        (IsHungUp ? PollEvents.AllIn | PollEvents.AllOut | PollEvents.Err | PollEvents.Hup : Terminal.SlaveReadiness) & (mask | PollEvents.Err | PollEvents.Hup);

    /// <inheritdoc/>
    public override Blocking<SyscallResult> Ioctl(Task task, uint request, ulong argument) => IsHungUp
        ? (SyscallResult)(request == TerminalIoctl.Tiocspgrp ? Errno.ENOTTY : Errno.EIO) // hung_up_tty_ioctl()
        : (SyscallResult)TerminalIoctl.OnSlave(this, task, request, new UserPtr(argument));

    /// <inheritdoc/>
    protected override void OnRelease() => Terminal.CloseSlave();
}
