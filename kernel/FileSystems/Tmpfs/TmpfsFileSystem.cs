// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Tmpfs;

/// <summary>How a tmpfs is set up (mount options, tmpfs(5)).</summary>
public sealed record TmpfsOptions
{
    /// <summary>The name in /proc/mounts: tmpfs, or devtmpfs.</summary>
    public string TypeName { get; init; } = "tmpfs";

    /// <summary>The most that files may take, in bytes; 0 for <see cref="DefaultSizeBytes"/>.</summary>
    public ulong SizeLimitBytes { get; init; }

    /// <summary>The limit of a mount whose options name none, half of the memory on Linux; 0 for no limit.</summary>
    public ulong DefaultSizeBytes { get; init; }

    /// <summary>The most files there may be; 0 for no limit.</summary>
    public ulong InodeLimit { get; init; }

    /// <summary>Permission bits of the root.</summary>
    public uint RootMode { get; init; } = 0x200 | 0x1ff;

    /// <summary>Owner of the root.</summary>
    public uint RootUid { get; init; }

    /// <summary>Group of the root.</summary>
    public uint RootGid { get; init; }
}

/// <summary>A file system that lives in sandbox memory (tmpfs(5)).</summary>
/// <remarks>
/// Lock order: a regular file's I/O lock, the memory manager of the task that data moves from or to, the page table's lock; or an inode's attribute lock alone. A directory's entries have
/// their inode's attribute lock; a parent's is taken before a child's.
/// </remarks>
public sealed class TmpfsFileSystem : FileSystem
{
    private static TmpfsFileSystem? s_unnamed;
    private readonly TmpfsOptions _options;
    private readonly ulong _pageLimit;
    private long _pages;
    private long _inodes;
    private long _lastInode;

    /// <summary>Makes an empty file system.</summary>
    public TmpfsFileSystem(SandboxMemory memory, TmpfsOptions options)
    {
        Memory = memory;
        _options = options;
        ulong limitBytes = options.SizeLimitBytes != 0 ? options.SizeLimitBytes : options.DefaultSizeBytes;
        _pageLimit = limitBytes == 0 ? long.MaxValue : Math.Max(1, limitBytes / MemoryManager.PageSize);
        UserCredentials owner = UserCredentials.Root with { FileUid = options.RootUid, FileGid = options.RootGid };
        _inodes = 1;
        TmpfsDirectory root = new(this, options.RootMode & ModeBits.PermissionMask, new OperationContext(owner, null), null);
        root.Reference();
        Root = root;
    }

    /// <summary>The kernel's own tmpfs, for files without a name (memfds); made when first asked for, mounted nowhere.</summary>
    public static TmpfsFileSystem ForUnnamed(SandboxMemory memory) =>
        Volatile.Read(ref s_unnamed) ?? Interlocked.CompareExchange(ref s_unnamed, new TmpfsFileSystem(memory, new TmpfsOptions()), null) ?? s_unnamed;

    /// <inheritdoc/>
    public override string TypeName => _options.TypeName;

    /// <inheritdoc/>
    public override Inode Root { get; }

    /// <inheritdoc/>
    public override DentryPolicy DentryPolicy => DentryPolicy.Pinned;

    /// <inheritdoc/>
    public override string Options
    {
        get
        {
            string size = _options.SizeLimitBytes == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"size={_options.SizeLimitBytes / 1024}k");
            string inodes = _options.InodeLimit == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"nr_inodes={_options.InodeLimit}");
            string mode = _options.RootMode == 0x3ff ? "" : "mode=" + Convert.ToString(_options.RootMode, 8);
            return string.Join(',', Array.FindAll([size, inodes, mode], option => option.Length > 0));
        }
    }

    /// <summary>Where pages come from.</summary>
    internal SandboxMemory Memory { get; }

    /// <inheritdoc/>
    public override Errno GetStatistics(out FileSystemStatistics statistics)
    {
        ulong limit = _pageLimit == long.MaxValue ? 0 : _pageLimit;
        ulong used = (ulong)Math.Max(0, Volatile.Read(ref _pages));
        ulong free = limit > used ? limit - used : 0;
        ulong inodes = (ulong)Math.Max(0, Volatile.Read(ref _inodes));
        statistics = new FileSystemStatistics
        {
            Type = 0x01021994,
            BlockSize = MemoryManager.PageSize,
            Blocks = limit,
            BlocksFree = free,
            BlocksAvailable = free,
            Files = _options.InodeLimit,
            FilesFree = _options.InodeLimit > inodes ? _options.InodeLimit - inodes : 0,
            NameLength = 255,
        };
        return Errno.None;
    }

    /// <inheritdoc/>
    public override void Release() => Root.Unreference();

    /// <summary>A fresh inode number.</summary>
    internal ulong NextInode() => (ulong)Interlocked.Increment(ref _lastInode);

    /// <summary>Counts a new file; ENOSPC when there may be no more.</summary>
    internal Errno TakeInode()
    {
        if (_options.InodeLimit != 0 && (ulong)Interlocked.Increment(ref _inodes) > _options.InodeLimit)
        {
            _ = Interlocked.Decrement(ref _inodes);
            return Errno.ENOSPC;
        }

        if (_options.InodeLimit == 0)
        {
            _ = Interlocked.Increment(ref _inodes);
        }

        return Errno.None;
    }

    /// <summary>A file is gone.</summary>
    internal void ReturnInode() => _ = Interlocked.Decrement(ref _inodes);

    /// <summary>Counts pages against the limit; false when they do not fit (ENOSPC).</summary>
    internal bool TryTakePages(ulong count)
    {
        long after = Interlocked.Add(ref _pages, (long)count);
        if ((ulong)after <= _pageLimit)
        {
            return true;
        }

        ReturnPages(count);
        return false;
    }

    /// <summary>Pages are gone.</summary>
    internal void ReturnPages(ulong count) => _ = Interlocked.Add(ref _pages, -(long)count);
}
