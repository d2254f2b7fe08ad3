// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Synthetic;

/// <summary>A directory: fixed entries, and those that a derived class finds.</summary>
public class SyntheticDirectory(SyntheticFileSystem fileSystem, uint permissions = 0x16d) : SyntheticInode(fileSystem, FileType.Directory, permissions)
{
    private readonly SortedDictionary<string, Inode> _entries = new(StringComparer.Ordinal);

    /// <summary>Adds a fixed entry; only while the tree is built.</summary>
    public T Add<T>(string name, T inode)
        where T : Inode
    {
        inode.Reference();
        _entries.Add(name, inode);
        return inode;
    }

    /// <summary>Adds a fixed directory.</summary>
    public SyntheticDirectory AddDirectory(string name) => Add(name, new SyntheticDirectory((SyntheticFileSystem)FileSystem));

    /// <summary>Finds an entry that is not fixed; null when there is none.</summary>
    protected virtual Inode? FindDynamic(in OperationContext context, string name) => null;

    /// <summary>The names of the entries that are not fixed, with their types and numbers.</summary>
    protected virtual IEnumerable<(string Name, FileType Type)> ListDynamic(OperationContext context) => [];

    /// <summary>Whether a cached entry that is not fixed is still right.</summary>
    protected virtual bool IsDynamicValid(in OperationContext context, string name, Inode? child) => false;

    /// <inheritdoc/>
    public override Errno Lookup(in OperationContext context, string name, out Inode? child)
    {
        if (IsGone)
        {
            child = null;
            return Errno.ENOENT;
        }

        child = _entries.TryGetValue(name, out Inode? found) ? found : FindDynamic(context, name);
        return child is null ? Errno.ENOENT : Errno.None;
    }

    /// <inheritdoc/>
    public override bool Revalidate(in OperationContext context, string name, Inode? child) =>
        !IsGone && (_entries.TryGetValue(name, out Inode? found) ? found == child : IsDynamicValid(context, name, child));

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) => (OpenResult)new Description(this, path, flags);

    private sealed class Description(SyntheticDirectory directory, VfsPath path, OpenFlags flags) : FileDescription(path, flags)
    {
        private readonly Lock _lock = new();
        [GuardedBy(nameof(_lock))]
        private List<(string Name, FileType Type, ulong Number)>? _listing;
        [GuardedBy(nameof(_lock))]
        private long _position;

        public override bool IsSeekable => true;

        public override IoResult Read(Task? task, ref Core.Memory.IoBuffer destination) => Errno.EISDIR;

        public override IoResult Seek(long offset, int whence)
        {
            lock (_lock)
            {
                long target = whence switch { 0 => offset, 1 => _position > long.MaxValue - Math.Max(0, offset) ? -1 : _position + offset, _ => -1 };
                if (target < 0)
                {
                    return Errno.EINVAL;
                }

                if (target == 0)
                {
                    _listing = null;
                }

                return _position = target;
            }
        }

        public override Errno ReadDirectory(in OperationContext context, IDirectorySink sink)
        {
            if (directory.IsGone)
            {
                return Errno.ENOENT;
            }

            lock (_lock)
            {
                _listing ??= List(context);
                while (_position < _listing.Count)
                {
                    (string name, FileType type, ulong number) = _listing[(int)_position];
                    if (!sink.Add(name, number, type, _position + 1))
                    {
                        break;
                    }

                    _position++;
                }

                return Errno.None;
            }
        }

        private List<(string Name, FileType Type, ulong Number)> List(OperationContext context)
        {
            ulong parent = Path.Dentry?.Parent?.Inode is SyntheticInode above ? above.Number : directory.Number;
            List<(string, FileType, ulong)> listing = [(".", FileType.Directory, directory.Number), ("..", FileType.Directory, parent)];
            foreach ((string name, Inode inode) in directory._entries)
            {
                listing.Add((name, inode.Type, inode is SyntheticInode synthetic ? synthetic.Number : 1));
            }

            foreach ((string name, FileType type) in directory.ListDynamic(context))
            {
                // The number need not be that of a later lookup, as in Linux's proc for entries that are not in the cache.
                listing.Add((name, type, 1 + (ulong)unchecked((uint)string.GetHashCode(name, StringComparison.Ordinal))));
            }

            return listing;
        }
    }
}

/// <summary>A symbolic link whose text a function makes for whoever reads it.</summary>
public sealed class SyntheticLink(SyntheticFileSystem fileSystem, Func<Task?, string> target) : SyntheticInode(fileSystem, FileType.Symlink, 0x1ff)
{
    /// <inheritdoc/>
    public override Errno ReadLink(in OperationContext context, out string text)
    {
        text = target(context.Task);
        return text.Length == 0 ? Errno.ENOENT : Errno.None;
    }

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) => (OpenResult)Errno.ELOOP;
}
