// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Host;
using static CVisor.Platforms.Systrap.SystrapLayout;

namespace CVisor.Platforms.Systrap;

/// <summary>The patched call sites of an address space: a call from one of them needs no signal.</summary>
/// <remarks>
/// A site is patched after it has trapped a few times, in a copy of its page that replaces the page of the file; only pages of files that nobody writes to
/// (<see cref="AddressSpace.MapFile"/>). A page that gets a further site is replaced by a further copy, so that no thread ever runs code that changes.
/// The kernel never sees the copies: what it reads of guest memory is the file's. Its own lock is a leaf below the memory manager's.
/// </remarks>
internal sealed class CodePatcher
{
    private const int TrapsBeforePatch = 3, ProtRead = 1, ProtExec = 4, MapShared = 1, MapFixed = 0x10;
    private readonly SystrapAddressSpace _space;
    private readonly SharedRegion _region;
    private readonly CodePool _pool;
    private readonly Lock _lock = new();

    /// <summary>Mappings of file code, by their start.</summary>
    [GuardedBy(nameof(_lock))]
    private readonly SortedList<ulong, CodeRange> _ranges = [];

    /// <summary>Replaced pages, by their address.</summary>
    [GuardedBy(nameof(_lock))]
    private readonly SortedList<ulong, PatchedPage> _pages = [];

    /// <summary>Return addresses that lie inside of a patch, and the site.</summary>
    [GuardedBy(nameof(_lock))]
    private readonly Dictionary<ulong, int> _interior = [];

    /// <summary>How often calls trapped, by return address; -1 for those that cannot be patched.</summary>
    [GuardedBy(nameof(_lock))]
    private readonly Dictionary<ulong, int> _traps = [];
    [GuardedBy(nameof(_lock))]
    private int _siteCount;
    [GuardedBy(nameof(_lock))]
    private bool _hasTable;
    private bool _isOff;
    private bool _hasInterior;

    internal CodePatcher(SystrapAddressSpace space, CodePool pool)
    {
        _space = space;
        _region = space.Region;
        _pool = pool;
    }

    private ulong SitesAddress => _region.Address + SitesOffset;

    /// <summary>Whether an address lies in the code of the sites.</summary>
    internal bool IsSiteCode(ulong address) => address >= SitesAddress && address < _region.Address + AnswerOffset;

    /// <summary>Where the guest believes to go on that runs a site's code.</summary>
    internal ulong ReturnAddressOf(ulong address) => SiteCode.ReturnAddress(Site((int)((address - SitesAddress) / SiteSize)));

    /// <summary>Where a thread has to go that would go on at an address: elsewhere when the address lies inside of a patch.</summary>
    [NoAlloc]
    internal ulong Redirect(ulong address)
    {
        if (!Volatile.Read(ref _hasInterior))
        {
            return address;
        }

        lock (_lock)
        {
            return _interior.TryGetValue(address, out int site) ? SiteCode.ResumeAddress(Site(site)) : address;
        }
    }

    /// <summary>A call trapped: patches its site if it has done so often enough.</summary>
    /// <param name="context">The held context.</param>
    /// <param name="isAlone">Whether no other thread of the process runs.</param>
    internal void OnTrap(SystrapContext context, bool isAlone)
    {
        ulong back = context.Registers.Rip;
        lock (_lock)
        {
            ref int traps = ref System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(_traps, back, out _);
            if (_isOff || traps < 0 || ++traps < TrapsBeforePatch)
            {
                return;
            }

            if (TryPatchLocked(context, back, isAlone) is { } isPatched)
            {
                traps = isPatched ? 0 : -1;
            }
        }
    }

    /// <summary>The memory manager maps a range: what was there is gone.</summary>
    internal void OnMap(ulong address, ulong length, int fd, ulong offset, bool isCode)
    {
        lock (_lock)
        {
            ForgetLocked(address, address + length);
            if (isCode)
            {
                _ranges[address] = new CodeRange(address + length, fd, offset);
            }
        }
    }

    /// <summary>The memory manager unmaps a range.</summary>
    internal void OnUnmap(ulong address, ulong length)
    {
        lock (_lock)
        {
            ForgetLocked(address, address + length);
        }
    }

    /// <summary>The memory manager changes what the guest may do with a range: pages that it may write, or not run any more, are the file's own again.</summary>
    internal void BeforeProtect(GuestContext? via, ulong address, ulong length, MemoryAccess access)
    {
        if ((access & (MemoryAccess.Execute | MemoryAccess.Write)) == MemoryAccess.Execute)
        {
            return;
        }

        lock (_lock)
        {
            RestoreLocked(via, address, address + length);
            CutRangesLocked(address, address + length);
        }
    }

