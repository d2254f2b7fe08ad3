// SPDX-License-Identifier: Apache-2.0
using System.Text;
using CVisor.Abi;
using CVisor.Core.Vfs;
using static CVisor.Abi.Linux.SocketConstants;

namespace CVisor.Sockets.Unix;

/// <summary>The name of a Unix socket (unix(7)): a path, or an abstract name, which begins with a NUL.</summary>
/// <param name="Text">The bytes behind the family, one char each, without a path's closing NUL.</param>
internal sealed record UnixName(string Text)
{
    private const int MaximumBytes = 108;

    /// <summary>Whether it lives in the namespace rather than in a file system.</summary>
    internal bool IsAbstract => Text.Length > 0 && Text[0] == '\0';

    /// <summary>Reads a name from an address.</summary>
    /// <param name="address">The address.</param>
    /// <param name="name">The name; null for an address that is a family only (autobind).</param>
    /// <returns>None, or EINVAL.</returns>
    internal static Errno Parse(in SocketAddress address, out UnixName? name)
    {
        name = null;
        if (address.Length < 2 || address.Length > 2 + MaximumBytes || address.Family != AF_UNIX)
        {
            return Errno.EINVAL;
        }

        ReadOnlySpan<byte> bytes = address.Bytes[2..];
        if (bytes.Length == 0)
        {
            return Errno.None;
        }

        if (bytes[0] != 0 && bytes.IndexOf((byte)0) is >= 0 and int end)
        {
            bytes = bytes[..end];
        }

        name = new UnixName(KernelString.FromBytes(bytes));
        return Errno.None;
    }

    /// <summary>The address of a name; of no name, the family alone.</summary>
    internal static SocketAddress ToAddress(UnixName? name)
    {
        if (name is null)
        {
            return SocketAddress.Create(AF_UNIX, 2);
        }

        SocketAddress address = SocketAddress.Create(AF_UNIX, 2 + name.Text.Length + (name.IsAbstract ? 0 : 1));
        _ = Encoding.Latin1.GetBytes(name.Text, address.Writable[2..]);
        return address;
    }
}
