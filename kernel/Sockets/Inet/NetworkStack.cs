// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Core.Namespaces;
using CVisor.Sockets.Unix;

namespace CVisor.Sockets.Inet;

/// <summary>The network of a namespace: a loopback interface, ports, and the abstract names of Unix sockets.</summary>
/// <remarks>
/// <para>Connections and datagrams go from socket to socket in memory, without packets. What a network stack with packets would replace is small: <see cref="FindListener"/> and
/// <see cref="FindReceiver"/>, and the <c>Channel</c>s that a connection is made of.</para>
/// <para>Lock order: <see cref="Lock"/>, which guards ports, the states of TCP sockets and backlogs; then a channel's or message queue's lock; then wait queues.</para>
/// </remarks>
public sealed class NetworkStack
{
    private static readonly Lock s_creation = new();
    private uint _lastAutobind;

    private NetworkStack()
    {
    }

    /// <summary>Guards what the stack holds.</summary>
    internal Lock Lock { get; } = new();

    /// <summary>Bound TCP sockets.</summary>
    [GuardedBy(nameof(Lock))]
    internal PortTable Tcp { get; } = new(sharesFreely: false);

    /// <summary>Bound UDP sockets.</summary>
    [GuardedBy(nameof(Lock))]
    internal PortTable Udp { get; } = new(sharesFreely: true);

    /// <summary>Abstract names of Unix sockets. Guarded by <see cref="UnixSocket.States"/>.</summary>
    internal Dictionary<string, UnixSocket> AbstractNames { get; } = [];

    /// <summary>The stack of a namespace.</summary>
    public static NetworkStack Of(NetworkNamespace network)
    {
        if (network.Stack is NetworkStack stack)
        {
            return stack;
        }

        lock (s_creation)
        {
            if (network.Stack is not NetworkStack made)
            {
                made = new NetworkStack();
                network.Stack = made;
            }

            return made;
        }
    }

    /// <summary>A number for the next name that a Unix socket is given.</summary>
    internal uint NextAutobind() => Interlocked.Increment(ref _lastAutobind);

    /// <summary>Whether datagrams and connections to an address find a way: only the loopback's do.</summary>
    internal static bool TryRoute(InetEndpoint destination, out InetEndpoint routed)
    {
        // The unspecified address means this machine (ip_route_output_key()).
        InetAddress address = destination.Address == InetAddress.AnyV4 ? InetAddress.LoopbackV4
            : destination.Address == InetAddress.AnyV6 ? InetAddress.LoopbackV6
            : destination.Address;
        routed = destination with { Address = address };
        return address.IsLoopback;
    }

    /// <summary>The address that packets to a destination come from when the socket has none.</summary>
    internal static InetAddress SourceFor(InetAddress destination) => destination.IsV4 ? InetAddress.LoopbackV4 : InetAddress.LoopbackV6;

    /// <summary>The listener that a connection goes to, or null.</summary>
    [RequiresLock(nameof(Lock))]
    internal TcpSocket? FindListener(InetEndpoint destination)
    {
        TcpSocket? best = null;
        int bestScore = 0;
        uint shared = 0;
        foreach (InetSocket socket in Tcp[destination.Port])
        {
            int score = socket.IsListening ? socket.Match(destination.Address) : 0;
            if (score > bestScore)
            {
                (best, bestScore, shared) = ((TcpSocket)socket, score, 1);
            }
            else if (score == bestScore && score > 0 && Random.Shared.Next((int)++shared) == 0)
            {
                best = (TcpSocket)socket;
            }
        }

        return best;
    }

    /// <summary>The socket that a datagram goes to, or null.</summary>
    [RequiresLock(nameof(Lock))]
    internal UdpSocket? FindReceiver(InetEndpoint source, InetEndpoint destination)
    {
        UdpSocket? best = null;
        int bestScore = 0;
        foreach (InetSocket socket in Udp[destination.Port])
        {
            UdpSocket candidate = (UdpSocket)socket;
            int score = candidate.Match(destination.Address);
            if (score > 0 && candidate.Remote.Port != 0)
            {
                // A connected socket hears its peer only, and before others.
                score = candidate.Remote == source ? score + 4 : 0;
            }

            // Of equals the one bound last, as on Linux, whose list grows at its head.
            if (score > 0 && score >= bestScore)
            {
                (best, bestScore) = (candidate, score);
            }
        }

        return best;
    }
}
