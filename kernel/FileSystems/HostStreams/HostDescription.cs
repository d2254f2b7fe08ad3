// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Host;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems.HostStreams;

/// <summary>A descriptor that runsc handed in: a standard stream. A pipe, a socket, a terminal or a file of the host.</summary>
/// <remarks>
/// The host descriptor's own flags stay as they are, since others may share it: readiness is asked for with poll(2) before each transfer, and a guest that has to
/// wait does so on the <see cref="HostPoller"/>. Several descriptions may stand for one host file; each owns a descriptor of its own.
/// </remarks>
public sealed class HostDescription : FileDescription
{
    private const short PollIn = 1, PollOut = 4, PollErr = 8, PollHup = 16;
    private readonly HostPoller _poller;
    private readonly int _hostFd;
    private readonly bool _isPollable;
    private readonly WaitQueue _queue = new();
    private readonly HostInode _inode;

    /// <summary>Takes over a host descriptor.</summary>
    /// <param name="poller">Who watches it.</param>
    /// <param name="hostFd">The descriptor.</param>
    public HostDescription(HostPoller poller, int hostFd)
        : base(default, FlagsOf(hostFd))
    {
        _poller = poller;
        _hostFd = hostFd;
        _isPollable = poller.TryAdd(hostFd, _queue);
        _inode = new HostInode(hostFd);
    }

    /// <summary>The host descriptor.</summary>
    public int HostFd => _hostFd;

    /// <inheritdoc/>
    public override Inode? Inode => _inode;

    /// <inheritdoc/>
    public override bool IsSeekable => _inode.Type == FileType.Regular;

    /// <inheritdoc/>
    public override bool WritesWhole => true;

    /// <inheritdoc/>
    public override WaitQueue? Queue => _isPollable ? _queue : null;

    /// <inheritdoc/>
    public override string? AnonymousName => "host:[" + _inode.Number.ToString(System.Globalization.CultureInfo.InvariantCulture) + "]";

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        if (!_isPollable)
        {
            return base.Readiness(mask);
        }

        PollEvents ready = (PollEvents)(uint)(ushort)PollHost(unchecked((short)((uint)mask & 0x3fff)));
        if ((ready & mask) == 0)
        {
            _poller.Arm(_hostFd, mask);
        }

