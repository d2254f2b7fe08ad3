// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Signals;

namespace CVisor.Core.Tasks;

/// <summary>What a write to a pipe or stream without a reader does besides EPIPE (pipe(7)).</summary>
public static class BrokenPipe
{
    /// <summary>Sends SIGPIPE to the writing thread; nothing when the kernel itself writes.</summary>
    public static void Signal(Task? task) =>
        _ = task?.Send(SignalInfo.FromProcess(SignalNumber.SIGPIPE, SignalInfo.SI_USER, task.ThreadGroup.Pid, task.Credentials.RealUid));
}
