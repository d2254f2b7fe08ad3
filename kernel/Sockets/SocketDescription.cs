// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Namespaces;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets;

/// <summary>An open socket. A family derives from it; <see cref="SocketIo"/> adds the waiting.</summary>
/// <remarks>Nothing here waits, save <see cref="Bind"/> and <see cref="Connect"/>: EAGAIN says that the socket's <see cref="FileDescription.Queue"/> will tell.</remarks>
public abstract partial class SocketDescription : FileDescription
{
    private static readonly AnonymousFileSystem s_fileSystem = new("sockfs", 0x534f434b);
    private static long s_lastCookie;
    private readonly AnonymousInode _inode;

    /// <summary>Makes a socket.</summary>
    /// <param name="owner">Whose it is.</param>
    /// <param name="network">The network namespace it lives in.</param>
    /// <param name="family">AF_*.</param>
    /// <param name="type">SOCK_*.</param>
    /// <param name="protocol">The protocol as SO_PROTOCOL tells it.</param>
    /// <param name="flags">O_NONBLOCK.</param>
    protected SocketDescription(UserCredentials owner, NetworkNamespace network, int family, int type, int protocol, OpenFlags flags)
        : base(default, (flags & OpenFlags.NonBlock) | OpenFlags.ReadWrite)
    {
        _inode = new AnonymousInode(s_fileSystem, FileType.Socket, 0x1ff, owner);
        Network = network;
        Family = family;
        Type = type;
        Protocol = protocol;
    }

    /// <summary>The network namespace.</summary>
    public NetworkNamespace Network { get; }

    /// <summary>AF_*.</summary>
    public int Family { get; }

    /// <summary>SOCK_*.</summary>
    public int Type { get; }

    /// <summary>The protocol.</summary>
    public int Protocol { get; }

    /// <summary>SO_COOKIE.</summary>
    public long Cookie { get; } = Interlocked.Increment(ref s_lastCookie);

    /// <summary>The options of SOL_SOCKET.</summary>
    public SocketOptions Options { get; } = new();

    /// <inheritdoc/>
    public override Inode Inode => _inode;

    /// <summary>The number in <see cref="AnonymousName"/> and /proc/net.</summary>
    public ulong InodeNumber => _inode.Number;

    /// <inheritdoc/>
    public override WaitQueue Queue { get; } = new();

    /// <inheritdoc/>
    public override bool WritesWhole => Type == SOCK_STREAM;

    /// <inheritdoc/>
    public override long ReadTimeoutNs => Options.ReceiveTimeoutNs;

    /// <inheritdoc/>
    public override long WriteTimeoutNs => Options.SendTimeoutNs;

    /// <inheritdoc/>
    public override string AnonymousName => string.Create(CultureInfo.InvariantCulture, $"socket:[{_inode.Number}]");

    /// <summary>Whether it listens (SO_ACCEPTCONN).</summary>
    public virtual bool IsListening => false;

    /// <summary>bind(2).</summary>
    public abstract Blocking<SyscallResult> Bind(Task task, SocketAddress address);

    /// <summary>connect(2), with the waiting.</summary>
    public abstract Blocking<SyscallResult> Connect(Task task, SocketAddress address);

    /// <summary>listen(2).</summary>
    public virtual Errno Listen(Task task, int backlog) => Errno.EOPNOTSUPP;

    /// <summary>accept(2): takes a connection that is there; EAGAIN when there is none.</summary>
    /// <param name="flags">O_NONBLOCK for the new socket.</param>
    /// <param name="accepted">The new socket, with one reference.</param>
    public virtual Errno Accept(OpenFlags flags, out SocketDescription? accepted)
    {
        accepted = null;
        return Errno.EOPNOTSUPP;
    }

    /// <summary>send(2) and its family.</summary>
    public abstract IoResult Send(Task? task, ref IoBuffer source, ref SendRequest request);

    /// <summary>recv(2) and its family.</summary>
    public abstract IoResult Receive(Task? task, ref IoBuffer destination, ref ReceiveRequest request);

    /// <summary>shutdown(2).</summary>
    public abstract Errno Shutdown(bool reading, bool writing);

    /// <summary>getsockname(2).</summary>
    public abstract Errno GetName(out SocketAddress address);

    /// <summary>getpeername(2).</summary>
    public abstract Errno GetPeerName(out SocketAddress address);

    /// <summary>The peer's credentials (SO_PEERCRED).</summary>
    public virtual SocketCredentials PeerCredentials => new(0, uint.MaxValue, uint.MaxValue);

    /// <summary>Bytes that can be read now (SIOCINQ); negative when the question makes no sense.</summary>
    public virtual int ReadableBytes => -1;

    /// <summary>Bytes that the peer has not read yet (SIOCOUTQ).</summary>
    public virtual int UnsentBytes => 0;

    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination)
    {
        ReceiveRequest request = default;
        return Receive(task, ref destination, ref request);
    }

    /// <inheritdoc/>
    public override IoResult Write(Task? task, ref IoBuffer source)
    {
        SendRequest request = default;
        return Send(task, ref source, ref request);
    }

    /// <inheritdoc/>
    public override Blocking<SyscallResult> Ioctl(Task task, uint request, ulong argument)
    {
        UserPtr pointer = new(argument);
        switch (request)
        {
            case FIONREAD:
                int readable = ReadableBytes;
                return (SyscallResult)(readable < 0 ? Errno.EINVAL : task.Memory.CopyOut(pointer, readable));
            case TIOCOUTQ:
                return (SyscallResult)task.Memory.CopyOut(pointer, UnsentBytes);
            case SIOCATMARK:
                return (SyscallResult)task.Memory.CopyOut(pointer, 0);
            default:
                return (SyscallResult)Inet.InterfaceIoctl.Run(task, Inet.NetworkStack.Of(Network), request, pointer);
        }
    }

    /// <summary>Ends a failed write: EPIPE comes with SIGPIPE unless it was asked not to.</summary>
    protected static IoResult Broken(Task? task, uint flags)
    {
        if ((flags & MSG_NOSIGNAL) == 0)
        {
            BrokenPipe.Signal(task);
        }

        return Errno.EPIPE;
    }
}
