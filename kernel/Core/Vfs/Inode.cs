// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Tasks;

namespace CVisor.Core.Vfs;

/// <summary>Who acts on a file, and how.</summary>
/// <param name="Credentials">The acting credentials (a task's, or the kernel's own).</param>
/// <param name="Task">The task, or null when the kernel itself acts.</param>
public readonly record struct OperationContext(UserCredentials Credentials, Task? Task)
{
    /// <summary>The kernel itself: no permission is refused.</summary>
    public static OperationContext Kernel => new(UserCredentials.Root, null);
}

/// <summary>A file of a file system. File systems derive from it; the VFS calls it.</summary>
/// <remarks>
/// <para>The VFS has checked names (no '/', not "." or "..", at most 255 bytes), the directory permissions, sticky bits, read-only mounts and, for those that must, existence or
/// absence, before it calls an operation that changes a directory; it holds the parent <see cref="Dentry"/>'s lock exclusively meanwhile (both, in address order, for rename). A file
/// system adds what only it knows. Every operation is short or talks to the gofer; none waits for a guest, so none returns <see cref="Blocking{T}"/> save <see cref="Open"/> (FIFOs).</para>
/// <para>Life: an inode lives while something refers to it: dentries, file descriptions, mappings. <see cref="Reference"/> and <see cref="Unreference"/> count these; at zero <see cref="OnRelease"/> frees what the
/// garbage collector does not see (gofer fids, memory of unlinked files).</para>
/// </remarks>
public abstract class Inode(FileSystem fileSystem)
{
    private int _references;
    private int _writers;
    private FileLocks? _locks;
    private InodeWatches? _watches;

    /// <summary>The file system.</summary>
    public FileSystem FileSystem { get; } = fileSystem;

    /// <summary>The file's type; never changes.</summary>
    public abstract FileType Type { get; }

    /// <summary>Advisory locks (flock(2), fcntl(2)) on this file.</summary>
    public FileLocks Locks => _locks ?? System.Threading.Interlocked.CompareExchange(ref _locks, new FileLocks(), null) ?? _locks!;

    /// <summary>Who watches this inode (inotify(7)); null while nobody ever did.</summary>
    internal InodeWatches? Watches => System.Threading.Volatile.Read(ref _watches);

    /// <summary>Who watches this inode; made when first asked for.</summary>
    internal InodeWatches MakeWatches() => Watches ?? System.Threading.Interlocked.CompareExchange(ref _watches, new InodeWatches(), null) ?? _watches!;

    /// <summary>Reads the attributes.</summary>
    public abstract Errno GetAttributes(out Attributes attributes);

    /// <summary>Changes attributes. The VFS has checked that the task may, and dropped set-ID bits where Linux does.</summary>
    public virtual Errno SetAttributes(in OperationContext context, in AttributeChange change) => Errno.EPERM;

    /// <summary>Whether the credentials grant an access: by mode bits and capabilities unless a file system knows better.</summary>
    public virtual Errno CheckAccess(UserCredentials credentials, AccessMode access)
    {
        Errno error = GetAttributes(out Attributes attributes);
        return error != Errno.None ? error : AccessCheck.Check(credentials, attributes, access);
    }

    /// <summary>Finds a name in this directory: null and <see cref="Errno.None"/> never go together; a missing name is ENOENT.</summary>
    public virtual Errno Lookup(in OperationContext context, string name, out Inode? child) => Refuse(Errno.ENOTDIR, out child);

    /// <summary>For <see cref="DentryPolicy.Revalidate"/>: whether a cached name of this directory still leads to this inode (null: is still missing).</summary>
    public virtual bool Revalidate(in OperationContext context, string name, Inode? child) => false;

    /// <summary>Makes a regular file.</summary>
    /// <param name="context">Who.</param>
    /// <param name="name">The name, absent so far.</param>
    /// <param name="mode">Permission bits, umask applied.</param>
    /// <param name="child">The new file, owned by the context's file user and group (or the directory's, with set-group-ID).</param>
    public virtual Errno Create(in OperationContext context, string name, uint mode, out Inode? child) => Refuse(Errno.EPERM, out child);

    /// <summary>Makes a directory.</summary>
    public virtual Errno MakeDirectory(in OperationContext context, string name, uint mode, out Inode? child) => Refuse(Errno.EPERM, out child);

    /// <summary>Makes a special file (FIFO, device, socket); <paramref name="mode"/> holds the type too.</summary>
    public virtual Errno MakeNode(in OperationContext context, string name, uint mode, ulong device, out Inode? child) => Refuse(Errno.EPERM, out child);

    /// <summary>Makes a symbolic link.</summary>
    public virtual Errno MakeSymlink(in OperationContext context, string name, string target, out Inode? child) => Refuse(Errno.EPERM, out child);

    /// <summary>Makes a hard link to a file of the same file system.</summary>
    public virtual Errno Link(in OperationContext context, string name, Inode target) => Errno.EPERM;

    /// <summary>Makes a file without a name (O_TMPFILE).</summary>
    public virtual Errno CreateUnnamed(in OperationContext context, uint mode, out Inode? child) => Refuse(Errno.EOPNOTSUPP, out child);

    /// <summary>Removes a name that is not a directory.</summary>
    public virtual Errno Unlink(in OperationContext context, string name, Inode child) => Errno.EPERM;

