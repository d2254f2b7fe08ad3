// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Credentials;

namespace CVisor.Core.Tasks;

/// <summary>Standing answers: what the platform may tell the task in the kernel's place (<see cref="ISyscallTable.StandingCalls"/>).</summary>
/// <remarks>
/// Who changes something that an answer follows from withdraws the task's answers behind the change: the task itself by a mark that it looks at on its way out, others under
/// <see cref="TaskSet.Lock"/>, which takes effect at once. The task alone gives answers, under that lock, so that nothing can change between their making and their giving.
/// </remarks>
public sealed partial class Task
{
    private volatile bool _lacksAnswers = true;

    /// <summary>Whether somebody must see each call: filters, or a tracer.</summary>
    private bool IsWatched => Seccomp is not null || Trace is not null;

    /// <summary>Has every call of the task come to the kernel until it has been here. Any thread.</summary>
    [RequiresLock("TaskSet.Lock")]
    internal void WithdrawAnswersLocked()
    {
        _lacksAnswers = true;
        Context?.SetAnswers([]);
    }

    /// <summary>Gives the platform what the task's calls answer now. The task itself, about to run guest code.</summary>
    private void GiveAnswers()
    {
        Span<ulong> answers = stackalloc ulong[Kernel.Syscalls.StandingCalls.Length];
        lock (Kernel.Tasks.Lock)
        {
            _lacksAnswers = false;
            bool mayGive = answers.Length > 0 && !IsWatched;
            if (mayGive)
            {
                Kernel.Syscalls.Answer(this, answers);
            }

            Context!.SetAnswers(mayGive ? answers : []);
        }
    }
}

/// <content>What others change about many tasks.</content>
public sealed partial class TaskSet
{
    /// <summary>A user namespace shows its users by other numbers from now on.</summary>
    public void OnMapped(UserNamespace ns)
    {
        lock (Lock)
        {
            foreach (ProcessId id in RootPids.IdsLocked)
            {
                if (id.Task is { HasExited: false } task && task.Credentials.UserNamespace == ns)
                {
                    task.WithdrawAnswersLocked();
                }
            }
        }
    }
}
