// SPDX-License-Identifier: Apache-2.0
using System.Text;
using CVisor.Host;

namespace CVisor.FileSystems.Gofer;

/// <summary>Host calls below a directory of a tree that was handed over (<c>--directfs</c>): they read, and the Sentry's filter lets them do nothing else.</summary>
/// <remarks>
/// A tree is a mount that hangs in no namespace, so nothing above it exists for these calls; devices cannot be opened in it. A name is one component,
/// and a symbolic link is never followed.
/// </remarks>
internal static class DirectCalls
{
    /// <summary>For <see cref="Open"/>: a directory to look names up in.</summary>
    public const int DirectoryPath = OPath | ODirectory;

    /// <summary>For <see cref="Open"/>: a regular file to read. Whatever else it has become meanwhile, opening it does not wait.</summary>
    public const int Reading = ONonblock;

    /// <summary>For <see cref="Open"/>: any file, not to be read.</summary>
    public const int AnyPath = OPath;

    private const int ONoctty = 0x100, ONonblock = 0x800, ODirectory = 0x10000, ONofollow = 0x20000, OCloexec = 0x80000, OPath = 0x200000;
    private const int AtSymlinkNofollow = 0x100, AtNoAutomount = 0x800, AtEmptyPath = 0x1000;
    private const uint BasicStats = 0x7ff, Birth = 0x800;
    private const int LongestName = 255, LongestLink = 4095, ListingBytes = 32768;

    /// <summary>Opens a name in a directory; ELOOP for a symbolic link that is not opened as a path.</summary>
    public static HostResult Open(int directory, string name, int flags)
    {
        Span<byte> room = stackalloc byte[LongestName + 1];
        return TryEncode(name, room)
            ? HostCalls.Openat(directory, room, flags | ONofollow | ONoctty | OCloexec, 0)
            : new HostResult(-(long)HostErrno.EINVAL);
    }

    /// <summary>Opens a directory again, to list it.</summary>
    public static HostResult OpenListing(int directory) => HostCalls.Openat(directory, ".\0"u8, ODirectory | ONofollow | OCloexec, 0);

    /// <summary>Reads the attributes of a name in a directory.</summary>
    public static HostErrno Stat(int directory, string name, ref HostStatx stat)
    {
        Span<byte> room = stackalloc byte[LongestName + 1];
        return TryEncode(name, room)
            ? HostCalls.Statx(directory, room, AtSymlinkNofollow | AtNoAutomount, BasicStats | Birth, ref stat).Error
            : HostErrno.EINVAL;
    }

    /// <summary>Reads the attributes of a descriptor's file.</summary>
    public static HostErrno Stat(int fd, ref HostStatx stat) => HostCalls.Statx(fd, "\0"u8, AtEmptyPath, BasicStats | Birth, ref stat).Error;

    /// <summary>Reads the text of the symbolic link that a descriptor stands for.</summary>
    public static HostErrno ReadLink(int fd, out string target)
    {
        Span<byte> room = stackalloc byte[LongestLink + 1];
        HostResult read = HostCalls.Readlinkat(fd, "\0"u8, room);
        target = read.IsError ? "" : Encoding.Latin1.GetString(room[..read.Int]);
        return read.Error;
    }

    /// <summary>Lists a directory that was opened for it, without "." and "..".</summary>
    /// <param name="fd">The directory, at its beginning.</param>
    /// <param name="found">Called for each entry: its name, inode number and DT_* type.</param>
    public static HostErrno List(int fd, Action<string, ulong, byte> found)
    {
        byte[] buffer = GC.AllocateUninitializedArray<byte>(ListingBytes);
        while (true)
        {
            HostResult read = HostCalls.Getdents64(fd, buffer);
            if (read.IsError || read.Int == 0)
            {
                return read.Error;
            }

            HostDirectoryEntries entries = new(buffer.AsSpan(0, read.Int));
            while (entries.MoveNext())
            {
                if (!entries.Name.SequenceEqual("."u8) && !entries.Name.SequenceEqual(".."u8))
                {
                    found(Encoding.Latin1.GetString(entries.Name), entries.Inode, entries.Type);
                }
            }
        }
    }

    // One component, which leads nowhere else than to an entry of its directory.
    private static bool TryEncode(string name, Span<byte> room)
    {
        if (name.Length is 0 or > LongestName || name is "." or ".." || name.AsSpan().ContainsAny('/', '\0'))
        {
            return false;
        }

        room[Encoding.Latin1.GetBytes(name, room)] = 0;
        return true;
    }
}
