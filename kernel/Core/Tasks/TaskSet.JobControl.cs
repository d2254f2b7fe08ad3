// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Signals;
using CVisor.Core.Vfs;

namespace CVisor.Core.Tasks;

/// <summary>Sessions and their terminals (drivers/tty/tty_jobctrl.c, credentials(7)).</summary>
public sealed partial class TaskSet
{
    /// <summary>The terminal that /dev/tty stands for, or null.</summary>
    public IControllingTerminal? GetTerminal(Task caller)
    {
        lock (Lock)
        {
            return caller.ThreadGroup.ControllingTerminal;
        }
    }

    /// <summary>Whether a process may use its terminal now; one in the background is sent a signal that usually stops it.</summary>
    /// <param name="caller">The process.</param>
    /// <param name="terminal">The terminal; one that is not the process's own may be used.</param>
    /// <param name="signal">SIGTTIN to read, SIGTTOU to write or change settings.</param>
    /// <returns>0; EIO for an orphaned group, or one that cannot be stopped while reading; otherwise a restart, and the group has the signal.</returns>
    public IoResult CheckForeground(Task caller, IControllingTerminal terminal, int signal)
    {
        // Another session's terminal: no lock. A process changes its session itself only.
        if (caller.ThreadGroup.Session.Terminal != terminal)
        {
            return 0;
        }

        lock (Lock)
        {
            ProcessGroup group = caller.ThreadGroup.ProcessGroup;
            if (caller.ThreadGroup.ControllingTerminal != terminal || group.Session.Foreground is not { } foreground || foreground == group)
            {
                return 0;
            }

            if (caller.SignalMask.Contains(signal) || caller.ThreadGroup.Handlers[signal].Handler == SignalAction.Ignore)
            {
                return signal == SignalNumber.SIGTTIN ? Errno.EIO : 0;
            }

            if (group.IsOrphanedLocked())
            {
                return Errno.EIO;
            }

            group.SendLocked(signal);
            return IoResult.Restarts(Restart.IfHandlerAllows);
        }
    }

    /// <summary>Gives a session leader without a terminal one that is free: open(2) without O_NOCTTY.</summary>
    public void AcquireOnOpen(Task caller, IControllingTerminal terminal)
    {
        lock (Lock)
        {
            if (IsLeaderWithoutTerminalLocked(caller.ThreadGroup) && terminal.Session is null)
            {
                AcquireLocked(caller.ThreadGroup, terminal);
            }
        }
    }

    /// <summary>Gives a new process that comes from outside, and leads a session, its terminal.</summary>
    internal void GiveTerminal(ThreadGroup leader, IControllingTerminal terminal)
    {
        lock (Lock)
        {
            AcquireLocked(leader, terminal);
        }
    }

    /// <summary>Gives a session leader a terminal (TIOCSCTTY).</summary>
    /// <param name="caller">The leader.</param>
    /// <param name="terminal">The terminal.</param>
    /// <param name="isReadable">Whether the descriptor can be read.</param>
    /// <param name="steals">Whether to take it from another session.</param>
    /// <returns>None; EPERM.</returns>
    public Errno AcquireTerminal(Task caller, IControllingTerminal terminal, bool isReadable, bool steals)
    {
        lock (Lock)
        {
            Session session = caller.ThreadGroup.Session;
            if (session.Leader == caller.ThreadGroup && terminal.Session == session)
            {
                return Errno.None;
            }

            bool isAdmin = caller.Credentials.Has(Capability.SysAdmin);
            if (!IsLeaderWithoutTerminalLocked(caller.ThreadGroup) || (terminal.Session is not null && !(steals && isAdmin)) || (!isReadable && !isAdmin))
            {
                return Errno.EPERM;
            }

            if (terminal.Session is { } robbed)
            {
                (robbed.Terminal, robbed.Foreground) = (null, null);
            }

            AcquireLocked(caller.ThreadGroup, terminal);
            return Errno.None;
        }
    }

