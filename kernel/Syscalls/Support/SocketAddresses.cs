// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Sockets;

namespace CVisor.Syscalls.Support;

/// <summary>Socket addresses in guest memory.</summary>
internal static class SocketAddresses
{
    /// <summary>Reads an address (move_addr_to_kernel()).</summary>
    /// <returns>None; EINVAL when it is too long; EFAULT.</returns>
    internal static Errno Read(Task task, UserPtr pointer, uint length, out SocketAddress address)
    {
        address = default;
        if (length > SocketAddress.MaximumBytes)
        {
            return Errno.EINVAL;
        }

        Span<byte> bytes = stackalloc byte[(int)length];
        Errno error = task.Memory.CopyIn(pointer, bytes);
        if (error == Errno.None)
        {
            address = new SocketAddress(bytes);
        }

        return error;
    }

    /// <summary>Writes as much of an address as there is room for, and its whole length (move_addr_to_user()).</summary>
    /// <param name="task">Whose memory.</param>
    /// <param name="address">The address.</param>
    /// <param name="pointer">Where to; nothing is written to NULL.</param>
    /// <param name="length">Holds the room and gets the length.</param>
    internal static Errno Write(Task task, in SocketAddress address, UserPtr pointer, UserPtr length)
    {
        if (pointer.IsNull)
        {
            return Errno.None;
        }

        Errno error = task.Memory.CopyIn(length, out int room);
        if (error != Errno.None)
        {
            return error;
        }

        if (room < 0)
        {
            return Errno.EINVAL;
        }

        error = task.Memory.CopyOut(pointer, address.Bytes[..Math.Min(room, address.Length)]);
        return error != Errno.None ? error : task.Memory.CopyOut(length, address.Length);
    }
}
