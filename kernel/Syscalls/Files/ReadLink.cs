// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>readlink, readlinkat.</content>
public static partial class Handlers
{
    /// <summary>readlink(2)</summary>
    public static partial Blocking<SyscallResult> Readlink(Task task, UserPtr path, UserPtr buf, ulong bufsiz) => (SyscallResult)ReadLinkAt(task, AtFlags.FdCwd, path, buf, bufsiz);

    /// <summary>readlinkat(2)</summary>
    public static partial Blocking<SyscallResult> Readlinkat(Task task, int dirfd, UserPtr path, UserPtr buf, ulong bufsiz) => (SyscallResult)ReadLinkAt(task, dirfd, path, buf, bufsiz);

    private static SyscallResult ReadLinkAt(Task task, int dirfd, UserPtr pointer, UserPtr buffer, ulong size)
    {
        // An int to Linux: nothing above 2 GiB, nothing negative.
        int capacity = unchecked((int)size);
        if (capacity <= 0)
        {
            return Errno.EINVAL;
        }

        Errno error = Paths.Start(task, dirfd, pointer, out string path, out WalkStart start);
        if (error != Errno.None)
        {
            return error;
        }

        error = VirtualFileSystem.Resolve(task.Operation, start.Root, start.Directory, path, WalkFlags.AllowEmpty, out VfsPath place);
        start.Release();
        if (error != Errno.None)
        {
            return error;
        }

        // An empty path means the descriptor's own link (Linux 2.6.39); anything else it names is no link.
        error = path.Length == 0 && (dirfd == AtFlags.FdCwd || place.Dentry!.Inode?.Type != FileType.Symlink) ? Errno.ENOENT : VirtualFileSystem.ReadLink(task.Operation, place, out path);
        place.Unreference();
        if (error != Errno.None)
        {
            return error;
        }

        byte[] bytes = KernelString.ToBytes(path);
        int length = Math.Min(bytes.Length, capacity);
        error = task.Memory.CopyOut(buffer, bytes.AsSpan(0, length));
        return error != Errno.None ? error : length;
    }
}
