// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Signals;

namespace CVisor.Core.Tasks;

/// <summary>A process group (setpgid(2)): what a shell calls a job. Guarded by the task set's lock.</summary>
public sealed class ProcessGroup
{
    internal ProcessGroup(ProcessId id, Session session)
    {
        Id = id;
        Session = session;
        id.Group = this;
        session.GroupCount++;
    }

    /// <summary>The group's id: its first leader's.</summary>
    public ProcessId Id { get; }

    /// <summary>The session it belongs to.</summary>
    public Session Session { get; }

    /// <summary>Its processes.</summary>
    internal List<ThreadGroup> Members { get; } = [];

    /// <summary>Whether no member has a parent in another group of the session: nobody is there who would continue it.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal bool IsOrphanedLocked(ThreadGroup? except = null)
    {
        foreach (ThreadGroup member in Members)
        {
            // A container's first process counts like any other: only the host's init never does job control (is_global_init()).
            if (member != except && !member.IsZombie && member.Parent is { } parent && parent.ProcessGroup != this && parent.ProcessGroup.Session == Session)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Sends SIGHUP and SIGCONT when the group has just become orphaned and a member is stopped (setpgid(2), _exit(2)).</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void HangUpIfOrphanedLocked(ThreadGroup? leaving)
    {
        if (!IsOrphanedLocked(leaving) || !Members.Exists(m => m != leaving && m.IsStoppedCompletely))
        {
            return;
        }

        SendLocked(SignalNumber.SIGHUP);
        SendLocked(SignalNumber.SIGCONT);
    }

    /// <summary>Sends a signal of the kernel's to every member.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void SendLocked(int signal)
    {
        foreach (ThreadGroup member in Members.ToArray())
        {
            _ = member.SendLocked(SignalInfo.FromKernel(signal));
        }
    }

    [RequiresLock("TaskSet.Lock")]
    internal void RemoveLocked(ThreadGroup member)
    {
        _ = Members.Remove(member);
        if (Members.Count == 0)
        {
            Id.Group = null;
            Id.ReleaseIfUnusedLocked();
            Session.GroupCount--;
            if (Session.GroupCount == 0)
            {
                Session.Id.Session = null;
                Session.Id.ReleaseIfUnusedLocked();
            }
        }
    }
}

/// <summary>A session (setsid(2)): process groups that share a controlling terminal. Guarded by the task set's lock.</summary>
public sealed class Session
{
    internal Session(ProcessId id)
    {
        Id = id;
        id.Session = this;
    }

    /// <summary>The session's id: its leader's.</summary>
    public ProcessId Id { get; }

    /// <summary>The process that made it; null once it has ended.</summary>
    public ThreadGroup? Leader { get; internal set; }

    /// <summary>The controlling terminal, or null.</summary>
    public IControllingTerminal? Terminal { get; internal set; }

    /// <summary>The process group that may read from the terminal.</summary>
    public ProcessGroup? Foreground { get; internal set; }

    /// <summary>The foreground group when the terminal hung up: told once the leader ends.</summary>
    internal ProcessGroup? FormerForeground { get; set; }

    internal int GroupCount { get; set; }

    /// <summary>The leader ended or gave the terminal up (disassociate_ctty()).</summary>
    /// <param name="continues">Whether the foreground group is sent SIGCONT too.</param>
    [RequiresLock("TaskSet.Lock")]
    internal void LoseTerminalLocked(bool continues)
    {
        ProcessGroup? told = Terminal is null ? FormerForeground : Foreground;
        continues |= Terminal is null;
        if (Terminal is { } terminal)
        {
            (Terminal, Foreground, terminal.Session) = (null, null, null);
        }

        FormerForeground = null;
        told?.SendLocked(SignalNumber.SIGHUP);
        if (continues)
        {
            told?.SendLocked(SignalNumber.SIGCONT);
        }
    }
}

/// <summary>A terminal that a session can have.</summary>
public interface IControllingTerminal
{
    /// <summary>The device number (makedev), for /proc/PID/stat.</summary>
    ulong DeviceNumber { get; }

    /// <summary>The session it controls, or null. Guarded by the task set's lock; changed by it only.</summary>
    Session? Session { get; set; }
}
