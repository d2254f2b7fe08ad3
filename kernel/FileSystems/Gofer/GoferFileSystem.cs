// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Vfs;
using CVisor.Gofer.Client;
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.FileSystems.Gofer;

/// <summary>Who else changes the files of a gofer mount.</summary>
public enum GoferSharing
{
    /// <summary>Nobody: names and attributes are cached until they are changed through us (<c>--file-access=exclusive</c>).</summary>
    Exclusive,

    /// <summary>The host may: every step asks the gofer (<c>--file-access=shared</c>).</summary>
    Shared,
}

/// <summary>A tree of the host's files, served by the gofer.</summary>
/// <remarks>
/// Lock order: a <see cref="GoferInode"/>'s write lock (held over a transfer that must not be torn), its state lock (a leaf:
/// calls to the gofer are made under it, guest memory is never touched under it), the table's lock.
/// Life: an inode owns a fid and at most two handles (for reading and for writing), whatever the number of descriptions;
/// unused handles are kept in a queue of limited length, so that opening a file again costs no round trip. A directory of a tree that was handed
/// over owns a descriptor too; an inode's state lock is taken before that of the directory in which it lies.
/// </remarks>
public sealed class GoferFileSystem : FileSystem
{
    // Handles of files that nobody has open: enough for a build's headers, far under any descriptor limit.
    private const int MaxIdleHandles = 512;

    // Directories kept as descriptors: those of a large source tree, far under any limit of descriptors.
    private const int MaxDirectories = 4096;

    private const ulong FirstMountPointNumber = 3UL << 51;

    private readonly InodeTable<FileIdentity, GoferInode> _inodes = new();
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly Queue<GoferInode> _idle = new();
    [GuardedBy(nameof(_lock))]
    private readonly List<(uint Major, uint Minor)> _devices = [];
    private readonly GoferInode _root;
    private long _mountPoints;
    private int _directories;

    private GoferFileSystem(GoferConnection connection, GoferSharing sharing, MountTraits traits, uint rootFid, int rootFd, in Attr rootAttr)
    {
        Connection = connection;
        IsExclusive = sharing == GoferSharing.Exclusive;
        IsDirect = rootFd >= 0;
        Traits = traits;
        FileIdentity identity = GoferInode.IdentityOf(in rootAttr);
        _directories = IsDirect ? 1 : 0;
        _root = _inodes.FindOrAdd(identity, new GoferInode(this, rootFid, rootFd, identity, GoferInode.Convert(this, identity, in rootAttr)));
        _root.Reference();
    }

    /// <summary>Attaches to the gofer on a socket.</summary>
    /// <param name="socket">The connected socket; taken over, whatever comes of this.</param>
    /// <param name="sharing">Who else changes the files.</param>
    /// <param name="isDirect">Files are looked up and read without the gofer, if it hands the root over (<c>--directfs</c>).</param>
    /// <param name="fileSystem">The file system.</param>
    public static Errno Attach(int socket, GoferSharing sharing, bool isDirect, out GoferFileSystem? fileSystem)
    {
        fileSystem = null;
        HostErrno error = GoferConnection.Open(socket, out GoferConnection? connection);
        if (error != HostErrno.None)
        {
            return error.ToGuest();
        }

        error = connection!.Attach(isDirect, out uint fid, out Attr attr, out MountTraits traits, out int rootFd);
        if (error != HostErrno.None)
        {
            connection.Dispose();
            return error.ToGuest();
        }

        fileSystem = new GoferFileSystem(connection, sharing, traits, fid, rootFd, in attr);
        return Errno.None;
    }

    /// <summary>Whether directories and files that are made are mount points, in memory only; for the time that mounts are set up, before a guest runs.</summary>
    public bool MakesMountPoints { get; set; }

    /// <inheritdoc/>
    public override string TypeName => "9p";

    /// <inheritdoc/>
    public override Inode Root => _root;

    /// <inheritdoc/>
    public override DentryPolicy DentryPolicy => IsExclusive ? DentryPolicy.Cached : DentryPolicy.Revalidate;

    /// <inheritdoc/>
    public override string Options => IsExclusive ? "trans=fd,cache=remote_revalidating" : "trans=fd,cache=none";

    /// <summary>The connection.</summary>
    internal GoferConnection Connection { get; }

    /// <summary>Whether attributes and entries are cached.</summary>
    internal bool IsExclusive { get; }

    /// <summary>Whether files are looked up and read by descriptors of the tree.</summary>
    internal bool IsDirect { get; }

    /// <summary>What the gofer said of the mount.</summary>
    internal MountTraits Traits { get; }

    /// <inheritdoc/>
    public override Errno GetStatistics(out FileSystemStatistics statistics)
    {
        StatfsReply reply = default;
        HostErrno error = _root.GetFid(out uint fid);
        if (error == HostErrno.None)
        {
            error = Connection.StatFs(fid, out reply);
        }

        statistics = new FileSystemStatistics
        {
            Type = reply.Type,
            BlockSize = reply.BlockSize,
            Blocks = reply.Blocks,
            BlocksFree = reply.BlocksFree,
            BlocksAvailable = reply.BlocksAvailable,
            Files = reply.Files,
            FilesFree = reply.FilesFree,
            NameLength = reply.NameLength,
        };
        return error.ToGuest();
    }

