// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Signals;
using CVisor.Core.Time;

namespace CVisor.Core.Tasks;

/// <summary>Keeps the guests' memory within the sandbox's limit: when there is no more, the largest process is killed, as Linux's OOM killer does (mm/oom_kill.c).</summary>
/// <remarks>
/// Two things tell of a shortage: a page that cannot be handed out, and, while more has been handed out than the limit allows to be touched, a look at what is
/// committed every tenth of a second. A page that the kernel's own copies lack is first taken from a small overdraft; when that is used up, the copy comes short, and
/// the task makes its call again once somebody was chosen (<see cref="Task.NoteShortage"/>). Were it left to the host, the host would choose among the sandbox's own processes.
/// </remarks>
public sealed class MemoryWatch : KernelTimer
{
    private const long PeriodNs = 100_000_000;
    private const int NeverKilled = -1000, ScoreRange = 1000;
    private readonly Kernel _kernel;
    private int _isArmed;

    internal MemoryWatch(Kernel kernel) => _kernel = kernel;

    /// <summary>Sets the limit.</summary>
    /// <param name="limitBytes">The most memory that guests may have committed, in bytes.</param>
    /// <param name="overdraftBytes">How far the kernel's copies may go beyond it for a moment.</param>
    public void Limit(ulong limitBytes, ulong overdraftBytes) => (_kernel.Memory.LimitBytes, _kernel.Memory.OverdraftBytes) = (limitBytes, overdraftBytes);

    /// <summary>Begins to look, when more has been handed out than may be touched.</summary>
    internal void OnHandedOut()
    {
        if (_kernel.Memory.IsOvercommitted && Interlocked.Exchange(ref _isArmed, 1) == 0)
        {
            _kernel.Timers.Arm(this, KernelClock.MonotonicNs + PeriodNs);
        }
    }

    /// <summary>A process could not have a page. Somebody is killed; when it is not the process itself, that touches the page again.</summary>
    internal void OnShortage(ThreadGroup process)
    {
        if (!TryKill())
        {
            _ = process.Send(SignalInfo.FromKernel(SignalNumber.SIGKILL), force: true);
        }
    }

    /// <inheritdoc/>
    protected internal override void OnFire()
    {
        SandboxMemory memory = _kernel.Memory;
        Volatile.Write(ref _isArmed, 0);
        if (memory.CommittedBytes > memory.LimitBytes)
        {
            memory.GiveBack();
        }

        if (memory.CommittedBytes > memory.LimitBytes)
        {
            _ = TryKill();
        }

        OnHandedOut();
    }

    /// <summary>Kills the process whose end frees most, unless one that was killed is still about to go.</summary>
    /// <returns>Whether memory will be freed.</returns>
    private bool TryKill()
    {
        ThreadGroup? victim = null;
        long worst = long.MinValue;
        lock (_kernel.Tasks.Lock)
        {
            foreach (ThreadGroup process in _kernel.Tasks.Processes(_kernel.Tasks.RootPids))
            {
                if (process.IsZombie)
                {
                    continue;
                }

                if (process.IsExiting)
                {
                    return true;
                }

                long score = Score(process);
                if (process.OomScoreAdjustment != NeverKilled && score > worst)
                {
                    (victim, worst) = (process, score);
                }
            }
        }

        return victim is not null && victim.Send(SignalInfo.FromKernel(SignalNumber.SIGKILL), force: true) == Errno.None;
    }

    private long Score(ThreadGroup process) =>
        (long)Math.Min(process.Leader.HasExited ? 0 : process.Leader.Memory.ResidentBytes, long.MaxValue / 2)
        + (process.OomScoreAdjustment * (long)(Math.Min(_kernel.Memory.LimitBytes, 1UL << 50) / ScoreRange));
}
