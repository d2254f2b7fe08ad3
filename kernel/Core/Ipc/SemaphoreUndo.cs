// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Core.Ipc;

namespace CVisor.Core.Ipc
{
    /// <summary>What a process asked to be undone when it ends (SEM_UNDO).</summary>
    /// <remarks>Lock order: a set's lock, then this one's.</remarks>
    public sealed class SemaphoreUndo
    {
        private static readonly Lock s_lock = new();
        [GuardedBy(nameof(s_lock))]
        private static readonly List<SemaphoreUndo> s_all = [];
        [GuardedBy(nameof(s_lock))]
        private Dictionary<SemaphoreSet, int[]>? _deltas;

        /// <summary>Adds to what is undone.</summary>
        internal void Add(SemaphoreSet set, int index, int delta)
        {
            lock (s_lock)
            {
                if (_deltas is null)
                {
                    _deltas = [];
                    s_all.Add(this);
                }

                if (!_deltas.TryGetValue(set, out int[]? deltas))
                {
                    deltas = new int[set.Length];
                    _deltas.Add(set, deltas);
                }

                deltas[index] += delta;
            }
        }

        /// <summary>Nobody undoes what was done to these semaphores: they were set.</summary>
        internal static void Forget(SemaphoreSet set, int first, int count)
        {
            lock (s_lock)
            {
                foreach (SemaphoreUndo undo in s_all)
                {
                    if (undo._deltas!.TryGetValue(set, out int[]? deltas))
                    {
                        Array.Clear(deltas, first, count);
                    }
                }
            }
        }

        /// <summary>The process ends.</summary>
        internal void Apply(int pid)
        {
            Dictionary<SemaphoreSet, int[]>? deltas;
            lock (s_lock)
            {
                deltas = _deltas;
                _deltas = null;
                if (deltas is null)
                {
                    return;
                }

                _ = s_all.Remove(this);
            }

            foreach ((SemaphoreSet set, int[] changes) in deltas)
            {
                if (!set.IsRemoved)
                {
                    set.ApplyUndo(pid, changes);
                }
            }
        }
    }
}

namespace CVisor.Core.Tasks
{
    /// <summary>A process's undo list.</summary>
    public sealed partial class ThreadGroup
    {
        /// <summary>What is undone when the process ends (SEM_UNDO).</summary>
        internal SemaphoreUndo SemaphoreUndo { get; } = new();
    }

    /// <summary>A task's part in its process's undo list.</summary>
    public sealed partial class Task
    {
        private bool _hasLeftIpc;

        /// <summary>The task ends: with the last one of the process the semaphores are put back, before a parent hears of the end.</summary>
        private void LeaveIpc()
        {
            lock (Kernel.Tasks.Lock)
            {
                _hasLeftIpc = true;
                foreach (Task thread in ThreadGroup.Threads)
                {
                    if (!thread._hasLeftIpc)
                    {
                        return;
                    }
                }
            }

            ThreadGroup.SemaphoreUndo.Apply(ThreadGroup.Pid);
        }
    }
}
