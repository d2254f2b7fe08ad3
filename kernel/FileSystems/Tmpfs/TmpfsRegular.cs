// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Host;
using CVisor.Platforms;

namespace CVisor.FileSystems.Tmpfs;

/// <summary>What may no longer be done to a file (fcntl(2), F_ADD_SEALS).</summary>
[Flags]
public enum FileSeals
{
    None = 0,
    Seal = 1,
    Shrink = 2,
    Grow = 4,
    Write = 8,
    FutureWrite = 16,
    Execute = 32,
}

/// <summary>A regular file of a tmpfs, or a memfd: pages of the sandbox memory.</summary>
public sealed class TmpfsRegular : TmpfsInode
{
    private const long PageSize = (long)MemoryManager.PageSize;

    /// <summary>From this many bytes on, one host call costs less than the faults of a mapping whose pages are not mapped here, or have left the page cache.</summary>
    private const long HostWriteBytes = 64 << 10;

    /// <summary>Held while data is copied and pages are removed. Taken before memory managers' locks.</summary>
    private readonly Lock _io = new();
    private readonly TmpfsPages _pages;
    private readonly Source _source;
    private int _seals;
    private string _mappedPath = "";

    internal TmpfsRegular(TmpfsFileSystem fileSystem, uint mode, in OperationContext context, TmpfsDirectory? parent)
        : base(fileSystem, mode, context, parent)
    {
        _pages = new TmpfsPages(fileSystem);
        _source = new Source(this);
        _seals = (int)FileSeals.Seal; // Only a memfd made with MFD_ALLOW_SEALING can be sealed.
    }

    /// <summary>Makes a file without a name and opens it (memfd_create(2)).</summary>
    /// <param name="fileSystem">Where its pages are counted.</param>
    /// <param name="context">Who.</param>
    /// <param name="name">What /proc calls it.</param>
    /// <param name="mode">Permission bits.</param>
    /// <param name="seals">The seals it begins with.</param>
    /// <returns>The description, with one reference; ENOSPC.</returns>
    public static OpenResult OpenUnnamed(TmpfsFileSystem fileSystem, in OperationContext context, string name, uint mode, FileSeals seals)
    {
        Errno error = fileSystem.TakeInode();
        if (error != Errno.None)
        {
            return error;
        }

        TmpfsRegular file = new(fileSystem, (uint)FileType.Regular | mode, context, null) { _seals = (int)seals };
        file.ClearLinks();
        VfsPath place = new(fileSystem.InternalMount, Dentry.CreateUnlinked(fileSystem, name, file));
        return file.TryAddWriter() ? Describe(file, place) : Errno.ETXTBSY;

        static OpenResult Describe(TmpfsRegular file, VfsPath place)
        {
            TmpfsFileDescription description = new(file, place, OpenFlags.ReadWrite | OpenFlags.LargeFile);
            description.HoldWriteAccess(file);
            return description;
        }
    }

    /// <inheritdoc/>
    public override FileType Type => FileType.Regular;

    /// <summary>The length in bytes.</summary>
    public long Size => _pages.Size;

    /// <summary>The seals.</summary>
    public FileSeals Seals => (FileSeals)Volatile.Read(ref _seals);

    /// <summary>The pages, for mappings.</summary>
    public MemorySource Pages => _source;

    /// <summary>Adds seals: EPERM when sealed against that, EBUSY when writing is to end and the file is mapped.</summary>
    public Errno AddSeals(FileSeals seals)
    {
        lock (_io)
        {
            if ((Seals & FileSeals.Seal) != 0)
            {
                return Errno.EPERM;
            }

            if ((seals & FileSeals.Write) != 0 && (Seals & FileSeals.Write) == 0 && _source.Mappings.HasWriters(_source))
            {
                return Errno.EBUSY;
            }

            Volatile.Write(ref _seals, _seals | (int)seals);
            return Errno.None;
        }
    }

    /// <inheritdoc/>
    public override Errno SetAttributes(in OperationContext context, in AttributeChange change)
    {
        if ((Seals & FileSeals.Execute) != 0 && (change.Mask & AttributeMask.Mode) != 0)
        {
            const uint ExecuteBits = 0x49; // 0111
            _ = base.GetAttributes(out Attributes attributes);
            if (((attributes.Mode ^ change.Mode) & ExecuteBits) != 0)
            {
                return Errno.EPERM;
            }
        }

        return base.SetAttributes(in context, in change);
    }

