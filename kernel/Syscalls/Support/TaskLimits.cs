// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Tasks;

namespace CVisor.Syscalls.Support;

/// <summary>Limits that a task has no figure of its own for yet.</summary>
internal static class TaskLimits
{
    extension(Task task)
    {
        /// <summary>RLIMIT_NOFILE: Linux's fs.nr_open until tasks have limits.</summary>
        internal int FileLimit => task.Descriptors is null ? 0 : 1 << 20;
    }
}
