// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.Sockets;

/// <summary>Who sent a message (struct ucred).</summary>
/// <param name="Pid">The process, in the initial PID namespace; 0 when unknown.</param>
/// <param name="Uid">Its user.</param>
/// <param name="Gid">Its group.</param>
public readonly record struct SocketCredentials(int Pid, uint Uid, uint Gid)
{
    /// <summary>Nobody in particular: what a message without credentials shows.</summary>
    public static SocketCredentials Unknown => new(0, 65534, 65534);

    /// <summary>A task's own.</summary>
    public static SocketCredentials Of(Task? task) =>
        task is null ? Unknown : new(task.ThreadGroup.Pid, task.Credentials.EffectiveUid, task.Credentials.EffectiveGid);

    /// <summary>A task's own as SCM_CREDENTIALS shows them: the real user.</summary>
    public static SocketCredentials RealOf(Task? task) =>
        task is null ? Unknown : new(task.ThreadGroup.Pid, task.Credentials.RealUid, task.Credentials.RealGid);
}

/// <summary>What the header of an internet packet says besides addresses.</summary>
/// <param name="HopLimit">Time to live, or hop limit.</param>
/// <param name="TrafficClass">Type of service, or traffic class.</param>
public readonly record struct PacketTraits(byte HopLimit, byte TrafficClass);

/// <summary>What is sent beside the bytes.</summary>
public struct SendRequest
{
    /// <summary>MSG_*.</summary>
    public uint Flags;

    /// <summary>Where to; empty for the connected peer.</summary>
    public SocketAddress Destination;

    /// <summary>Descriptions to pass, each with a reference. The socket takes them and sets null once it has accepted the first byte; otherwise they stay the caller's.</summary>
    public FileDescription[]? Rights;

    /// <summary>Credentials that the sender chose (checked), or null for its own where they are asked for.</summary>
    public SocketCredentials? Credentials;

    /// <summary>IP_TTL or IPV6_HOPLIMIT for this datagram; null for the socket's own.</summary>
    public byte? HopLimit;

    /// <summary>IP_TOS or IPV6_TCLASS for this datagram; null for the socket's own.</summary>
    public byte? TrafficClass;

    /// <summary>Set with EAGAIN when something else than the socket's own queue tells of room.</summary>
    public WaitQueue? WaitOn;
}

/// <summary>What is received beside the bytes.</summary>
public struct ReceiveRequest
{
    /// <summary>MSG_*, as asked for.</summary>
    public uint Flags;

    /// <summary>Whether the caller takes control messages; without, descriptions in flight are closed.</summary>
    public bool WantsControl;

    /// <summary>MSG_TRUNC, MSG_EOR as found.</summary>
    public uint ResultFlags;

    /// <summary>Who sent it, for datagrams; may be empty.</summary>
    public SocketAddress Source;

    /// <summary>Descriptions received, each with a reference for the caller.</summary>
    public FileDescription[]? Rights;

    /// <summary>The sender, when the socket asks for it.</summary>
    public SocketCredentials? Credentials;

    /// <summary>Where a datagram was sent to, when the socket asks for it (IP_PKTINFO, IPV6_RECVPKTINFO).</summary>
    public Inet.InetEndpoint? Destination;

    /// <summary>What a datagram's header said.</summary>
    public PacketTraits Traits;

    /// <summary>When a datagram came, in nanoseconds since the epoch; 0 when the socket did not ask.</summary>
    public long ArrivalNs;
}
