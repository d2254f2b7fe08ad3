// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Namespaces;

namespace CVisor.Core.Tasks;

/// <summary>Parents, process groups and sessions.</summary>
public sealed partial class TaskSet
{
    /// <summary>The id of this number, whatever it names; null when it names nothing.</summary>
    public ProcessId? FindId(PidNamespace ns, int number)
    {
        lock (Lock)
        {
            return ns.FindLocked(number);
        }
    }

    /// <summary>The parent's PID as a task sees it; 0 when it has none, or one outside its namespace.</summary>
    public int ParentPid(Task task)
    {
        lock (Lock)
        {
            return task.ThreadGroup.Parent?.PidIn(task.PidNamespace) ?? 0;
        }
    }

    /// <summary>The process group and the session of a process (0 for the caller's own), as the caller sees them.</summary>
    public bool TryGetGroup(Task caller, int pid, out int group, out int session)
    {
        lock (Lock)
        {
            ThreadGroup? process = pid == 0 ? caller.ThreadGroup : caller.PidNamespace.FindLocked(pid)?.Task?.ThreadGroup;
            group = process?.ProcessGroup.Id.NumberIn(caller.PidNamespace) ?? 0;
            session = process?.Session.Id.NumberIn(caller.PidNamespace) ?? 0;
            return process is not null;
        }
    }

    /// <summary>setpgid(2)</summary>
    public Errno SetProcessGroup(Task caller, int pid, int groupNumber)
    {
        if (groupNumber < 0)
        {
            return Errno.EINVAL;
        }

        lock (Lock)
        {
            ThreadGroup? process = pid == 0 ? caller.ThreadGroup : FindProcessLocked(caller.PidNamespace, pid);
            if (process is null || (process != caller.ThreadGroup && process.Parent != caller.ThreadGroup))
            {
                return Errno.ESRCH;
            }

            if (process != caller.ThreadGroup && process.Session != caller.ThreadGroup.Session)
            {
                return Errno.EPERM;
            }

            if (process != caller.ThreadGroup && process.HasExecuted)
            {
                return Errno.EACCES;
            }

            if (process.Session.Leader == process)
            {
                return Errno.EPERM;
            }

            ProcessId id = process.Leader.Id;
            ProcessGroup? target;
            if (groupNumber == 0 || groupNumber == id.NumberIn(caller.PidNamespace))
            {
                target = id.Group ?? new ProcessGroup(id, process.Session);
            }
            else
            {
                target = caller.PidNamespace.FindLocked(groupNumber)?.Group;
                if (target is null || target.Session != process.Session)
                {
                    return Errno.EPERM;
                }
            }

            if (target != process.ProcessGroup)
            {
                process.JoinLocked(target);
            }

            return Errno.None;
        }
    }

    /// <summary>setsid(2): EPERM when the caller leads a process group.</summary>
    public Errno CreateSession(Task caller)
    {
        lock (Lock)
        {
            ThreadGroup process = caller.ThreadGroup;
            ProcessId id = process.Leader.Id;
            if (id.Group is not null || id.Session is not null)
            {
                return Errno.EPERM;
            }

            Session session = new(id) { Leader = process };
            process.JoinLocked(new ProcessGroup(id, session));
            process.HasLeftTerminal = false;
            return Errno.None;
        }
    }
}
