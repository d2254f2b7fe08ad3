// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;

namespace CVisor.Core.Tasks;

/// <summary>Why a wait is over.</summary>
public enum BlockOutcome
{
    /// <summary>A waiter of the task was told of an event: try again.</summary>
    Woken,

    /// <summary>The deadline passed.</summary>
    TimedOut,

    /// <summary>A signal is to be delivered (or the task is being killed): return EINTR or a restart, quickly.</summary>
    Interrupted,
}

/// <summary>What may end a wait besides its events and its deadline.</summary>
public enum BlockKind
{
    /// <summary>Any signal that the task does not block or ignore.</summary>
    Interruptible,

    /// <summary>Only the task's death.</summary>
    Killable,

    /// <summary>Nothing but the event: for a wait of a task that is ending already.</summary>
    Uninterruptible,
}

/// <summary>One wait of a task; made by <see cref="Task.Block"/>, awaited at once.</summary>
public readonly struct BlockAwaitable : ICriticalNotifyCompletion
{
    private readonly Task _task;
    private readonly BlockOutcome _outcome;

    internal BlockAwaitable(Task task, bool isCompleted, BlockOutcome outcome) => (_task, IsCompleted, _outcome) = (task, isCompleted, outcome);

    /// <summary>Whether there is nothing to wait for.</summary>
    public bool IsCompleted { get; }

    /// <summary>For <c>await</c>.</summary>
    public BlockAwaitable GetAwaiter() => this;

    /// <summary>Why the wait is over.</summary>
    public BlockOutcome GetResult() => IsCompleted ? _outcome : _task.TakeBlockOutcome();

    /// <inheritdoc/>
    public void OnCompleted(Action continuation) => _task.SetContinuation(continuation);

    /// <inheritdoc/>
    public void UnsafeOnCompleted(Action continuation) => _task.SetContinuation(continuation);
}