        return ready & (mask | PollEvents.Err | PollEvents.Hup);
    }

    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination)
    {
        if (_isPollable && (PollHost(PollIn) & (PollIn | PollHup | PollErr)) == 0)
        {
            _poller.Arm(_hostFd, PollEvents.In);
            return Errno.EAGAIN;
        }

        return TransferOnce(ref destination, -1, toFile: false);
    }

    /// <inheritdoc/>
    public override IoResult Write(Task? task, ref IoBuffer source)
    {
        if (_isPollable && (PollHost(PollOut) & (PollOut | PollHup | PollErr)) == 0)
        {
            _poller.Arm(_hostFd, PollEvents.Out);
            return Errno.EAGAIN;
        }

        IoResult result = TransferOnce(ref source, -1, toFile: true);
        if (result.Error == Errno.EPIPE)
        {
            _ = task?.ThreadGroup.Send(Core.Signals.SignalInfo.FromKernel(13));
        }

        return result;
    }

    /// <inheritdoc/>
    public override IoResult ReadAt(Task? task, ref IoBuffer destination, long offset) => IsSeekable ? destination.TransferHost(_hostFd, offset, toFile: false) : Errno.ESPIPE;

    /// <inheritdoc/>
    public override IoResult WriteAt(Task? task, ref IoBuffer source, long offset) => IsSeekable ? source.TransferHost(_hostFd, offset, toFile: true) : Errno.ESPIPE;

    /// <inheritdoc/>
    public override IoResult Seek(long offset, int whence)
    {
        HostResult result = HostCalls.Lseek(_hostFd, offset, whence);
        return result.IsError ? result.Error.ToGuest() : result.Value;
    }

    /// <inheritdoc/>
    public override Errno Sync(bool dataOnly) => (dataOnly ? HostCalls.Fdatasync(_hostFd) : HostCalls.Fsync(_hostFd)).Error.ToGuest();

    /// <inheritdoc/>
    public override Blocking<SyscallResult> Ioctl(Task task, uint request, ulong argument) => HostTerminal.Ioctl(_hostFd, task, request, argument);

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        _poller.Remove(_hostFd);
        _ = HostCalls.Close(_hostFd);
    }

    // A pipe or terminal takes what fits now and says so; only a page at a time is sure not to block (PIPE_BUF).
    private IoResult TransferOnce(ref IoBuffer buffer, long offset, bool toFile)
    {
        const long Piece = 4096;
        if (!_isPollable || !toFile || buffer.Remaining <= Piece)
        {
            return buffer.TransferHost(_hostFd, offset, toFile);
        }

        Span<byte> bytes = stackalloc byte[(int)Piece];
        Errno error = buffer.CopyIn(bytes, out int copied);
        if (copied == 0)
        {
            return error;
        }

        HostResult result = HostCalls.Write(_hostFd, bytes[..copied]);
        if (result.IsError || result.Value < copied)
        {
            buffer.Advance((result.IsError ? 0 : result.Value) - copied);
        }

        return result.IsError ? result.Error.ToGuest() : result.Value;
    }

    private short PollHost(short events)
    {
        Span<HostPollFd> fds = [new HostPollFd { Fd = _hostFd, Events = events }];
        return HostCalls.Poll(fds, 0).IsError ? (short)0 : fds[0].ReturnedEvents;
    }

    private static OpenFlags FlagsOf(int hostFd)
    {
        const int GetFlags = 3;
        HostResult flags = HostCalls.Fcntl(hostFd, GetFlags, 0);
        return flags.IsError ? OpenFlags.ReadWrite : (OpenFlags)(uint)flags.Value & (OpenFlags.AccessModeMask | OpenFlags.Append);
    }

    /// <summary>What stat(2) shows of a host descriptor.</summary>
    private sealed class HostInode : Inode
    {
        private static readonly AnonymousFileSystem s_files = new("host", 0x10203040);
        private readonly int _hostFd;

        internal HostInode(int hostFd)
            : base(s_files)
        {
            _hostFd = hostFd;
            HostStat stat = default;
            Type = HostCalls.Fstat(hostFd, ref stat).IsError ? FileType.Fifo : ModeBits.TypeOf(stat.Mode);
            Number = stat.Ino;
        }

        public override FileType Type { get; }

        internal ulong Number { get; }

        public override Errno GetAttributes(out Attributes attributes)
        {
            HostStat stat = default;
            HostResult result = HostCalls.Fstat(_hostFd, ref stat);
            attributes = new Attributes
            {
                Mode = stat.Mode,
                Uid = stat.Uid,
                Gid = stat.Gid,
                LinkCount = (uint)Math.Min(stat.Nlink, uint.MaxValue),
                Inode = stat.Ino,
                Device = FileSystem.Device,
                RawDevice = stat.Rdev,
                SizeBytes = (ulong)Math.Max(0, stat.Size),
                Blocks = (ulong)Math.Max(0, stat.Blocks),
                BlockSize = 4096,
                AccessTimeNs = stat.Atime.TotalNs,
                ModifyTimeNs = stat.Mtime.TotalNs,
                ChangeTimeNs = stat.Ctime.TotalNs,
            };
            return result.Error.ToGuest();
        }

        public override Errno CheckAccess(UserCredentials credentials, AccessMode access) => Errno.None;

        public override Errno SetAttributes(in OperationContext context, in AttributeChange change) =>
            change.Mask == AttributeMask.Size ? HostCalls.Ftruncate(_hostFd, (long)Math.Min(change.SizeBytes, long.MaxValue)).Error.ToGuest() : Errno.EPERM;

        public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) => (OpenResult)Errno.ENXIO;
    }
}
