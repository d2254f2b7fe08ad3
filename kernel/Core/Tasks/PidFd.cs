// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Vfs;

namespace CVisor.Core.Tasks;

/// <summary>An inode that stands for a process (/proc/PID): pidfd_send_signal(2) takes its descriptor, too.</summary>
public interface IProcessDirectory
{
    /// <summary>The process; null for a thread's directory, which does not count.</summary>
    ThreadGroup? Process { get; }
}

/// <summary>A descriptor of a process (pidfd_open(2)): readable once the process has ended.</summary>
public sealed class PidFd : FileDescription
{
    /// <summary>Makes one.</summary>
    /// <param name="process">The process.</param>
    /// <param name="flags">O_NONBLOCK counts.</param>
    public PidFd(ThreadGroup process, OpenFlags flags)
        : base(default, flags) => Process = process;

    /// <summary>The process; it may have ended and been waited for.</summary>
    public ThreadGroup Process { get; }

    /// <inheritdoc/>
    public override WaitQueue? Queue => Process.EndEvents;

    /// <inheritdoc/>
    public override string? AnonymousName => "anon_inode:[pidfd]";

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask) =>
        mask & (Process.IsZombie ? PollEvents.AllIn | (Process.IsDead ? PollEvents.Hup : PollEvents.None) : PollEvents.None);
}