    /// <summary>Removes a directory; ENOTEMPTY when it is not empty.</summary>
    public virtual Errno RemoveDirectory(in OperationContext context, string name, Inode child) => Errno.EPERM;

    /// <summary>Moves a name of this directory into another directory of the same file system, replacing <paramref name="replaced"/>.</summary>
    /// <param name="context">Who.</param>
    /// <param name="name">The old name.</param>
    /// <param name="child">What it leads to.</param>
    /// <param name="newParent">The new directory (maybe this one).</param>
    /// <param name="newName">The new name.</param>
    /// <param name="replaced">What the new name leads to, or null.</param>
    /// <param name="flags">RENAME_EXCHANGE, RENAME_WHITEOUT; RENAME_NOREPLACE has been checked.</param>
    public virtual Errno Rename(in OperationContext context, string name, Inode child, Inode newParent, string newName, Inode? replaced, uint flags) => Errno.EPERM;

    /// <summary>Reads a symbolic link's text.</summary>
    public virtual Errno ReadLink(in OperationContext context, out string target)
    {
        target = "";
        return Errno.EINVAL;
    }

    /// <summary>Follows a magic link (/proc/self/fd/3) to where it leads, without text; false when the link is an ordinary one. The target carries references for the caller.</summary>
    public virtual bool TryFollowMagicLink(in OperationContext context, out VfsPath target, out Errno error)
    {
        target = default;
        error = Errno.None;
        return false;
    }

    /// <summary>Opens the file. Permissions have been checked, O_TRUNC is done by the VFS afterwards through <see cref="SetAttributes"/>.</summary>
    /// <param name="context">Who.</param>
    /// <param name="path">Where it was found; the description keeps it.</param>
    /// <param name="flags">The flags.</param>
    /// <returns>The description, with one reference, or an errno. Only a FIFO or terminal waits.</returns>
    public abstract Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags);

    /// <summary>Reads an extended attribute (ENODATA when missing, EOPNOTSUPP when the file system has none).</summary>
    public virtual Errno GetExtendedAttribute(in OperationContext context, string name, out byte[] value)
    {
        value = [];
        return Errno.EOPNOTSUPP;
    }

    /// <summary>Sets an extended attribute; flags are XATTR_CREATE (1), XATTR_REPLACE (2).</summary>
    public virtual Errno SetExtendedAttribute(in OperationContext context, string name, ReadOnlySpan<byte> value, int flags) => Errno.EOPNOTSUPP;

    /// <summary>Removes an extended attribute.</summary>
    public virtual Errno RemoveExtendedAttribute(in OperationContext context, string name) => Errno.EOPNOTSUPP;

    /// <summary>The names of the extended attributes.</summary>
    public virtual Errno ListExtendedAttributes(in OperationContext context, out string[] names)
    {
        names = [];
        return Errno.EOPNOTSUPP;
    }

    /// <summary>For a socket inode: the endpoint bound here (kernel/Sockets' own object); null otherwise.</summary>
    public virtual object? BoundEndpoint { get; set; }

    /// <summary>One more description may write (get_write_access()); false while the file is being executed (ETXTBSY).</summary>
    public bool TryAddWriter() => TryCount(1);

    /// <summary>One writer less.</summary>
    public void RemoveWriter() => _ = System.Threading.Interlocked.Decrement(ref _writers);

    /// <summary>One more program runs the file (deny_write_access()); false while it is open for writing (ETXTBSY).</summary>
    public bool TryDenyWriting() => TryCount(-1);

    /// <summary>One program less runs the file.</summary>
    public void AllowWriting() => _ = System.Threading.Interlocked.Increment(ref _writers);

    /// <summary>Counts one more reference.</summary>
    public void Reference() => _ = System.Threading.Interlocked.Increment(ref _references);

    /// <summary>Counts one reference less.</summary>
    public void Unreference()
    {
        if (System.Threading.Interlocked.Decrement(ref _references) == 0)
        {
            OnRelease();
        }
    }

    /// <summary>References now; for a file system that keeps inodes to be looked up again.</summary>
    protected int ReferenceCount => System.Threading.Volatile.Read(ref _references);

    /// <summary>Called when the last reference is gone; a file system that looks the inode up again counts from one again.</summary>
    protected virtual void OnRelease()
    {
    }

    // Positive: writers. Negative: programs that run it.
    private bool TryCount(int delta)
    {
        int seen = System.Threading.Volatile.Read(ref _writers);
        while (Math.Sign(seen) != -delta)
        {
            int found = System.Threading.Interlocked.CompareExchange(ref _writers, seen + delta, seen);
            if (found == seen)
            {
                return true;
            }

            seen = found;
        }

        return false;
    }

    private static Errno Refuse(Errno error, out Inode? child)
    {
        child = null;
        return error;
    }
}

/// <summary>What <see cref="Inode.Open"/> came to.</summary>
/// <param name="Description">The description, with one reference; null on failure.</param>
/// <param name="Error">Why it failed.</param>
public readonly record struct OpenResult(FileDescription? Description, Errno Error)
{
    /// <summary>Opened.</summary>
    public static implicit operator OpenResult(FileDescription description) => new(description, Errno.None);

    /// <summary>Refused.</summary>
    public static implicit operator OpenResult(Errno error) => new(null, error);
}
