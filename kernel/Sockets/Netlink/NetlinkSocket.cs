// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Sockets.Inet;
using static CVisor.Abi.Linux.NetlinkConstants;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets.Netlink;

/// <summary>A netlink socket (netlink(7)): route requests are answered at once into its own queue; kernel events are never sent, for nothing ever changes.</summary>
internal sealed class NetlinkSocket : SocketDescription
{
    private const int AddressBytes = 12, HeaderBytes = 16;
    private const int MaximumRequest = 65536;
    private static int s_lastPort;
    private readonly MessageQueue _messages = new();
    private readonly bool _isAdmin;
    private uint _port;
    private uint _groups;
    private uint _peerPort;
    private uint _peerGroups;

    private NetlinkSocket(Task task, int type, int protocol, OpenFlags flags)
        : base(task.Credentials, task.NetworkNamespace, AF_NETLINK, type, protocol, flags)
    {
        _messages.ReaderQueue = Queue;
        _isAdmin = task.Credentials.Has(Capability.NetAdmin, task.NetworkNamespace.Owner!);
    }

    /// <inheritdoc/>
    public override int ReadableBytes => _messages.FirstLength;

    /// <summary>Makes a socket.</summary>
    /// <returns>None; ESOCKTNOSUPPORT; EPROTONOSUPPORT.</returns>
    internal static Errno Create(Task task, int type, int protocol, OpenFlags flags, out SocketDescription? socket)
    {
        socket = null;
        if (type is not (SOCK_RAW or SOCK_DGRAM))
        {
            return Errno.ESOCKTNOSUPPORT;
        }

        if (protocol is not (NETLINK_ROUTE or NETLINK_KOBJECT_UEVENT))
        {
            return Errno.EPROTONOSUPPORT;
        }

        socket = new NetlinkSocket(task, type, protocol, flags);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Blocking<SyscallResult> Bind(Task task, SocketAddress address)
    {
        Errno error = Parse(address, out uint port, out uint groups);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        if (groups != 0 && !_isAdmin && Protocol != NETLINK_ROUTE && Protocol != NETLINK_KOBJECT_UEVENT)
        {
            return (SyscallResult)Errno.EPERM;
        }

        if (_port != 0 && port != 0 && port != _port)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        _groups = groups;
        _port = port != 0 ? port : _port;
        EnsurePort(task);
        return SyscallResult.Success;
    }

    /// <inheritdoc/>
    public override Blocking<SyscallResult> Connect(Task task, SocketAddress address)
    {
        if (address.Length >= 2 && address.Family == AF_UNSPEC)
        {
            (_peerPort, _peerGroups) = (0, 0);
            return SyscallResult.Success;
        }

        Errno error = Parse(address, out uint port, out uint groups);
        if (error == Errno.None)
        {
            (_peerPort, _peerGroups) = (port, groups);
            EnsurePort(task);
        }

        return (SyscallResult)error;
    }

    /// <inheritdoc/>
    public override IoResult Send(Task? task, ref IoBuffer source, ref SendRequest request)
    {
        if ((request.Flags & MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        uint port = _peerPort;
        if (request.Destination.Length > 0)
        {
            Errno error = Parse(request.Destination, out port, out _);
            if (error != Errno.None)
            {
                return error;
            }
        }

        if (port != 0)
        {
            // Sockets of other processes do not talk to each other here.
            return Errno.ECONNREFUSED;
        }

        if (source.Remaining > MaximumRequest)
        {
            return Errno.EMSGSIZE;
        }

        EnsurePort(task);
        Errno copyError = Message.Create(ref source, out Message message);
        if (copyError != Errno.None)
        {
            return copyError;
        }

        int length = message.Length;
        Serve(message.Data.Span);
        message.Free();
        return length;
    }

    /// <inheritdoc/>
    public override IoResult Receive(Task? task, ref IoBuffer destination, ref ReceiveRequest request)
    {
        if ((request.Flags & MSG_OOB) != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        if (Options.HasError && Options.TakeError() is not Errno.None and Errno pending)
        {
            return pending;
        }

        IoResult result = _messages.Receive(ref destination, ref request);
        request.Source = Address(0, 0);
        request.Destination = null;
        request.Credentials = Options.PassesCredentials && !result.IsError ? new SocketCredentials(0, 0, 0) : null;
        return result;
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask) =>
        (_messages.ReadReadiness() | PollEvents.AllOut | (Options.HasError ? PollEvents.Err : PollEvents.None)) & (mask | PollEvents.Err | PollEvents.Hup);

    /// <inheritdoc/>
    public override Errno Shutdown(bool reading, bool writing) => Errno.EOPNOTSUPP;

    /// <inheritdoc/>
    public override Errno GetName(out SocketAddress address)
    {
        address = Address(_port, _groups);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno GetPeerName(out SocketAddress address)
    {
        address = Address(_peerPort, _peerGroups);
        return Errno.None;
    }

    /// <inheritdoc/>
    protected override Errno SetProtocolOption(Task task, int level, int name, ReadOnlySpan<byte> value)
    {
        const int AddMembership = 1, HighestOption = 12;
        return level != SOL_NETLINK || name is < AddMembership or > HighestOption ? Errno.ENOPROTOOPT : value.Length < sizeof(int) ? Errno.EINVAL : Errno.None;
    }

    /// <inheritdoc/>
    protected override void OnRelease() => _ = _messages.Abandon();

    private static Errno Parse(in SocketAddress address, out uint port, out uint groups)
    {
        port = 0;
        groups = 0;
        if (address.Length < AddressBytes || address.Family != AF_NETLINK)
        {
            return Errno.EINVAL;
        }

        port = BinaryPrimitives.ReadUInt32LittleEndian(address.Bytes[4..]);
        groups = BinaryPrimitives.ReadUInt32LittleEndian(address.Bytes[8..]);
        return Errno.None;
    }

    private static SocketAddress Address(uint port, uint groups)
    {
        SocketAddress address = SocketAddress.Create(AF_NETLINK, AddressBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(address.Writable[4..], port);
        BinaryPrimitives.WriteUInt32LittleEndian(address.Writable[8..], groups);
        return address;
    }

    private void EnsurePort(Task? task)
    {
        if (_port == 0)
        {
            // The first socket of a process has its number; others a negative one. Here all but the first of the sandbox do.
            int others = Interlocked.Increment(ref s_lastPort);
            _port = task is not null && others == 1 ? unchecked((uint)task.ThreadGroup.Pid) : unchecked((uint)(-4096 - others));
        }
    }

    private void Serve(ReadOnlySpan<byte> data)
    {
        while (data.Length >= HeaderBytes)
        {
            uint length = BinaryPrimitives.ReadUInt32LittleEndian(data);
            if (length < HeaderBytes || length > (uint)data.Length)
            {
                return;
            }

            ServeOne(data[..(int)length]);
            int next = ((int)length + 3) & ~3;
            data = next >= data.Length ? default : data[next..];
        }
    }

    private void ServeOne(ReadOnlySpan<byte> message)
    {
        ushort type = BinaryPrimitives.ReadUInt16LittleEndian(message[4..]);
        ushort flags = BinaryPrimitives.ReadUInt16LittleEndian(message[6..]);
        if (type < NLMSG_MIN_TYPE || (flags & NLM_F_REQUEST) == 0)
        {
            return;
        }

        NetlinkWriter writer = new(BinaryPrimitives.ReadUInt32LittleEndian(message[8..]), _port);
        ReadOnlySpan<byte> body = message[HeaderBytes..];

        // RTM_* come in fours: new, delete, get, set.
        bool isGet = (type & 3) == 2;
        bool isDump = isGet && (flags & NLM_F_DUMP) != 0;
        Errno error = Protocol != NETLINK_ROUTE ? Errno.EOPNOTSUPP
            : isGet ? RouteRequests.Get(type, isDump, body, writer)
            : !_isAdmin ? Errno.EPERM
            : RouteRequests.Change(type, body);
        if (error != Errno.None || ((flags & NLM_F_ACK) != 0 && !isDump))
        {
            // struct nlmsgerr: the errno and the request's header; of a request that failed, all of it.
            writer.Begin(NLMSG_ERROR, 0);
            writer.Word(unchecked((uint)-(int)error));
            writer.Raw(error == Errno.None ? message[..HeaderBytes] : message);
            writer.End();
        }

        Answer(writer.Written);
    }

    private void Answer(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        Message answer = Message.Rent(bytes.Length);
        bytes.CopyTo(answer.Data.Span);
        if (_messages.Add(answer, ignoresCount: true) != Errno.None)
        {
            answer.Free();
            Options.SetError(Errno.ENOBUFS);
        }
    }
}
