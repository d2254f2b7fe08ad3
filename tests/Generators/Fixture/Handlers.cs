// SPDX-License-Identifier: Apache-2.0
#nullable enable
namespace CVisor.Syscalls;

public static partial class Handlers
{
    public static partial global::CVisor.Core.Tasks.SyscallResult Fcntl(global::CVisor.Core.Tasks.Task task, int fd, int cmd, ulong arg)
        => new($"fcntl fd={fd} cmd={cmd} arg={arg}");

    public static partial global::CVisor.Core.Tasks.SyscallResult Gettid(global::CVisor.Core.Tasks.Task task) => new("gettid", 7);

    public static partial global::CVisor.Core.Tasks.SyscallResult Getuid(global::CVisor.Core.Tasks.Task task) => new("getuid", -5);

    public static partial global::CVisor.Core.Tasks.SyscallResult Lseek(global::CVisor.Core.Tasks.Task task, int fd, long offset)
        => new($"lseek fd={fd} offset={offset}");

    public static partial global::CVisor.Core.Tasks.Blocking<global::CVisor.Core.Tasks.SyscallResult> Open(
        global::CVisor.Core.Tasks.Task task, global::CVisor.Core.Memory.UserPtr path, int flags, uint mode)
        => new global::CVisor.Core.Tasks.SyscallResult($"open path=0x{path.Address:x} flags={flags} mode={mode}");

    public static partial global::CVisor.Core.Tasks.Blocking<global::CVisor.Core.Tasks.SyscallResult> Read(
        global::CVisor.Core.Tasks.Task task, int fd, global::CVisor.Core.Memory.UserPtr buf, ulong count)
        => new global::CVisor.Core.Tasks.SyscallResult($"read fd={fd} buf=0x{buf.Address:x} count={count}");
}
