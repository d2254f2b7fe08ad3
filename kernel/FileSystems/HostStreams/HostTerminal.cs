// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Host;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems.HostStreams;

/// <summary>The ioctls of a terminal or pipe of the host that a guest may make: settings and sizes, nothing that reaches another process.</summary>
internal static class HostTerminal
{
    private const uint Tcgets = 0x5401, Tcsets = 0x5402, Tcsetsw = 0x5403, Tcsetsf = 0x5404, Tiocgwinsz = 0x5413, Tiocswinsz = 0x5414, Fionread = 0x541b;
    private const int TermiosBytes = 36, WinsizeBytes = 8;

    internal static Blocking<SyscallResult> Ioctl(int hostFd, Task task, uint request, ulong argument)
    {
        (int length, bool isWrite) = request switch
        {
            Tcgets => (TermiosBytes, false),
            Tcsets or Tcsetsw or Tcsetsf => (TermiosBytes, true),
            Tiocgwinsz => (WinsizeBytes, false),
            Tiocswinsz => (WinsizeBytes, true),
            Fionread => (4, false),
            _ => (0, false),
        };
        if (length == 0)
        {
            return (SyscallResult)Errno.ENOTTY;
        }

        Span<byte> data = stackalloc byte[TermiosBytes];
        data = data[..length];
        if (isWrite)
        {
            Errno fault = task.Memory.CopyIn(new UserPtr(argument), data);
            if (fault != Errno.None)
            {
                return (SyscallResult)fault;
            }
        }

        HostResult result = HostIoctl.Invoke(hostFd, request, data);
        if (result.IsError)
        {
            return (SyscallResult)result.Error.ToGuest();
        }

        return (SyscallResult)(isWrite ? Errno.None : task.Memory.CopyOut(new UserPtr(argument), data));
    }
}
