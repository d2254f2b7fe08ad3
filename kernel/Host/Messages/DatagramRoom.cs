// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;

namespace CVisor.Host;

/// <summary>How long a datagram on a unix socket may be.</summary>
public static class DatagramRoom
{
    private const int SolSocket = 1, SoSndbuf = 7;

    // unix_dgram_sendmsg refuses what is longer than the send buffer less 32 bytes.
    private const int Overhead = 32;

    /// <summary>Makes the send buffer large enough for datagrams of so many bytes, as far as the host lets us; the value is the longest that can be sent.</summary>
    [HostCall("setsockopt")]
    [HostCall("getsockopt")]
    public static int Ensure(int socket, int wantedBytes)
    {
        // The kernel doubles what is asked for; one datagram may use all of it.
        Span<byte> value = stackalloc byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(value, wantedBytes);
        _ = HostCalls.Setsockopt(socket, SolSocket, SoSndbuf, value);
        HostResult result = HostCalls.GetsockoptInt(socket, SolSocket, SoSndbuf, out int size);
        return result.IsError ? 0 : Math.Min(wantedBytes, Math.Max(0, size - Overhead));
    }
}
