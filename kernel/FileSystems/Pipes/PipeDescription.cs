// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Pipes;

/// <summary>An open end of a pipe or FIFO.</summary>
public sealed class PipeDescription : FileDescription
{
    private const uint Fionread = 0x541b;
    private readonly AnonymousInode? _inode;
    private readonly int _writerOpens;

    private PipeDescription(Pipe pipe, AnonymousInode? inode, VfsPath path, OpenFlags flags)
        : base(path, flags)
    {
        Pipe = pipe;
        _inode = inode;
        _writerOpens = pipe.WriterOpens;
        pipe.Open(IsReadable, IsWritable);
    }

    /// <summary>The pipe.</summary>
    public Pipe Pipe { get; }

    /// <inheritdoc/>
    public override Inode? Inode => _inode ?? base.Inode;

    /// <inheritdoc/>
    public override WaitQueue Queue => Pipe.Queue;

    /// <inheritdoc/>
    public override bool WritesWhole => true;

    /// <inheritdoc/>
    public override string? AnonymousName => _inode is null ? null : string.Create(CultureInfo.InvariantCulture, $"pipe:[{_inode.Number}]");

    /// <summary>Makes a pipe (pipe2(2)).</summary>
    /// <param name="flags">O_NONBLOCK, O_DIRECT.</param>
    /// <param name="owner">Whose it is.</param>
    /// <returns>The end to read and the end to write, with one reference each.</returns>
    public static (PipeDescription Reader, PipeDescription Writer) CreatePair(OpenFlags flags, UserCredentials owner)
    {
        PipeInode inode = new(owner);
        return (new PipeDescription(inode.Pipe, inode, default, flags | OpenFlags.ReadOnly), new PipeDescription(inode.Pipe, inode, default, flags | OpenFlags.WriteOnly));
    }

    /// <summary>Opens an end of a FIFO; see <see cref="Fifo"/> for the waiting.</summary>
    internal static PipeDescription OpenEnd(Pipe pipe, VfsPath path, OpenFlags flags) => new(pipe, path.Dentry?.Inode as AnonymousInode, path, flags);

    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination) => Pipe.Read(ref destination);

    /// <inheritdoc/>
    public override IoResult Write(Task? task, ref IoBuffer source)
    {
        IoResult result = Pipe.Write(ref source, (Flags & OpenFlags.Direct) != 0);
        if (result.Error == Errno.EPIPE)
        {
            BrokenPipe.Signal(task);
        }

        return result;
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask) =>
        Pipe.Readiness(IsReadable, IsWritable, Pipe.WriterOpens != _writerOpens || _inode is not null || IsWritable) & (mask | PollEvents.Err | PollEvents.Hup);

    /// <inheritdoc/>
    public override Blocking<SyscallResult> Ioctl(Task task, uint request, ulong argument) =>
        request == Fionread ? (SyscallResult)task.Memory.CopyOut(new UserPtr(argument), Pipe.Available) : base.Ioctl(task, request, argument);

    /// <inheritdoc/>
    protected override void OnRelease() => Pipe.Close(IsReadable, IsWritable);
}
