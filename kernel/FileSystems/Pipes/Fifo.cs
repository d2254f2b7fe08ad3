// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Pipes;

/// <summary>How a FIFO is opened (fifo(7)): a file system's FIFO inode keeps one of these and hands <c>Inode.Open</c> on to it.</summary>
public sealed class Fifo
{
    /// <summary>The data; lost when nobody has the FIFO open.</summary>
    public Pipe Pipe { get; } = new();

    /// <summary>Opens an end, waiting for the other unless O_NONBLOCK or O_RDWR says otherwise.</summary>
    /// <returns>The description; ENXIO when opened for writing with O_NONBLOCK and nobody reads; EINTR.</returns>
    public async Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags)
    {
        OpenFlags access = flags & OpenFlags.AccessModeMask;
        bool waits = (flags & OpenFlags.NonBlock) == 0 && context.Task is not null;
        if (access == OpenFlags.AccessModeMask)
        {
            return Errno.EINVAL;
        }

        if (access == OpenFlags.WriteOnly && Pipe.Readers == 0 && !waits)
        {
            return Errno.ENXIO;
        }

        // Who came and went meanwhile counts as well: the numbers of opens are compared, not who is there.
        int readerOpens = Pipe.ReaderOpens;
        int writerOpens = Pipe.WriterOpens;
        PipeDescription description = PipeDescription.OpenEnd(Pipe, path, flags);
        if (!waits || access == OpenFlags.ReadWrite)
        {
            return description;
        }

        Task task = context.Task!;
        task.PrepareToWait();
        Pipe.Queue.Add(task.Waiter, PollEvents.Internal);
        try
        {
            while (!HasOther(access, readerOpens, writerOpens))
            {
                if (await task.Block() != BlockOutcome.Woken)
                {
                    description.Unreference();
                    return Errno.EINTR;
                }
            }

            return description;
        }
        finally
        {
            Pipe.Queue.Remove(task.Waiter);
        }
    }

    private bool HasOther(OpenFlags access, int readerOpens, int writerOpens) => access == OpenFlags.ReadOnly
        ? Pipe.Writers > 0 || Pipe.WriterOpens != writerOpens
        : Pipe.Readers > 0 || Pipe.ReaderOpens != readerOpens;
}

/// <summary>The FIFOs of all file systems that hold nothing but their names; the boot code hands this to <see cref="SpecialFiles"/>.</summary>
public static class FifoFiles
{
    // A FIFO's pipe lives as long as its inode: whoever has it open refers to that.
    private static readonly System.Runtime.CompilerServices.ConditionalWeakTable<Inode, Fifo> s_fifos = [];

    /// <summary>Opens a FIFO.</summary>
    public static Blocking<OpenResult> Open(Inode inode, OperationContext context, VfsPath path, OpenFlags flags) =>
        s_fifos.GetOrCreateValue(inode).Open(context, path, flags);
}

/// <summary>The nameless inode of a pipe; opening it through /proc/PID/fd opens a further end.</summary>
internal sealed class PipeInode(UserCredentials owner) : AnonymousInode(s_pipeFileSystem, FileType.Fifo, 0x180, owner)
{
    private static readonly AnonymousFileSystem s_pipeFileSystem = new("pipefs", 0x50495045);

    internal Pipe Pipe { get; } = new();

    /// <inheritdoc/>
    /// <remarks>Unlike a FIFO's, its opening waits for nobody: whoever had the other end may be gone for good (fs/pipe.c, fifo_open).</remarks>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) =>
        (flags & OpenFlags.AccessModeMask) == OpenFlags.AccessModeMask ? (OpenResult)Errno.EINVAL : (OpenResult)PipeDescription.OpenEnd(Pipe, path, flags);
}
