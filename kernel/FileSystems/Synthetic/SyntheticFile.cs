// SPDX-License-Identifier: Apache-2.0
using System.Text;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems.Synthetic;

/// <summary>A file whose contents are made when they are read from the start (seq_file).</summary>
public abstract class SyntheticFile(SyntheticFileSystem fileSystem, uint permissions) : SyntheticInode(fileSystem, FileType.Regular, permissions)
{
    /// <summary>Makes the contents.</summary>
    /// <param name="reader">Who reads; null for the kernel.</param>
    /// <param name="contents">Receives the bytes.</param>
    /// <returns>None, or why they cannot be read now (ESRCH for a process that is gone).</returns>
    public abstract Errno Generate(Task? reader, out byte[] contents);

    /// <summary>Takes what is written in one write(2).</summary>
    /// <returns>None, or why it is refused.</returns>
    public virtual Errno Accept(Task? writer, ReadOnlySpan<byte> data) => Errno.EINVAL;

    /// <summary>Checks an open beyond the permission bits.</summary>
    public virtual Errno CheckOpen(in OperationContext context, OpenFlags flags) => Errno.None;

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags)
    {
        Errno error = CheckOpen(context, flags);
        return error != Errno.None ? (OpenResult)error : (OpenResult)new Description(this, path, flags);
    }

    /// <summary>The bytes of a text, one a char.</summary>
    protected static byte[] ToBytes(StringBuilder text) => KernelString.ToBytes(text.ToString());

    private sealed class Description(SyntheticFile file, VfsPath path, OpenFlags flags) : FileDescription(path, flags)
    {
        private const int MaximumWriteBytes = 1 << 20;
        private readonly Lock _lock = new();
        [GuardedBy(nameof(_lock))]
        private byte[]? _contents;
        [GuardedBy(nameof(_lock))]
        private long _offset;

        public override bool IsSeekable => true;

        public override IoResult Read(Task? task, ref IoBuffer destination)
        {
            lock (_lock)
            {
                IoResult result = ReadLocked(task, ref destination, _offset);
                _offset += result.Count;
                return result;
            }
        }

        public override IoResult ReadAt(Task? task, ref IoBuffer destination, long offset)
        {
            lock (_lock)
            {
                return ReadLocked(task, ref destination, offset);
            }
        }

        public override IoResult Write(Task? task, ref IoBuffer source)
        {
            IoResult result = WriteAt(task, ref source, 0);
            lock (_lock)
            {
                _offset += result.Count;
            }

            return result;
        }

        public override IoResult WriteAt(Task? task, ref IoBuffer source, long offset)
        {
            if (source.Remaining > MaximumWriteBytes)
            {
                return Errno.EINVAL;
            }

            byte[] data = new byte[source.Remaining];
            Errno error = source.CopyIn(data, out int copied);
            if (error == Errno.None)
            {
                error = file.Accept(task, data.AsSpan(0, copied));
            }

            return error != Errno.None ? error : copied;
        }

        public override IoResult Seek(long offset, int whence)
        {
            lock (_lock)
            {
                long target = whence switch { 0 => offset, 1 => _offset > long.MaxValue - Math.Max(0, offset) ? -1 : _offset + offset, _ => -1 };
                if (target < 0)
                {
                    return Errno.EINVAL;
                }

                return _offset = target;
            }
        }

        [RequiresLock(nameof(_lock))]
        private IoResult ReadLocked(Task? task, ref IoBuffer destination, long offset)
        {
            if (_contents is null || offset == 0)
            {
                Errno made = file.Generate(task, out byte[] contents);
                if (made != Errno.None)
                {
                    return made;
                }

                _contents = contents;
            }

            if (offset >= _contents.Length)
            {
                return 0;
            }

            Errno error = destination.CopyOut(_contents.AsSpan((int)offset), out int copied);
            return copied > 0 || error == Errno.None ? copied : error;
        }
    }
}

/// <summary>A file whose text a function makes.</summary>
public sealed class TextFile(SyntheticFileSystem fileSystem, Action<StringBuilder> write, uint permissions = 0x124) : SyntheticFile(fileSystem, permissions)
{
    /// <inheritdoc/>
    public override Errno Generate(Task? reader, out byte[] contents)
    {
        StringBuilder text = new();
        write(text);
        contents = ToBytes(text);
        return Errno.None;
    }
}
