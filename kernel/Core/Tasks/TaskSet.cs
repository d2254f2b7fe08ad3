// SPDX-License-Identifier: Apache-2.0
using System.Threading;

namespace CVisor.Core.Tasks;

/// <summary>All tasks and processes of a kernel, by number; the process tree, groups and sessions.</summary>
public sealed partial class TaskSet
{
    private int _lastTid;

    /// <summary>Guards the tree: parents and children, threads of a group, process groups, sessions, pending signals, stop and exit states.</summary>
    public Lock Lock { get; } = new();

    /// <summary>A fresh thread id.</summary>
    internal int NextTid() => Interlocked.Increment(ref _lastTid);
}
