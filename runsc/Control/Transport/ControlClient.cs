// SPDX-License-Identifier: Apache-2.0
using System.Text.Json;
using CVisor.Host;

namespace CVisor.Runsc.Control;

/// <summary>runsc's side of the control channel: one request at a time.</summary>
public sealed class ControlClient : IDisposable
{
    private readonly ControlConnection _connection;

    private ControlClient(int socket) => _connection = new ControlConnection(socket);

    /// <summary>Connects to a sandbox.</summary>
    /// <param name="path">The socket in the state directory.</param>
    /// <param name="error">Why it is not reached (ECONNREFUSED and ENOENT: the sandbox is gone).</param>
    public static ControlClient? Connect(string path, out HostErrno error)
    {
        HostResult socket = ControlAddress.Connect(path);
        error = socket.Error;
        return socket.IsError ? null : new ControlClient(socket.Int);
    }

    /// <summary>Sends a request and waits for its answer.</summary>
    /// <exception cref="HostException">The sandbox went away (ECONNRESET) or the host refused.</exception>
    public ControlReply Call(ControlRequest request, ReadOnlySpan<int> descriptors = default)
    {
        Send(request, descriptors);
        return Receive();
    }

    /// <summary>Sends a request without waiting for its answer.</summary>
    public void Send(ControlRequest request, ReadOnlySpan<int> descriptors = default)
    {
        HostResult sent = _connection.Send(request, ControlJsonContext.Default.ControlRequest, descriptors);
        if (sent.IsError)
        {
            throw new HostException("the sandbox's control socket", sent.Error == HostErrno.EPIPE ? HostErrno.ECONNRESET : sent.Error);
        }
    }

    /// <summary>Waits for the answer to the request sent before.</summary>
    public ControlReply Receive()
    {
        while (true)
        {
            try
            {
                if (_connection.TryTake(ControlJsonContext.Default.ControlReply, out ControlReply? reply, out _) && reply is not null)
                {
                    return reply;
                }
            }
            catch (JsonException)
            {
                throw new HostException("the sandbox's control socket", HostErrno.EPROTO);
            }

            HostResult result = _connection.Fill();
            if (result.Error == HostErrno.EINTR)
            {
                continue;
            }

            if (result.OrThrow("the sandbox's control socket").Int == 0)
            {
                throw new HostException("the sandbox's control socket", HostErrno.ECONNRESET);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();
}