    /// <summary>Takes all patches back for good.</summary>
    internal void SwitchOff(GuestContext? via)
    {
        lock (_lock)
        {
            _isOff = true;
            RestoreLocked(via, 0, ulong.MaxValue);
            if (_hasTable)
            {
                _ = _space.Helper.Call(via, SysMunmap, SiteCode.TableAddress, SiteCode.TableSize);
                _hasTable = false;
            }
        }
    }

    /// <summary>Whether the jump table is mapped.</summary>
    internal bool HasTable
    {
        get
        {
            lock (_lock)
            {
                return _hasTable;
            }
        }
    }

    /// <summary>Gives a forked process what its copied pages need. Both hold still meanwhile.</summary>
    internal void CopyTo(CodePatcher child)
    {
        Snapshot snapshot;
        lock (_lock)
        {
            snapshot = new Snapshot(_isOff, _hasTable, _siteCount, [.. _ranges], [.. _pages], [.. _interior]);
        }

        child.Adopt(snapshot, this);
    }

    /// <summary>The process is gone, and takes its sites with it.</summary>
    internal void Release()
    {
        lock (_lock)
        {
            _isOff = true;
            Table(_siteCount).Clear();
            Sites(_siteCount).Clear();
            foreach (PatchedPage page in _pages.Values)
            {
                _pool.Unreference(page.Copy);
            }

            _pages.Clear();
        }
    }

    private void Adopt(Snapshot snapshot, CodePatcher parent)
    {
        lock (_lock)
        {
            _isOff = snapshot.IsOff;
            _siteCount = snapshot.SiteCount;
            foreach ((ulong start, CodeRange range) in snapshot.Ranges)
            {
                _ranges.Add(start, range);
            }

            foreach ((ulong address, PatchedPage page) in snapshot.Pages)
            {
                _pool.Reference(page.Copy);
                _pages.Add(address, page);
            }

            foreach ((ulong address, int site) in snapshot.Interior)
            {
                _interior.Add(address, site);
            }

            if (snapshot.HasTable)
            {
                parent.Table(_siteCount).CopyTo(Table(_siteCount));
                parent.Sites(_siteCount).CopyTo(Sites(_siteCount));
                _ = MapTableLocked(null);
            }

            Volatile.Write(ref _hasInterior, _interior.Count > 0);
        }
    }

    [RequiresLock(nameof(_lock))]
    private bool? TryPatchLocked(SystrapContext context, ulong back, bool isAlone)
    {
        ulong address = (back - 1) & ~(PageSize - 1);
        int call = (int)(back - address) - 2;
        if (call < 0 || _siteCount == SiteCode.SiteCount || !TryFindRangeLocked(address, out CodeRange range, out ulong start))
        {
            return false;
        }

        byte[] page = System.Buffers.ArrayPool<byte>.Shared.Rent((int)PageSize);
        Span<byte> code = page.AsSpan(0, (int)PageSize);
        ulong fileOffset = range.Offset + (address - start);
        bool? done = null;
        int before = -1;
        if (_pages.TryGetValue(address, out PatchedPage existing))
        {
            before = existing.Copy;
            done = HostCalls.Pread(_pool.Fd, code, (long)CodePool.OffsetOf(before)).Value == code.Length ? null : false;
        }
        else if (HostCalls.Pread(range.Fd, code, (long)fileOffset).Value != code.Length)
        {
            done = false; // The file's last page.
        }

        SiteCode.Form form = done is null ? SiteCode.Recognize(code, call, context.Registers.Rax) : SiteCode.Form.None;
        if (form == SiteCode.Form.None)
        {
            done = false;
        }
        else if (form == SiteCode.Form.Move || isAlone)
        {
            done = PatchLocked(context, form, code, call, address, new PatchedPage(-1, range.Fd, fileOffset), before);
        }

        System.Buffers.ArrayPool<byte>.Shared.Return(page);
        return done;
    }

    [RequiresLock(nameof(_lock))]
    private bool PatchLocked(SystrapContext context, SiteCode.Form form, Span<byte> code, int call, ulong address, PatchedPage page, int before)
    {
        if (!_hasTable && !MapTableLocked(context))
        {
            return false;
        }

        int site = _siteCount++;
        ulong siteAddress = SitesAddress + ((ulong)site * SiteSize);
        ulong back = address + (ulong)call + 2;
        SiteCode.Write(Site(site), siteAddress, _region.Address + StubX64.CallEntry, form, unchecked((uint)context.Registers.Rax), back, code[(call + 2)..]);
        _region.Quad(_space.Part + TableInSpace + ((ulong)site * 8)) = siteAddress;
        SiteCode.WritePatch(code.Slice(call + SiteCode.Start(form), SiteCode.PatchSize), site);
        int copy = _pool.Add(code);
        if (copy < 0)
        {
            return false;
        }

        if (_space.Helper.Call(context, SysMmap, address, PageSize, ProtRead | ProtExec, MapShared | MapFixed, (ulong)_pool.Fd, CodePool.OffsetOf(copy)).IsError)
        {
            _pool.Unreference(copy);
            return false;
        }

        if (before >= 0)
        {
            _pool.Unreference(before);
        }

        _pages[address] = page with { Copy = copy };
        if (form != SiteCode.Form.Move)
        {
            _interior[back] = site;
            Volatile.Write(ref _hasInterior, true);
        }

        return true;
    }

