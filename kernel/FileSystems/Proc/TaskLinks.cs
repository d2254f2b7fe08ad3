// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Namespaces;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Synthetic;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems.Proc;

/// <summary>A magic link to a place that a task uses: cwd, root, exe.</summary>
internal sealed class PlaceLink(ProcFileSystem proc, Task task, Func<Task, VfsPath> place) : SyntheticInode(proc, FileType.Symlink, 0x1ff)
{
    /// <inheritdoc/>
    public override Errno ReadLink(in OperationContext context, out string target)
    {
        VfsPath path = place(task);
        target = path.IsValid ? PathText.Of(path, context.Task?.Fs.Root ?? task.Fs.Root) : "";
        return path.IsValid && !task.IsForgotten ? Errno.None : Errno.ENOENT;
    }

    /// <inheritdoc/>
    public override bool TryFollowMagicLink(in OperationContext context, out VfsPath target, out Errno error)
    {
        target = place(task);
        error = target.IsValid ? Errno.None : Errno.ENOENT;
        target.Reference();
        return true;
    }

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) => (OpenResult)Errno.ELOOP;
}

/// <summary>/proc/PID/fd and fdinfo.</summary>
internal sealed class DescriptorDirectory(ProcFileSystem proc, Task task, bool isInfo) : SyntheticDirectory(proc, 0x140)
{
    /// <inheritdoc/>
    public override bool IsGone => task.IsForgotten;

    /// <inheritdoc/>
    protected override (uint Uid, uint Gid) Owner => (task.Credentials.EffectiveUid, task.Credentials.EffectiveGid);

    /// <inheritdoc/>
    protected override Inode? FindDynamic(in OperationContext context, string name)
    {
        if (!(name == "0" || ProcFileSystem.TryParse(name, out _)) || task.HasExited)
        {
            return null;
        }

        int fd = int.Parse(name, CultureInfo.InvariantCulture);
        FileDescription? file = task.Descriptors.Get(fd);
        if (file is null)
        {
            return null;
        }

        file.Unreference();
        return isInfo ? new TaskFile(proc, task, (text, t) => WriteInfo(text, t, fd), 0x100) : new DescriptorLink(proc, task, fd);
    }

    /// <inheritdoc/>
    protected override IEnumerable<(string Name, FileType Type)> ListDynamic(OperationContext context)
    {
        if (task.HasExited)
        {
            yield break;
        }

        foreach (int fd in task.Descriptors.OpenNumbers())
        {
            yield return (fd.ToString(CultureInfo.InvariantCulture), isInfo ? FileType.Regular : FileType.Symlink);
        }
    }

    private static void WriteInfo(StringBuilder text, Task task, int fd)
    {
        FileDescription? file = task.Descriptors.Get(fd);
        if (file is null)
        {
            return;
        }

        IoResult position = file.Seek(0, 1);
        _ = task.Descriptors.GetCloseOnExec(fd, out bool closeOnExec);
        uint flags = (uint)file.Flags | (closeOnExec ? (uint)OpenFlags.CloseOnExec : 0);
        _ = text.Append(CultureInfo.InvariantCulture, $"pos:\t{(position.IsError ? 0 : position.Count)}\nflags:\t0{Convert.ToString(flags, 8)}\nmnt_id:\t{file.Path.Mount?.Id ?? 0}\n");
        file.Unreference();
    }
}

/// <summary>/proc/PID/fd/N: leads to the open file itself, whatever its name has become.</summary>
internal sealed class DescriptorLink(ProcFileSystem proc, Task task, int fd) : SyntheticInode(proc, FileType.Symlink, 0x1c0)
{
    /// <inheritdoc/>
    public override Errno ReadLink(in OperationContext context, out string target)
    {
        target = "";
        if (task.Descriptors.Get(fd) is not { } file)
        {
            return Errno.ENOENT;
        }

        target = file.AnonymousName ?? (file.Path.IsValid ? PathText.Of(file.Path, context.Task?.Fs.Root ?? task.Fs.Root) : "anon_inode:[unknown]");
        file.Unreference();
        return Errno.None;
    }

    /// <inheritdoc/>
    public override bool TryFollowMagicLink(in OperationContext context, out VfsPath target, out Errno error)
    {
        target = default;
        error = Errno.ENOENT;
        if (task.Descriptors.Get(fd) is not { } file)
        {
            return true;
        }

        target = file.GetPlace();
        error = target.IsValid ? Errno.None : Errno.ENXIO;
        file.Unreference();
        return true;
    }

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) => (OpenResult)Errno.ELOOP;
}

/// <summary>/proc/PID/mem.</summary>
internal sealed class MemoryDevice(ProcFileSystem proc, Task task) : SyntheticInode(proc, FileType.Regular, 0x180)
{
    /// <inheritdoc/>
    protected override (uint Uid, uint Gid) Owner => (task.Credentials.EffectiveUid, task.Credentials.EffectiveGid);

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) => (OpenResult)new Description(task, path, flags);

    private sealed class Description(Task task, VfsPath path, OpenFlags flags) : FileDescription(path, flags)
    {
        private long _offset;

        public override bool IsSeekable => true;

        public override IoResult Seek(long offset, int whence) => whence is 0 or 1 ? _offset = whence == 0 ? offset : unchecked(_offset + offset) : Errno.EINVAL;

        public override IoResult Read(Task? reader, ref IoBuffer destination)
        {
            IoResult result = ReadAt(reader, ref destination, _offset);
            _offset = unchecked(_offset + result.Count);
            return result;
        }

        public override IoResult Write(Task? writer, ref IoBuffer source)
        {
            IoResult result = WriteAt(writer, ref source, _offset);
            _offset = unchecked(_offset + result.Count);
            return result;
        }

        public override IoResult ReadAt(Task? reader, ref IoBuffer destination, long offset)
        {
            byte[] piece = new byte[Math.Min(destination.Remaining, 65536)];
            int got = task.Memory.AccessForced(new UserPtr(unchecked((ulong)offset)), piece, write: false);
            if (got == 0)
            {
                return piece.Length == 0 ? 0 : Errno.EIO;
            }

            Errno error = destination.CopyOut(piece.AsSpan(0, got), out int copied);
            return error != Errno.None && copied == 0 ? error : copied;
        }

        public override IoResult WriteAt(Task? writer, ref IoBuffer source, long offset)
        {
            byte[] piece = new byte[Math.Min(source.Remaining, 65536)];
            Errno error = source.CopyIn(piece, out int copied);
            if (error != Errno.None)
            {
                return error;
            }

            int put = task.Memory.AccessForced(new UserPtr(unchecked((ulong)offset)), piece.AsSpan(0, copied), write: true);
            return put == 0 && copied != 0 ? Errno.EIO : put;
        }
    }
}