    /// <inheritdoc/>
    public override Errno Sync()
    {
        Errno first = Errno.None;
        foreach (GoferInode inode in _inodes.Snapshot())
        {
            Errno error = inode.SyncWriter();
            first = first == Errno.None ? error : first;
        }

        return first;
    }

    /// <inheritdoc/>
    public override void Release()
    {
        lock (_lock)
        {
            _idle.Clear();
        }

        foreach (GoferInode inode in _inodes.Snapshot())
        {
            inode.CloseIdleHandles();
            inode.CloseDirectly();
        }

        Connection.Dispose();
    }

    /// <summary>The inode of a file that the gofer gave a fid for: the living one of the same file, and then the fid is dropped, or a new one.</summary>
    internal GoferInode Adopt(GoferInode directory, string name, uint fid, in Attr attr)
    {
        FileIdentity identity = GoferInode.IdentityOf(in attr);
        GoferInode adopted = Adopt(fid, identity, GoferInode.Convert(this, identity, in attr), out bool isNew);
        if (!isNew)
        {
            Connection.Drop(fid);
        }

        adopted.MoveTo(directory, name);
        return adopted;
    }

    /// <summary>The inode of a file that was found without the gofer: the living one of the same file, or a new one.</summary>
    internal GoferInode Adopt(GoferInode directory, string name, in HostStatx stat)
    {
        FileIdentity identity = GoferInode.IdentityOf(in stat);
        GoferInode adopted = Adopt(0, identity, GoferInode.Convert(this, identity, in stat), out _);
        adopted.MoveTo(directory, name);
        if (!IsExclusive)
        {
            adopted.OpenPath(); // the name may be another's by the time somebody looks below it
        }

        return adopted;
    }

    /// <summary>Whether one directory more may be kept as a descriptor; the others are the gofer's to keep.</summary>
    internal bool TryCountDirectory()
    {
        if (Interlocked.Increment(ref _directories) <= MaxDirectories)
        {
            return true;
        }

        ForgetDirectory();
        return false;
    }

    /// <summary>One directory less is kept as a descriptor.</summary>
    internal void ForgetDirectory() => _ = Interlocked.Decrement(ref _directories);

    /// <summary>An inode's last reference is gone.</summary>
    internal void OnUnreferenced(GoferInode inode) => _inodes.OnUnreferenced(inode.Identity, inode);

    /// <summary>Takes a pin off an inode.</summary>
    internal void Unpin(GoferInode inode) => _inodes.Unpin(inode.Identity, inode);

    /// <summary>Nobody has the inode open any more; its handles wait to be used again or closed.</summary>
    internal void OnIdle(GoferInode inode)
    {
        GoferInode? oldest = null;
        lock (_lock)
        {
            _idle.Enqueue(inode);
            if (_idle.Count > MaxIdleHandles)
            {
                oldest = _idle.Dequeue();
            }
        }

        oldest?.CloseIdleHandles();
    }

    private GoferInode Adopt(uint fid, FileIdentity identity, in Attributes attributes, out bool isNew)
    {
        GoferInode? found = _inodes.Find(identity);
        isNew = false;
        if (found is null)
        {
            GoferInode fresh = new(this, fid, -1, identity, in attributes);
            found = _inodes.FindOrAdd(identity, fresh);
            isNew = found == fresh;
        }

        if (!isNew)
        {
            found.Learn(in attributes);
        }

        return found;
    }

    /// <summary>A number for a mount point, where no host file system has any.</summary>
    internal ulong NewMountPointNumber() => FirstMountPointNumber + (ulong)Interlocked.Increment(ref _mountPoints);

    /// <summary>The inode number that the guest sees. Mounts inside the tree have numbers of their own; theirs are told apart by the high bits.</summary>
    internal ulong GuestInode(FileIdentity identity)
    {
        lock (_lock)
        {
            int index = _devices.IndexOf((identity.Major, identity.Minor));
            if (index < 0)
            {
                index = _devices.Count;
                _devices.Add((identity.Major, identity.Minor));
            }

            return identity.Ino ^ ((ulong)index << 48);
        }
    }
}

/// <summary>What makes two files the same on the host. Nothing keeps a file that we only know the name of, so its number may come to be another's.</summary>
/// <param name="Major">The major number of the host's file system.</param>
/// <param name="Minor">The minor number of the host's file system.</param>
/// <param name="Ino">The inode number there.</param>
/// <param name="Type">The file's type.</param>
/// <param name="BirthNs">When it was made, in nanoseconds since 1970; 0 where the host's file system does not know.</param>
internal readonly record struct FileIdentity(uint Major, uint Minor, ulong Ino, FileType Type, long BirthNs);
