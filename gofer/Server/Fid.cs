// SPDX-License-Identifier: Apache-2.0
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <summary>What a fid stands for: a file by an O_PATH descriptor, an open file, both (after lopen), or an extended attribute.</summary>
/// <remarks>No path is kept: a descriptor follows its file through renames, and a path would be a race.</remarks>
internal sealed class Fid
{
    /// <summary>The O_PATH descriptor, or -1.</summary>
    public int PathFd { get; init; } = -1;

    /// <summary>The descriptor that does I/O, or -1.</summary>
    public int OpenFd { get; set; } = -1;

    /// <summary>The O_ACCMODE bits of <see cref="OpenFd"/>.</summary>
    public int AccessMode { get; set; }

    /// <summary>The file's type (S_IFMT bits); it never changes.</summary>
    public uint FileType { get; init; }

    /// <summary>Where the open directory's next getdents64 goes on.</summary>
    public long DirectoryPosition { get; set; }

    /// <summary>The attribute that this fid reads or writes instead of the file, or null.</summary>
    public XattrTransfer? Xattr { get; set; }

    /// <summary>A descriptor for calls that take any.</summary>
    public int AnyFd => OpenFd >= 0 ? OpenFd : PathFd;

    /// <summary>Closes the descriptors.</summary>
    public void Close()
    {
        if (OpenFd >= 0)
        {
            _ = HostCalls.Close(OpenFd);
            OpenFd = -1;
        }

        if (PathFd >= 0)
        {
            _ = HostCalls.Close(PathFd);
        }
    }
}

/// <summary>An extended attribute on its way by read or write.</summary>
internal sealed class XattrTransfer
{
    /// <summary>The value or list to read, or the value written so far.</summary>
    public required byte[] Value { get; init; }

    /// <summary>For xattrcreate, the attribute's name with its NUL; null when reading.</summary>
    public byte[]? SetName { get; init; }

    /// <summary>XATTR_CREATE, XATTR_REPLACE or 0.</summary>
    public int SetFlags { get; init; }

    /// <summary>How many bytes were written.</summary>
    public int Written { get; set; }
}
