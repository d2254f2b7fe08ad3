// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Tasks;

namespace CVisor.Syscalls;

/// <content>exit, exit_group.</content>
public static partial class Handlers
{
    /// <summary>exit(2)</summary>
    public static partial SyscallResult Exit(Task task, int status) => task.RequestExit((status & 0xff) << 8);

    /// <summary>exit_group(2)</summary>
    public static partial SyscallResult ExitGroup(Task task, int status) => task.RequestGroupExit((status & 0xff) << 8);
}
