// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Signals;
using CVisor.Core.Tasks;

namespace CVisor.Core.Vfs;

/// <summary>Reads and writes of open files with all that goes with them whoever asks: watches are told, O_APPEND and RLIMIT_FSIZE hold (vfs_read(), vfs_write()).</summary>
public static class FileTransfer
{
    private const int FileSizeExceeded = 25; // SIGXFSZ

    /// <summary>Reads.</summary>
    /// <param name="task">The reader, or null for the kernel itself.</param>
    /// <param name="file">The file.</param>
    /// <param name="destination">Where to.</param>
    /// <param name="offset">Where in the file, in bytes; negative for the description's own offset.</param>
    public static IoResult Read(Task? task, FileDescription file, ref IoBuffer destination, long offset = -1)
    {
        IoResult result = offset < 0 ? file.Read(task, ref destination) : file.ReadAt(task, ref destination, offset);
        if (result.Count > 0)
        {
            FileEvents.OnAccessed(file);
        }

        return result;
    }

    /// <summary>Writes. With O_APPEND the end of the file is meant, even if an offset is given, as on Linux.</summary>
    /// <param name="task">The writer, or null for the kernel itself.</param>
    /// <param name="file">The file.</param>
    /// <param name="source">What.</param>
    /// <param name="offset">Where in the file, in bytes; negative for the description's own offset.</param>
    public static IoResult Write(Task? task, FileDescription file, ref IoBuffer source, long offset = -1)
    {
        bool appends = (file.Flags & OpenFlags.Append) != 0;
        if (offset >= 0 && appends && file.IsSeekable)
        {
            return Append(task, file, ref source, out _);
        }

        Errno error = task is null ? Errno.None : LimitSize(task, file, ref source, appends ? long.MaxValue : offset);
        if (error != Errno.None)
        {
            return error;
        }

        IoResult result = offset < 0 ? file.Write(task, ref source) : file.WriteAt(task, ref source, offset);
        if (result.Count > 0)
        {
            FileEvents.OnModified(file);
        }

        return result;
    }

    /// <summary>Writes at the end of the file and leaves the description's offset alone (RWF_APPEND).</summary>
    /// <param name="task">The writer, or null for the kernel itself.</param>
    /// <param name="file">The file.</param>
    /// <param name="source">What.</param>
    /// <param name="end">Where the end is then, in bytes.</param>
    public static IoResult Append(Task? task, FileDescription file, ref IoBuffer source, out long end)
    {
        end = 0;
        Errno error = task is null ? Errno.None : LimitSize(task, file, ref source, long.MaxValue);
        if (error != Errno.None)
        {
            return error;
        }

        IoResult result = file.Append(task, ref source, out end);
        if (result.Count > 0)
        {
            FileEvents.OnModified(file);
        }

        return result;
    }

    /// <summary>RLIMIT_FSIZE for truncation and allocation: SIGXFSZ and EFBIG for a regular file that would grow beyond it.</summary>
    /// <param name="task">Who.</param>
    /// <param name="inode">The file.</param>
    /// <param name="length">Its length afterwards in bytes; not negative.</param>
    public static Errno CheckSizeLimit(Task task, Inode? inode, long length)
    {
        if (inode?.Type != FileType.Regular || unchecked((ulong)length) <= task.ThreadGroup.Limits.FileSizeBytes)
        {
            return Errno.None;
        }

        Errno error = inode.GetAttributes(out Attributes attributes);
        return error != Errno.None || unchecked((ulong)length) <= attributes.SizeBytes ? error : Refuse(task);
    }

    /// <summary>RLIMIT_FSIZE for writing: what lies beyond it is cut off (generic_write_check_limits()).</summary>
    /// <param name="task">Who.</param>
    /// <param name="file">The file.</param>
    /// <param name="source">What is cut.</param>
    /// <param name="offset">Where: negative for the description's own offset, <see cref="long.MaxValue"/> for the end.</param>
    private static Errno LimitSize(Task task, FileDescription file, ref IoBuffer source, long offset)
    {
        ulong limit = task.ThreadGroup.Limits.FileSizeBytes;
        if (limit >= long.MaxValue || source.Remaining == 0 || file.Inode is not { Type: FileType.Regular } inode)
        {
            return Errno.None;
        }

        if (offset == long.MaxValue)
        {
            Errno error = inode.GetAttributes(out Attributes attributes);
            if (error != Errno.None)
            {
                return error;
            }

            offset = (long)Math.Min(attributes.SizeBytes, long.MaxValue);
        }
        else if (offset < 0)
        {
            offset = file.Seek(0, 1).Count;
        }

        long most = (long)limit - offset;
        if (most <= 0)
        {
            return Refuse(task);
        }

        source.Limit(most);
        return Errno.None;
    }

    private static Errno Refuse(Task task)
    {
        _ = task.Send(SignalInfo.FromKernel(FileSizeExceeded));
        return Errno.EFBIG;
    }
}