    /// <summary>Gives the terminal up (TIOCNOTTY): a leader for its whole session, others for themselves.</summary>
    /// <returns>None; ENOTTY when it is not the caller's terminal.</returns>
    public Errno ReleaseTerminal(Task caller, IControllingTerminal terminal)
    {
        lock (Lock)
        {
            ThreadGroup process = caller.ThreadGroup;
            if (process.ControllingTerminal != terminal)
            {
                return Errno.ENOTTY;
            }

            if (process.Session.Leader == process)
            {
                process.Session.LoseTerminalLocked(continues: true);
            }
            else
            {
                process.HasLeftTerminal = true;
            }

            return Errno.None;
        }
    }

    /// <summary>The foreground process group's number as the caller sees it (TIOCGPGRP); 0 when there is none.</summary>
    /// <returns>None; ENOTTY when it is not the caller's terminal.</returns>
    public Errno GetForeground(Task caller, IControllingTerminal terminal, bool isMaster, out int number)
    {
        lock (Lock)
        {
            number = terminal.Session?.Foreground?.Id.NumberIn(caller.PidNamespace) ?? 0;
            return isMaster || caller.ThreadGroup.ControllingTerminal == terminal ? Errno.None : Errno.ENOTTY;
        }
    }

    /// <summary>The session's number as the caller sees it (TIOCGSID).</summary>
    /// <returns>None; ENOTTY when it is not the caller's terminal, or nobody's.</returns>
    public Errno GetSession(Task caller, IControllingTerminal terminal, bool isMaster, out int number)
    {
        lock (Lock)
        {
            number = terminal.Session?.Id.NumberIn(caller.PidNamespace) ?? 0;
            return terminal.Session is not null && (isMaster || caller.ThreadGroup.ControllingTerminal == terminal) ? Errno.None : Errno.ENOTTY;
        }
    }

    /// <summary>Makes a process group the foreground one (TIOCSPGRP). The caller has passed <see cref="CheckForeground"/>.</summary>
    /// <returns>None; ENOTTY; EINVAL; ESRCH; EPERM for a group of another session.</returns>
    public Errno SetForeground(Task caller, IControllingTerminal terminal, int number)
    {
        lock (Lock)
        {
            Session session = caller.ThreadGroup.Session;
            if (caller.ThreadGroup.ControllingTerminal != terminal || terminal.Session != session)
            {
                return Errno.ENOTTY;
            }

            if (number < 0)
            {
                return Errno.EINVAL;
            }

            if (caller.PidNamespace.FindLocked(number) is not { } id)
            {
                return Errno.ESRCH;
            }

            if (id.Group is not { } group || group.Session != session)
            {
                return Errno.EPERM;
            }

            session.Foreground = group;
            return Errno.None;
        }
    }

    /// <summary>Sends a signal to the foreground process group: a key was pressed, the window changed.</summary>
    public void SignalForeground(IControllingTerminal terminal, int signal)
    {
        lock (Lock)
        {
            terminal.Session?.Foreground?.SendLocked(signal);
        }
    }

    /// <summary>The line is gone: the session loses its terminal and its leader is told.</summary>
    public void HangUp(IControllingTerminal terminal)
    {
        lock (Lock)
        {
            if (terminal.Session is not { } session)
            {
                return;
            }

            session.FormerForeground = session.Foreground;
            (session.Terminal, session.Foreground, terminal.Session) = (null, null, null);
            _ = session.Leader?.SendLocked(SignalInfo.FromKernel(SignalNumber.SIGHUP));
            _ = session.Leader?.SendLocked(SignalInfo.FromKernel(SignalNumber.SIGCONT));
        }
    }

    [RequiresLock(nameof(Lock))]
    private static bool IsLeaderWithoutTerminalLocked(ThreadGroup process) => process.Session is { Terminal: null } session && session.Leader == process;

    [RequiresLock(nameof(Lock))]
    private static void AcquireLocked(ThreadGroup process, IControllingTerminal terminal)
    {
        Session session = process.Session;
        (session.Terminal, session.Foreground, session.FormerForeground, terminal.Session) = (terminal, process.ProcessGroup, null, session);
    }
}
