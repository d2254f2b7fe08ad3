// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;

namespace CVisor.Sockets.Inet;

/// <summary>Which sockets of a protocol are bound to which ports. Guarded by the stack's lock.</summary>
/// <param name="sharesFreely">Whether two sockets with SO_REUSEADDR share a port whatever they do (UDP); otherwise only while neither listens (TCP).</param>
internal sealed class PortTable(bool sharesFreely)
{
    /// <summary>net.ipv4.ip_local_port_range.</summary>
    internal const ushort FirstEphemeral = 32768, LastEphemeral = 60999;

    private readonly Dictionary<ushort, List<InetSocket>> _bound = [];
    private uint _next = unchecked((uint)Random.Shared.Next(LastEphemeral - FirstEphemeral));

    /// <summary>The sockets of a port.</summary>
    internal IReadOnlyList<InetSocket> this[ushort port] => _bound.TryGetValue(port, out List<InetSocket>? sockets) ? sockets : [];

    /// <summary>Binds a socket.</summary>
    /// <param name="socket">The socket; its address and options say what it may share.</param>
    /// <param name="local">The address and the port; port 0 for any.</param>
    /// <param name="port">The port.</param>
    /// <returns>None, or EADDRINUSE.</returns>
    internal Errno Bind(InetSocket socket, InetEndpoint local, out ushort port)
    {
        port = local.Port;
        if (port != 0)
        {
            if (HasConflict(socket, local))
            {
                return Errno.EADDRINUSE;
            }

            Add(port, socket);
            return Errno.None;
        }

        const uint Count = LastEphemeral - FirstEphemeral + 1;
        for (uint tries = 0; tries < Count; tries++)
        {
            port = (ushort)(FirstEphemeral + (_next % Count));
            _next = unchecked(_next + 1);
            if (!_bound.ContainsKey(port))
            {
                Add(port, socket);
                return Errno.None;
            }
        }

        return Errno.EADDRINUSE;
    }

    /// <summary>Whether another socket keeps this one from the address: asked again when it is to listen.</summary>
    internal bool HasConflict(InetSocket socket, InetEndpoint local)
    {
        foreach (InetSocket other in this[local.Port])
        {
            if (other == socket || !Overlaps(socket, local.Address, other))
            {
                continue;
            }

            bool sharesPort = socket.Options.ReusesPort && other.Options.ReusesPort && socket.OwnerUid == other.OwnerUid;
            bool sharesAddress = socket.Options.ReusesAddress && other.Options.ReusesAddress && (sharesFreely || !other.IsListening);
            if (!sharesPort && !sharesAddress)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Takes a socket out.</summary>
    internal void Remove(InetSocket socket, ushort port)
    {
        if (_bound.TryGetValue(port, out List<InetSocket>? sockets) && sockets.Remove(socket) && sockets.Count == 0)
        {
            _ = _bound.Remove(port);
        }
    }

    /// <summary>All that is bound, for /proc/net.</summary>
    internal IEnumerable<InetSocket> All()
    {
        foreach (List<InetSocket> sockets in _bound.Values)
        {
            foreach (InetSocket socket in sockets)
            {
                yield return socket;
            }
        }
    }

    private static bool Overlaps(InetSocket socket, InetAddress address, InetSocket other) =>
        address == other.Local.Address || Covers(address, socket.IsV6Only, other.Local.Address) || Covers(other.Local.Address, other.IsV6Only, address);

    /// <summary>Whether a wildcard takes in what is sent to another address.</summary>
    private static bool Covers(InetAddress wildcard, bool isV6Only, InetAddress address) =>
        wildcard == InetAddress.AnyV6 ? !isV6Only || !address.IsV4 : wildcard == InetAddress.AnyV4 && address.IsV4;

    private void Add(ushort port, InetSocket socket)
    {
        if (!_bound.TryGetValue(port, out List<InetSocket>? sockets))
        {
            sockets = [];
            _bound.Add(port, sockets);
        }

        sockets.Add(socket);
    }
}
