// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <summary>Names that came from the client, made fit for host calls.</summary>
internal static class HostName
{
    /// <summary>Room for a name and its NUL.</summary>
    public const int Room = NinePLimits.MaxName + 1;

    /// <summary>Room for a descriptor's number and its NUL.</summary>
    public const int NumberRoom = 12;

    /// <summary>
    /// Copies a name and puts a NUL behind it. Refused are the empty name, ".", ".." (the client walks its own tree
    /// upwards) and any name with a slash: with those gone, one host call acts inside one directory. The decoder has
    /// refused NULs and names over NAME_MAX.
    /// </summary>
    /// <param name="name">The name.</param>
    /// <param name="buffer">At least <see cref="Room"/> bytes.</param>
    public static HostErrno Copy(ReadOnlySpan<byte> name, Span<byte> buffer)
    {
        if (name.IsEmpty)
        {
            return HostErrno.ENOENT;
        }

        if (name.SequenceEqual("."u8) || name.SequenceEqual(".."u8) || name.Contains((byte)'/'))
        {
            return HostErrno.EINVAL;
        }

        CopyText(name, buffer);
        return HostErrno.None;
    }

    /// <summary>Copies any text and puts a NUL behind it.</summary>
    public static void CopyText(ReadOnlySpan<byte> text, Span<byte> buffer)
    {
        text.CopyTo(buffer);
        buffer[text.Length] = 0;
    }

    /// <summary>Writes a descriptor's number and a NUL; the value is the number's length.</summary>
    public static int CopyNumber(int fd, Span<byte> buffer)
    {
        _ = System.Buffers.Text.Utf8Formatter.TryFormat(fd, buffer, out int length);
        buffer[length] = 0;
        return length;
    }
}
