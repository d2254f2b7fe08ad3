// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>ioctl.</content>
public static partial class Handlers
{
    private const uint Fioclex = 0x5451, Fionclex = 0x5450, Fionbio = 0x5421, Fioasync = 0x5452, Fionread = 0x541b, Figetbsz = 2;

    /// <summary>ioctl(2)</summary>
    public static partial Blocking<SyscallResult> Ioctl(Task task, int fd, uint request, UserPtr argp)
    {
        Errno error = Descriptors.Get(task, fd, out FileDescription file);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        if (TryGenericIoctl(task, fd, file, request, argp, out SyscallResult result))
        {
            file.Unreference();
            return result;
        }

        Blocking<SyscallResult> call = file.Ioctl(task, request, argp.Address);
        return Descriptors.Release(call, file);
    }

    private static bool TryGenericIoctl(Task task, int fd, FileDescription file, uint request, UserPtr argument, out SyscallResult result)
    {
        switch (request)
        {
            case Fioclex:
            case Fionclex:
                result = task.Descriptors.SetCloseOnExec(fd, request == Fioclex);
                return true;
            case Fionbio:
            case Fioasync:
                OpenFlags flag = request == Fionbio ? OpenFlags.NonBlock : OpenFlags.Async;
                Errno error = task.Memory.CopyIn(argument, out int on);
                if (error == Errno.None)
                {
                    file.SetStatusFlags(on != 0 ? file.Flags | flag : file.Flags & ~flag, task, fd);
                }

                result = error;
                return true;
            case Figetbsz when file.Inode is { Type: FileType.Regular or FileType.Directory } inode:
                error = inode.GetAttributes(out Attributes attributes);
                result = error != Errno.None ? error : task.Memory.CopyOut(argument, attributes.BlockSize);
                return true;
            case Fionread when file.Inode is { Type: FileType.Regular } inode:
                error = inode.GetAttributes(out attributes);
                IoResult here = file.Seek(0, 1);
                long left = here.IsError ? 0 : (long)Math.Min(attributes.SizeBytes, long.MaxValue) - here.Count;
                result = error != Errno.None ? error : task.Memory.CopyOut(argument, (int)Math.Clamp(left, 0, int.MaxValue));
                return true;
            default:
                result = default;
                return false;
        }
    }
}
