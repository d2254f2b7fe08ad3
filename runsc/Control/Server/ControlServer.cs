// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Text.Json;
using CVisor.Host;

namespace CVisor.Runsc.Control;

/// <summary>
/// The sandbox's side of the control channel: one thread polls the listening socket and every connection, and answers
/// requests through an <see cref="ISandboxService"/>.
/// </summary>
/// <remarks>
/// Host calls used, for the sentry's filter: poll, accept4, recvmsg, sendmsg, close. Replies to Wait are sent by whatever
/// thread ends the process; <see cref="Peer"/> has a lock for that.
/// </remarks>
/// <param name="listener">The listening socket.</param>
/// <param name="service">Who carries requests out.</param>
/// <param name="watched">A socket whose other end must stay open; -1 for none.</param>
/// <param name="onLost">Called once, on this server's thread, when the other end has closed.</param>
public sealed class ControlServer(int listener, ISandboxService service, int watched = -1, Action? onLost = null)
{
    private const int SockCloexec = 0x80000;
    private const short PollIn = 1;

    /// <summary>More connections than any set of runsc commands opens at a time.</summary>
    private const int MaxPeers = 1024;

    private readonly List<Peer> _peers = [];
    private int _watched = watched;
    private readonly System.Threading.Lock _answering = new();

    /// <summary>Serves until the listening socket fails; run it on a thread of its own.</summary>
    /// <returns>Why it ended.</returns>
    public HostErrno Serve()
    {
        HostPollFd[] fds = new HostPollFd[8];
        while (true)
        {
            int count = _peers.Count + 2;
            if (fds.Length < count)
            {
                Array.Resize(ref fds, count * 2);
            }

            fds[0] = new HostPollFd { Fd = _peers.Count < MaxPeers ? listener : -1, Events = PollIn };
            for (int i = 0; i < _peers.Count; i++)
            {
                fds[i + 2] = new HostPollFd { Fd = _peers[i].Connection.Socket, Events = PollIn };
            }

            // Without events: an end of the connection is told anyway.
            fds[1] = new HostPollFd { Fd = _watched };

            HostResult ready = HostCalls.Poll(fds.AsSpan(0, count), -1);
            if (ready.Error == HostErrno.EINTR)
            {
                continue;
            }

            if (ready.IsError)
            {
                return ready.Error;
            }

            if (fds[1].ReturnedEvents != 0)
            {
                _watched = -1;
                onLost?.Invoke();
            }

            for (int i = count - 1; i >= 2; i--)
            {
                if (fds[i].ReturnedEvents != 0 && !Read(_peers[i - 2]))
                {
                    Drop(i - 2);
                }
            }

            if (fds[0].ReturnedEvents != 0)
            {
                HostResult accepted = HostCalls.Accept4(listener, SockCloexec);
                if (!accepted.IsError)
                {
                    _peers.Add(new Peer(new ControlConnection(accepted.Int)));
                }
                else if (accepted.Error is not (HostErrno.EINTR or HostErrno.EAGAIN or HostErrno.ECONNABORTED or HostErrno.EMFILE or HostErrno.ENFILE))
                {
                    return accepted.Error;
                }
            }
        }
    }

    /// <summary>
    /// Waits until a request that is being carried out has been answered. To be called before the process exits: a
    /// program may end sooner than the answer to its start is on its way.
    /// </summary>
    public void Quiesce()
    {
        lock (_answering)
        {
            // Whoever was answering is through.
        }
    }

    private bool Read(Peer peer)
    {
        HostResult result = peer.Connection.Fill();
        if (result.Error == HostErrno.EINTR)
        {
            return true;
        }

        if (result.IsError || result.Value == 0)
        {
            return false;
        }

        try
        {
            while (peer.Connection.TryTake(ControlJsonContext.Default.ControlRequest, out ControlRequest? request, out int[] descriptors))
            {
                if (request is null)
                {
                    return false;
                }

                lock (_answering)
                {
                    if (!Answer(peer, request, descriptors))
                    {
                        return false;
                    }
                }
            }
        }
        catch (JsonException)
        {
            return false;
        }

        return true;
    }

    private bool Answer(Peer peer, ControlRequest request, int[] descriptors)
    {
        if (request.Method != ControlMethod.Execute)
        {
            Close(descriptors);
        }

        switch (request.Method)
        {
            case ControlMethod.StartRoot:
                return peer.Reply(service.StartRoot());
            case ControlMethod.Execute when request.Execute is { } execute && execute.GuestFds.Length == descriptors.Length:
                return peer.Reply(service.Execute(execute, descriptors));
            case ControlMethod.Execute:
                Close(descriptors);
                break;
            case ControlMethod.Signal when request.Signal is { } signal:
                return peer.Reply(service.Signal(signal));
            case ControlMethod.Wait when request.Wait is { } wait:
                if (wait.KillOnDisconnect)
                {
                    peer.KillOnDisconnect = wait.Pid;
                }

                service.Wait(wait.Pid, reply =>
                {
                    peer.KillOnDisconnect = -1;
                    _ = peer.Reply(reply);
                });
                return true;
            case ControlMethod.Processes:
                return peer.Reply(service.Processes());
            case ControlMethod.State:
                return peer.Reply(service.State());
            case ControlMethod.Destroy:
                return peer.Reply(service.Destroy());
        }

        return peer.Reply(ControlReply.Failed(ControlErrorKind.Invalid, $"malformed control request {request.Method}"));
    }

    private void Drop(int index)
    {
        Peer peer = _peers[index];
        _peers.RemoveAt(index);
        int pid = peer.KillOnDisconnect;
        peer.Close();
        if (pid > 0)
        {
            _ = service.Signal(new SignalRequest { Signal = 9, Pid = pid });
        }
    }

    private static void Close(int[] descriptors)
    {
        foreach (int fd in descriptors)
        {
            _ = HostCalls.Close(fd);
        }
    }

    /// <summary>One connection.</summary>
    private sealed class Peer(ControlConnection connection)
    {
        private readonly System.Threading.Lock _sendLock = new();

        [GuardedBy(nameof(_sendLock))]
        private bool _closed;

        private volatile int _killOnDisconnect = -1;

        public ControlConnection Connection { get; } = connection;

        /// <summary>The process to kill when the peer goes away; -1 for none.</summary>
        public int KillOnDisconnect
        {
            get => _killOnDisconnect;
            set => _killOnDisconnect = value;
        }

        /// <summary>Sends a reply; false when the peer has gone.</summary>
        public bool Reply(ControlReply reply)
        {
            lock (_sendLock)
            {
                return !_closed && !Connection.Send(reply, ControlJsonContext.Default.ControlReply).IsError;
            }
        }

        public void Close()
        {
            lock (_sendLock)
            {
                _closed = true;
                Connection.Dispose();
            }
        }
    }
}
