// SPDX-License-Identifier: Apache-2.0
using System.Threading;

namespace CVisor.Core.Tasks;

/// <summary>A process: the tasks that share a PID, signal handlers and an end.</summary>
public sealed partial class ThreadGroup(Kernel kernel, int pid)
{
    private int _status;

    /// <summary>The kernel.</summary>
    public Kernel Kernel { get; } = kernel;

    /// <summary>The PID in the initial namespace.</summary>
    public int Pid { get; } = pid;

    /// <summary>The wait(2) status once it has ended.</summary>
    public int ExitStatus => Volatile.Read(ref _status);

    internal void OnTaskExited(Task task, int status)
    {
        _ = task;
        Volatile.Write(ref _status, status);
        Kernel.OnProcessEnded(this);
    }
}