    /// <inheritdoc/>
    public override Errno GetAttributes(out Attributes attributes)
    {
        Errno error = base.GetAttributes(out attributes);
        attributes.SizeBytes = (ulong)_pages.Size;
        attributes.Blocks = (ulong)_pages.Count * (PageSize / 512);
        return error;
    }

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) => (OpenResult)new TmpfsFileDescription(this, path, flags);

    /// <summary>Reads at an offset; 0 at the end.</summary>
    public IoResult Read(ref IoBuffer destination, long offset)
    {
        lock (_io)
        {
            long length = offset >= _pages.Size ? 0 : Math.Min(destination.Remaining, _pages.Size - offset);
            long done = 0;
            while (done < length)
            {
                long at = offset + done;
                long within = at % PageSize;
                long wanted = length - done;
                bool isThere = _pages.Find((ulong)(at / PageSize), PagesFor(within, wanted), out ulong memory, out ulong run);
                long piece = Math.Min(wanted, ((long)run * PageSize) - within);
                Errno error = isThere
                    ? destination.CopyOutFrom(Tmpfs.Memory, memory + (ulong)within, piece, out long copied)
                    : destination.ZeroOut(piece, out copied);
                done += copied;
                if (error != Errno.None)
                {
                    return done > 0 ? done : error;
                }
            }

            return done;
        }
    }

    /// <summary>Writes at an offset, or at the end when it is negative.</summary>
    /// <param name="source">The data.</param>
    /// <param name="offset">The offset in bytes; what it came to when negative.</param>
    public IoResult Write(ref IoBuffer source, ref long offset)
    {
        lock (_io)
        {
            long size = _pages.Size;
            offset = offset < 0 ? size : offset;
            long length = Math.Min(source.Remaining, long.MaxValue - PageSize - Math.Min(offset, long.MaxValue - PageSize));
            if (length == 0)
            {
                return source.Remaining == 0 ? 0 : Errno.EFBIG;
            }

            if ((Seals & (FileSeals.Write | FileSeals.FutureWrite)) != 0)
            {
                return Errno.EPERM;
            }

            if ((Seals & FileSeals.Grow) != 0 && offset + length > size)
            {
                if (offset >= size)
                {
                    return Errno.EPERM;
                }

                length = size - offset;
            }

            if (offset > size)
            {
                ZeroTail(size);
            }

            return WriteLocked(ref source, offset, length);
        }
    }

    /// <summary>fallocate(2): makes pages (0, KEEP_SIZE) or a hole (PUNCH_HOLE|KEEP_SIZE).</summary>
    public Errno Allocate(int mode, long offset, long length)
    {
        const int KeepSize = 1, PunchHole = 2;
        if ((mode & ~(KeepSize | PunchHole)) != 0 || mode == PunchHole)
        {
            return Errno.EOPNOTSUPP;
        }

        lock (_io)
        {
            long end = offset + length;
            if ((mode & PunchHole) != 0)
            {
                return (Seals & (FileSeals.Write | FileSeals.FutureWrite)) != 0 ? Errno.EPERM : PunchLocked(offset, end);
            }

            if ((Seals & FileSeals.Grow) != 0 && end > _pages.Size)
            {
                return Errno.EPERM;
            }

            ulong last = (ulong)((end + PageSize - 1) / PageSize);
            for (ulong page = (ulong)(offset / PageSize); page < last;)
            {
                ulong run;
                if (!_pages.Find(page, last - page, out _, out run) && _pages.Make(page, run, out run) is var error and not Errno.None)
                {
                    return error == Errno.ENOMEM ? Errno.ENOSPC : error;
                }

                page += run;
            }

            if ((mode & KeepSize) == 0 && end > _pages.Size)
            {
                ZeroTail(_pages.Size);
                _pages.SetSize(end);
            }

            return Errno.None;
        }
    }

    /// <summary>The next data or hole at or behind an offset below the length.</summary>
    internal IoResult SeekData(long offset, bool wantsHole)
    {
        lock (_io)
        {
            long size = _pages.Size;
            if (offset >= size)
            {
                return Errno.ENXIO;
            }

            ulong page = (ulong)(offset / PageSize);
            ulong end = (ulong)((size + PageSize - 1) / PageSize);
            ulong found = _pages.FindNext(page, end, wantsHole);
            if (found == end)
            {
                return wantsHole ? size : Errno.ENXIO;
            }

            return found == page ? offset : (long)found * PageSize;
        }
    }

    /// <summary>Prepares a mapping.</summary>
    internal Errno ConfigureMap(VfsPath path, ref MapRequest request)
    {
        if (request.IsShared && (Seals & (FileSeals.Write | FileSeals.FutureWrite)) != 0)
        {
            if ((request.Access & MemoryAccess.Write) != 0)
            {
                return Errno.EPERM;
            }

            request.MaximumAccess &= ~MemoryAccess.Write;
        }

        Volatile.Write(ref _mappedPath, PathText.Of(path, default));
        request.Source = _source;
        _source.Reference();
        return Errno.None;
    }

    /// <inheritdoc/>
    private protected override Errno SetSize(in OperationContext context, ulong sizeBytes)
    {
        if (sizeBytes > long.MaxValue - (ulong)PageSize)
        {
            return Errno.EFBIG;
        }

        lock (_io)
        {
            long size = (long)sizeBytes;
            long old = _pages.Size;
            if ((size < old && (Seals & FileSeals.Shrink) != 0) || (size > old && (Seals & FileSeals.Grow) != 0))
            {
                return Errno.EPERM;
            }

            if (size >= old)
            {
                ZeroTail(old);
                _pages.SetSize(size);
                return Errno.None;
            }

            _pages.SetSize(size);
            long end = (size + PageSize - 1) / PageSize;
            List<(ulong Offset, ulong Length)> removed = _pages.Remove((ulong)end, ulong.MaxValue >> 12);
            ZeroTail(size);
            _source.Mappings.Invalidate(_source, (ulong)(end * PageSize), ulong.MaxValue);
            _pages.Free(removed);
            return Errno.None;
        }
    }

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        _pages.Free(_pages.Remove(0, ulong.MaxValue >> 12));
        base.OnRelease();
    }

    private static ulong PagesFor(long within, long length) => ((ulong)within + (ulong)length + (ulong)PageSize - 1) / (ulong)PageSize;

    [RequiresLock(nameof(_io))]
    private IoResult WriteLocked(ref IoBuffer source, long offset, long length)
    {
        long done = 0;
        Errno error = Errno.None;
        while (done < length && error == Errno.None)
        {
            long at = offset + done;
            long within = at % PageSize;
            ulong page = (ulong)(at / PageSize);
            ulong wanted = PagesFor(within, length - done);
            bool isNew = !_pages.Find(page, wanted, out ulong memory, out ulong run);
            if (isNew)
            {
                error = _pages.Make(page, run, out run);
                if (error != Errno.None)
                {
                    error = error == Errno.ENOMEM ? Errno.ENOSPC : error;
                    break;
                }

                _ = _pages.Find(page, run, out memory, out run);
            }

            long piece = Math.Min(length - done, ((long)run * PageSize) - within);
            error = isNew || piece >= HostWriteBytes ? WriteByHost(ref source, memory + (ulong)within, piece, out long copied) : source.CopyInTo(Tmpfs.Memory, memory + (ulong)within, piece, out copied);
            done += copied;
            if (at + copied > _pages.Size)
            {
                _pages.SetSize(at + copied);
            }
        }

        if (error != Errno.None)
        {
            // Pages made for what could not be copied lie behind the end.
            ulong end = (ulong)((_pages.Size + PageSize - 1) / PageSize);
            _pages.Free(_pages.Remove(end, ulong.MaxValue >> 12));
        }

        return done > 0 ? done : error != Errno.None ? error : 0;
    }

    /// <summary>Writes to the memory by the host's own call: it makes new pages in larger pieces than faults do, and says when there is no room for them.</summary>
    private Errno WriteByHost(ref IoBuffer source, ulong memory, long length, out long copied)
    {
        IoResult result = source.TransferHost(Tmpfs.Memory.HostFd, (long)memory, toFile: true, length);
        copied = result.Count;
        return result.Error;
    }

    [RequiresLock(nameof(_io))]
    private Errno PunchLocked(long offset, long end)
    {
        long first = (offset + PageSize - 1) / PageSize;
        long last = end / PageSize;
        Zero(offset, Math.Min(end, first * PageSize));
        if (last < first)
        {
            return Errno.None; // All of it lies within one page.
        }

        Zero(last * PageSize, end);
        if (first < last)
        {
            List<(ulong Offset, ulong Length)> removed = _pages.Remove((ulong)first, (ulong)last);
            _source.Mappings.Invalidate(_source, (ulong)(first * PageSize), (ulong)((last - first) * PageSize), keepsCopies: true);
            _pages.Free(removed);
        }

        return Errno.None;
    }

    /// <summary>Zeroes the last page behind the end of the file: a mapping may have written there.</summary>
    [RequiresLock(nameof(_io))]
    private void ZeroTail(long size)
    {
        if (size % PageSize != 0)
        {
            Zero(size, ((size / PageSize) + 1) * PageSize);
        }
    }

    /// <summary>Zeroes a range within one page, when that is there.</summary>
    [RequiresLock(nameof(_io))]
    private void Zero(long offset, long end)
    {
        if (offset < end && _pages.Find((ulong)(offset / PageSize), 1, out ulong memory, out _))
        {
            nuint address = Tmpfs.Memory.GetAddress(memory + (ulong)(offset % PageSize), (ulong)(end - offset), out ulong available);
            _ = SafeMemory.Zero(address, (nuint)available);
        }
    }

    /// <summary>The pages as mappings see them.</summary>
    private sealed class Source(TmpfsRegular file) : MemorySource
    {
        /// <inheritdoc/>
        public override Errno GetMemory(ulong offset, ulong maximumLength, bool write, out MemoryExtent extent) =>
            file._pages.GetMemory(offset / MemoryManager.PageSize, Math.Max(1, maximumLength / MemoryManager.PageSize), out extent);

        /// <inheritdoc/>
        public override void Reference() => file.Reference();

        /// <inheritdoc/>
        public override void Unreference() => file.Unreference();

        /// <inheritdoc/>
        public override bool TryDescribe(out ulong device, out ulong inode, out string path)
        {
            device = file.FileSystem.Device;
            inode = file.Number;
            path = Volatile.Read(ref file._mappedPath);
            return true;
        }
    }
}
