// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Pipes;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>pipe, pipe2.</content>
public static partial class Handlers
{
    /// <summary>pipe(2)</summary>
    public static partial SyscallResult Pipe(Task task, UserPtr pipefd) => Pipe2(task, pipefd, 0);

    /// <summary>pipe2(2)</summary>
    public static partial SyscallResult Pipe2(Task task, UserPtr pipefd, int flags)
    {
        OpenFlags wanted = unchecked((OpenFlags)flags);
        if ((wanted & ~(OpenFlags.CloseOnExec | OpenFlags.NonBlock | OpenFlags.Direct)) != 0)
        {
            return Errno.EINVAL;
        }

        (PipeDescription reader, PipeDescription writer) = PipeDescription.CreatePair(wanted & ~OpenFlags.CloseOnExec, task.Credentials);
        return Descriptors.InstallPair(task, reader, writer, (wanted & OpenFlags.CloseOnExec) != 0, pipefd);
    }
}