    [RequiresLock(nameof(_lock))]
    private bool MapTableLocked(GuestContext? via)
    {
        HostResult mapped = _space.Helper.Call(via, SysMmap, SiteCode.TableAddress, SiteCode.TableSize, ProtRead, MapShared | MapFixed, (ulong)_region.Fd, _space.Part + TableInSpace);
        return _hasTable = !mapped.IsError;
    }

    [RequiresLock(nameof(_lock))]
    private void RestoreLocked(GuestContext? via, ulong start, ulong end)
    {
        for (int i = _pages.Count - 1; i >= 0; i--)
        {
            ulong address = _pages.GetKeyAtIndex(i);
            if (address >= start && address < end)
            {
                PatchedPage page = _pages.GetValueAtIndex(i);
                _ = _space.Helper.Call(via, SysMmap, address, PageSize, ProtRead | ProtExec, MapShared | MapFixed, (ulong)page.Fd, page.Offset);
                DropPageLocked(i);
            }
        }
    }

    [RequiresLock(nameof(_lock))]
    private void ForgetLocked(ulong start, ulong end)
    {
        for (int i = _pages.Count - 1; i >= 0; i--)
        {
            ulong address = _pages.GetKeyAtIndex(i);
            if (address >= start && address < end)
            {
                DropPageLocked(i);
            }
        }

        CutRangesLocked(start, end);
    }

    [RequiresLock(nameof(_lock))]
    private void DropPageLocked(int index)
    {
        ulong address = _pages.GetKeyAtIndex(index);
        _pool.Unreference(_pages.GetValueAtIndex(index).Copy);
        _pages.RemoveAt(index);
        RemovePage(_traps, address);
        RemovePage(_interior, address);
    }

    /// <summary>Removes what is kept by return addresses behind calls of a page.</summary>
    private static void RemovePage(Dictionary<ulong, int> byReturnAddress, ulong address)
    {
        foreach (ulong back in byReturnAddress.Keys)
        {
            if (back > address && back <= address + PageSize)
            {
                _ = byReturnAddress.Remove(back);
            }
        }
    }

    [RequiresLock(nameof(_lock))]
    private void CutRangesLocked(ulong start, ulong end)
    {
        for (int i = _ranges.Count - 1; i >= 0; i--)
        {
            ulong from = _ranges.GetKeyAtIndex(i);
            CodeRange range = _ranges.GetValueAtIndex(i);
            if (from >= end || range.End <= start)
            {
                continue;
            }

            _ranges.RemoveAt(i);
            if (from < start)
            {
                _ranges[from] = range with { End = start };
            }

            if (range.End > end)
            {
                _ranges[end] = range with { Offset = range.Offset + (end - from) };
            }
        }
    }

    [RequiresLock(nameof(_lock))]
    private bool TryFindRangeLocked(ulong address, out CodeRange range, out ulong start)
    {
        foreach ((ulong from, CodeRange each) in _ranges)
        {
            if (from <= address && address + PageSize <= each.End)
            {
                range = each;
                start = from;
                return true;
            }
        }

        range = default;
        start = 0;
        return false;
    }

    private Span<byte> Site(int number) => _region.Bytes(_space.Part + SitesInSpace + ((ulong)number * SiteSize), SiteSize);

    private Span<byte> Sites(int count) => _region.Bytes(_space.Part + SitesInSpace, count * SiteSize);

    private Span<byte> Table(int count) => _region.Bytes(_space.Part + TableInSpace, count * 8);

    private readonly record struct CodeRange(ulong End, int Fd, ulong Offset);

    private readonly record struct PatchedPage(int Copy, int Fd, ulong Offset);

    private sealed record Snapshot(
        bool IsOff,
        bool HasTable,
        int SiteCount,
        KeyValuePair<ulong, CodeRange>[] Ranges,
        KeyValuePair<ulong, PatchedPage>[] Pages,
        KeyValuePair<ulong, int>[] Interior);
}
