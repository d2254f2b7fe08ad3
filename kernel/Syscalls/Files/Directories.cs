// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>getdents, getdents64, getcwd, chdir, fchdir, chroot.</content>
public static partial class Handlers
{
    /// <summary>getdents(2)</summary>
    public static partial Blocking<SyscallResult> Getdents(Task task, int fd, UserPtr dirp, uint count) => (SyscallResult)ListDirectory(task, fd, dirp, count, isOld: true);

    /// <summary>getdents64(2)</summary>
    public static partial Blocking<SyscallResult> Getdents64(Task task, int fd, UserPtr dirp, uint count) => (SyscallResult)ListDirectory(task, fd, dirp, count, isOld: false);

    /// <summary>getcwd(2)</summary>
    public static partial Blocking<SyscallResult> Getcwd(Task task, UserPtr buf, ulong size)
    {
        VfsPath root = task.Fs.GetRoot();
        VfsPath directory = task.Fs.GetWorkingDirectory();
        string path = PathText.Of(directory, root, out bool isReachable, out bool isDeleted);
        root.Unreference();
        directory.Unreference();
        if (isDeleted)
        {
            return (SyscallResult)Errno.ENOENT;
        }

        byte[] bytes = KernelString.ToBytes((isReachable ? path : "(unreachable)" + path) + "\0");
        if (bytes.Length > VirtualFileSystem.MaximumPath)
        {
            return (SyscallResult)Errno.ENAMETOOLONG;
        }

        if ((ulong)bytes.Length > size)
        {
            return (SyscallResult)Errno.ERANGE;
        }

        Errno error = task.Memory.CopyOut(buf, bytes);
        return error != Errno.None ? (SyscallResult)error : (SyscallResult)bytes.Length;
    }

    /// <summary>chdir(2)</summary>
    public static partial Blocking<SyscallResult> Chdir(Task task, UserPtr path)
    {
        Errno error = Paths.Resolve(task, AtFlags.FdCwd, path, WalkFlags.FollowLast | WalkFlags.RequireDirectory, out VfsPath place);
        return (SyscallResult)(error != Errno.None ? error : EnterDirectory(task, place));
    }

    /// <summary>fchdir(2)</summary>
    public static partial SyscallResult Fchdir(Task task, int fd)
    {
        Errno error = Paths.OfDescriptor(task, fd, out VfsPath place);
        return error != Errno.None ? error : EnterDirectory(task, place);
    }

    /// <summary>chroot(2)</summary>
    public static partial Blocking<SyscallResult> Chroot(Task task, UserPtr path)
    {
        Errno error = Paths.Resolve(task, AtFlags.FdCwd, path, WalkFlags.FollowLast | WalkFlags.RequireDirectory, out VfsPath place);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        error = VirtualFileSystem.CheckAccess(task.Credentials, place, AccessMode.Execute);
        error = error == Errno.None && !task.Credentials.Has(Capability.SysChroot) ? Errno.EPERM : error;
        if (error == Errno.None)
        {
            task.Fs.SetRoot(place);
        }

        place.Unreference();
        return (SyscallResult)error;
    }

    private static Errno EnterDirectory(Task task, VfsPath place)
    {
        Errno error = place.Dentry!.IsDirectory ? VirtualFileSystem.CheckAccess(task.Credentials, place, AccessMode.Execute) : Errno.ENOTDIR;
        if (error == Errno.None)
        {
            task.Fs.SetWorkingDirectory(place);
        }

        place.Unreference();
        return error;
    }

    private static SyscallResult ListDirectory(Task task, int fd, UserPtr buffer, uint count, bool isOld)
    {
        const uint MostAtOnce = 64 << 10;
        Errno error = Descriptors.Get(task, fd, out FileDescription file);
        if (error != Errno.None)
        {
            return error;
        }

        DirectoryWriter writer = new((int)Math.Min(count, MostAtOnce), isOld);
        error = file.ReadDirectory(task.Operation, writer);
        if (error == Errno.None)
        {
            FileEvents.OnAccessed(file);
        }

        file.Unreference();
        if (error != Errno.None || writer.Length == 0)
        {
            return error != Errno.None ? error : writer.IsTooSmall ? Errno.EINVAL : 0;
        }

        error = task.Memory.CopyOut(buffer, writer.Written);
        return error != Errno.None ? error : writer.Length;
    }

    /// <summary>Makes struct linux_dirent64, or the older struct linux_dirent, of entries.</summary>
    private sealed class DirectoryWriter(int capacity, bool isOld) : IDirectorySink
    {
        private readonly byte[] _buffer = new byte[capacity];

        internal int Length { get; private set; }

        internal bool IsTooSmall { get; private set; }

        internal ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

        public bool Add(string name, ulong inode, FileType type, long nextOffset)
        {
            int header = isOld ? 18 : 19;
            int record = (header + name.Length + (isOld ? 2 : 1) + 7) & ~7;
            if (record > _buffer.Length - Length)
            {
                IsTooSmall = Length == 0;
                return false;
            }

            Span<byte> at = _buffer.AsSpan(Length, record);
            BinaryPrimitives.WriteUInt64LittleEndian(at, inode);
            BinaryPrimitives.WriteInt64LittleEndian(at[8..], nextOffset);
            BinaryPrimitives.WriteUInt16LittleEndian(at[16..], (ushort)record);
            byte kind = (byte)((uint)type >> 12);
            at[isOld ? record - 1 : 18] = kind;
            _ = KernelString.ToBytes(name, at[header..]);
            Length += record;
            return true;
        }
    }
}
