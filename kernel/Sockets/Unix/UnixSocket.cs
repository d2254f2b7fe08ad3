// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Namespaces;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Sockets.Inet;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets.Unix;

/// <summary>A Unix socket (unix(7)): naming, and what its types share.</summary>
/// <remarks>
/// Lock order: <see cref="InFlight.Gate"/>; <see cref="States"/>, which guards names, peers and backlogs of all Unix sockets (they change rarely); a channel's or message queue's lock; wait
/// queues. Data moves without <see cref="States"/>.
/// </remarks>
public abstract class UnixSocket : SocketDescription
{
    private VfsPath _place;

    /// <summary>Makes a socket.</summary>
    private protected UnixSocket(UserCredentials owner, NetworkNamespace network, int type, OpenFlags flags)
        : base(owner, network, AF_UNIX, type, 0, flags)
    {
    }

    /// <summary>Guards who is bound, connected and waiting to be accepted.</summary>
    internal static Lock States { get; } = new();

    /// <summary>The name it is bound to, or null. Set once.</summary>
    internal UnixName? Name { get; private protected set; }

    /// <summary>Makes a socket of a type.</summary>
    /// <returns>None, or EPROTONOSUPPORT, ESOCKTNOSUPPORT.</returns>
    public static Errno Create(Task task, int type, int protocol, OpenFlags flags, out SocketDescription? socket)
    {
        socket = null;
        if (protocol is not (0 or AF_UNIX))
        {
            return Errno.EPROTONOSUPPORT;
        }

        InFlight.Collect(isForced: false);
        switch (type)
        {
            case SOCK_STREAM or SOCK_SEQPACKET:
                socket = new UnixConnectionSocket(task.Credentials, task.NetworkNamespace, type, flags);
                return Errno.None;
            case SOCK_DGRAM or SOCK_RAW:
                // SOCK_RAW has always been a datagram socket here (unix_create()).
                socket = new UnixDatagramSocket(task.Credentials, task.NetworkNamespace, flags);
                return Errno.None;
            default:
                return Errno.ESOCKTNOSUPPORT;
        }
    }

    /// <summary>Makes two connected sockets (socketpair(2)).</summary>
    public static Errno CreatePair(Task task, int type, int protocol, OpenFlags flags, out SocketDescription? first, out SocketDescription? second)
    {
        second = null;
        Errno error = Create(task, type, protocol, flags, out first);
        if (error != Errno.None)
        {
            return error;
        }

        _ = Create(task, type, protocol, flags, out second);
        SocketCredentials credentials = SocketCredentials.Of(task);
        if (first is UnixConnectionSocket a && second is UnixConnectionSocket b)
        {
            UnixConnectionSocket.ConnectPair(a, b, credentials);
        }
        else if (first is UnixDatagramSocket c && second is UnixDatagramSocket d)
        {
            UnixDatagramSocket.ConnectPair(c, d, credentials);
        }

        return Errno.None;
    }

    /// <inheritdoc/>
    public override Blocking<SyscallResult> Bind(Task task, SocketAddress address)
    {
        Errno error = UnixName.Parse(address, out UnixName? name);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        if (Name is not null)
        {
            // Binding without a name again is no error (unix_autobind()).
            return (SyscallResult)(name is null ? Errno.None : Errno.EINVAL);
        }

        return (SyscallResult)(name is null ? BindAnyName() : name.IsAbstract ? BindAbstract(name) : BindPath(task, name));
    }

    /// <inheritdoc/>
    public override Errno GetName(out SocketAddress address)
    {
        address = UnixName.ToAddress(Name);
        return Errno.None;
    }

    /// <summary>Adds the descriptions that wait to be received, for the collector.</summary>
    internal abstract void CollectRights(List<FileDescription> found);

    /// <summary>The collector found that nobody can ever receive from it: drops what waits.</summary>
    internal abstract void Purge();

    /// <summary>Finds the socket that an address names.</summary>
    /// <param name="task">Who asks: it needs write permission on a path.</param>
    /// <param name="address">The address.</param>
    /// <param name="found">The socket, without a reference: it may close at any time.</param>
    /// <returns>None; EINVAL; ECONNREFUSED; or what the walk says.</returns>
    internal Errno Find(Task? task, in SocketAddress address, out UnixSocket? found)
    {
        found = null;
        Errno error = UnixName.Parse(address, out UnixName? name);
        if (error != Errno.None || name is null)
        {
            return Errno.EINVAL;
        }

        if (name.IsAbstract)
        {
            lock (States)
            {
                return NetworkStack.Of(Network).AbstractNames.TryGetValue(name.Text, out found) ? Errno.None : Errno.ECONNREFUSED;
            }
        }

        return task is null ? Errno.EINVAL : UnixPlaces.Find(task, name.Text, out found);
    }

    /// <summary>Gives a nameless socket a name when it asks for credentials, so that it can be answered (unix_may_autobind).</summary>
    private protected Errno BindAnyName()
    {
        lock (States)
        {
            if (Name is not null)
            {
                return Errno.None;
            }

            NetworkStack stack = NetworkStack.Of(Network);
            for (int tries = 0; tries < 1 << 20; tries++)
            {
                UnixName name = new("\0" + (stack.NextAutobind() & 0xfffff).ToString("x5", CultureInfo.InvariantCulture));
                if (stack.AbstractNames.TryAdd(name.Text, this))
                {
                    Name = name;
                    return Errno.None;
                }
            }

            return Errno.ENOSPC;
        }
    }

    /// <inheritdoc/>
    public override Errno OnClose(Task? task)
    {
        // The descriptor may be the last way to a ring of sockets that only messages refer to.
        InFlight.Suspect(this);
        return Errno.None;
    }

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        VfsPath place;
        lock (States)
        {
            if (Name is { IsAbstract: true } name)
            {
                _ = NetworkStack.Of(Network).AbstractNames.Remove(name.Text);
            }

            place = _place;
            _place = default;
            if (place.Dentry?.Inode is { } inode && inode.BoundEndpoint == this)
            {
                inode.BoundEndpoint = null;
            }
        }

        place.Unreference();
        InFlight.Collect(isForced: true);
    }

    private Errno BindAbstract(UnixName name)
    {
        lock (States)
        {
            if (!NetworkStack.Of(Network).AbstractNames.TryAdd(name.Text, this))
            {
                return Errno.EADDRINUSE;
            }

            Name = name;
            return Errno.None;
        }
    }

    private Errno BindPath(Task task, UnixName name)
    {
        Errno error = UnixPlaces.Make(task, name.Text, out VfsPath place);
        if (error != Errno.None)
        {
            return error;
        }

        lock (States)
        {
            if (Name is null)
            {
                Name = name;
                _place = place;
                place.Inode.BoundEndpoint = this;
                return Errno.None;
            }
        }

        place.Unreference();
        return Errno.EINVAL;
    }
}
