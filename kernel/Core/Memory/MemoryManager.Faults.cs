// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Platforms;

namespace CVisor.Core.Memory;

/// <summary>What becomes of a guest's page fault.</summary>
public enum FaultOutcome
{
    /// <summary>The page is there now.</summary>
    Resolved,

    /// <summary>SIGSEGV, SEGV_MAPERR: nothing is mapped.</summary>
    NotMapped,

    /// <summary>SIGSEGV, SEGV_ACCERR: it is mapped and forbidden.</summary>
    Forbidden,

    /// <summary>SIGBUS, BUS_ADRERR: beyond the file's end.</summary>
    BeyondEnd,

    /// <summary>No memory: the process is killed.</summary>
    OutOfMemory,
}

/// <summary>Touching memory: finding or making the pages, and telling the hardware.</summary>
public sealed partial class MemoryManager
{
    private const int SegvAccerr = 2;

    /// <summary>How much is copied around a write to shared private memory.</summary>
    private const ulong CopyPieceBytes = 32UL << 10;

    /// <summary>How much of a file is looked up around a touch.</summary>
    private const ulong FilePieceBytes = 8UL << 20;

    /// <summary>Handles a page fault of guest code.</summary>
    /// <param name="context">The held context that faulted; it runs in this address space.</param>
    /// <param name="fault">The fault.</param>
    public FaultOutcome HandleFault(GuestContext context, in GuestFault fault)
    {
        lock (_lock)
        {
            ulong address = fault.Address;
            Vma? vma = FindOrGrowLocked(address);
            if (vma is null)
            {
                return FaultOutcome.NotMapped;
            }

            if (vma.Access == MemoryAccess.None)
            {
                return FaultOutcome.Forbidden;
            }

            Pma? pma = _pmas.Find(address);
            bool write;
            if (fault.HasAccess)
            {
                write = fault.IsWrite;
            }
            else if (fault.Code == SegvAccerr)
            {
                // The hardware had a mapping that forbade it: a write, unless it was a fetch from a page that may not be executed.
                write = !fault.IsExecute || (pma?.Installed is { } seen && (seen & MemoryAccess.Execute) != 0);
            }
            else
            {
                // Nothing was mapped, and the platform cannot tell what was tried. Private data is mostly written: spare it the second fault.
                write = !vma.IsShared && (vma.Access & MemoryAccess.Write) != 0 && (vma.Source is not null || pma is { NeedsCopy: true });
            }

            MemoryAccess wanted = write ? MemoryAccess.Write : fault.IsExecute ? MemoryAccess.Execute : MemoryAccess.None;
            if ((vma.Access & wanted) != wanted)
            {
                return FaultOutcome.Forbidden;
            }

            Errno error = TouchLocked(vma, address, write, context, out pma);
            if (error == Errno.None)
            {
                // Nothing there although it was installed: an unmapping from outside (UnmapRemote) came after the mapping that it was not meant for.
                InstallLocked(vma, pma!, address, context, force: fault.Code != SegvAccerr);
                return FaultOutcome.Resolved;
            }

            return error == Errno.ENXIO ? FaultOutcome.BeyondEnd : FaultOutcome.OutOfMemory;
        }
    }

    /// <summary>Whether the address lies in a mapping that may be executed; for telling a bad instruction from a bad jump.</summary>
    public bool IsMapped(ulong address)
    {
        lock (_lock)
        {
            return _vmas.Find(address) is not null;
        }
    }

    [RequiresLock(nameof(_lock))]
    private Vma? FindOrGrowLocked(ulong address)
    {
        int index = _vmas.IndexFrom(address);
        if (index == _vmas.Count)
        {
            return null;
        }

        Vma vma = _vmas[index];
        if (vma.Start <= address)
        {
            return vma;
        }

        if (!vma.GrowsDown)
        {
            return null;
        }

        // A guard gap of 1 MiB to the mapping below, and RLIMIT_STACK, stop the growth (stack_guard_gap, acct_stack_growth()).
        ulong start = PageDown(address);
        ulong floor = index > 0 ? _vmas[index - 1].End + (index > 0 && _vmas[index - 1].Access != MemoryAccess.None ? 256 * PageSize : 0) : _layout.MinimumAddress;
        if (start < floor || vma.End - start > StackLimitBytes || vma.Start - start > AddressSpaceLimitBytes - Math.Min(AddressSpaceLimitBytes, _totalVmBytes))
        {
            return null;
        }

        _totalVmBytes += vma.Start - start;
        vma.Start = start;
        return vma;
    }

    /// <summary>Finds the memory behind an address, making it when it is not there, and a private copy when it is to be written.</summary>
    [RequiresLock(nameof(_lock))]
    private Errno TouchLocked(Vma vma, ulong address, bool write, GuestContext? via, out Pma? pma, ulong overdraftBytes = 0)
    {
        pma = _pmas.Find(address);
        if (pma is null)
        {
            Errno error = PopulateLocked(vma, address, write, out pma, overdraftBytes);
            if (error != Errno.None)
            {
                return error;
            }
        }

        return write && pma!.NeedsCopy ? CopyForWriteLocked(vma, ref pma, address, via, overdraftBytes) : Errno.None;
    }

    [RequiresLock(nameof(_lock))]
    private Errno PopulateLocked(Vma vma, ulong address, bool write, out Pma? pma, ulong overdraftBytes)
    {
        int index = _pmas.IndexFrom(address);
        ulong low = Math.Max(vma.Start, index > 0 ? _pmas[index - 1].End : 0);
        ulong high = index < _pmas.Count ? Math.Min(vma.End, _pmas[index].Start) : vma.End;
        pma = null;
        if (vma.Source is null)
        {
            ulong piece = _memory.PieceBytes;
            ulong start = Math.Max(low, address & ~(piece - 1));
            ulong end = Math.Min(high, (address & ~(piece - 1)) + piece);
            Errno error = _memory.Allocate(end - start, out ulong offset, out bool isThere, overdraftBytes);
            if (error != Errno.None)
            {
                return error;
            }

            pma = new Pma { Start = start, End = end, File = _memory, Offset = offset, IsThere = isThere };
        }
        else
        {
            ulong start = PageDown(address);
            if (!vma.IsShared && (vma.Access & MemoryAccess.Write) == 0)
            {
                // Text and read-only data: from the start of the gap, so that one mapping serves the whole segment.
                start = Math.Max(low, start > FilePieceBytes / 2 ? start - (FilePieceBytes / 2) : 0);
            }

            ulong length = Math.Min(high - start, FilePieceBytes);
            Errno error = vma.Source.GetMemory(vma.OffsetOf(start), length, write && vma.IsShared, out MemoryExtent extent);
            if (error != Errno.None || extent.Length <= address - start)
            {
                if (error == Errno.None)
                {
                    extent.File.Unreference(extent.Offset, extent.Length);
                }

                start = PageDown(address);
                error = vma.Source.GetMemory(vma.OffsetOf(start), Math.Min(high - start, FilePieceBytes), write && vma.IsShared, out extent);
                if (error != Errno.None)
                {
                    return error;
                }
            }

            pma = new Pma { Start = start, End = start + extent.Length, File = extent.File, Offset = extent.Offset, NeedsCopy = !vma.IsShared };
        }

        _pmas.InsertAt(index, pma);
        return Errno.None;
    }

    /// <summary>Gives private memory of its own to the pages around an address, with what they hold now.</summary>
    [RequiresLock(nameof(_lock))]
    private Errno CopyForWriteLocked(Vma vma, ref Pma pma, ulong address, GuestContext? via, ulong overdraftBytes)
    {
        ulong piece = address & ~(CopyPieceBytes - 1);
        ulong start = Math.Max(Math.Max(pma.Start, vma.Start), piece);
        ulong end = Math.Min(Math.Min(pma.End, vma.End), piece + CopyPieceBytes);
        if (pma.File == _memory && _memory.IsExclusive(pma.OffsetOf(start), end - start))
        {
            pma = SplitLocked(pma, start, end);
            pma.NeedsCopy = false;
            return Errno.None;
        }

        Errno error = _memory.Allocate(end - start, out ulong offset, overdraftBytes);
        if (error != Errno.None)
        {
            return error;
        }

        nuint to = _memory.GetAddress(offset, end - start, out _);
        for (ulong done = 0; done < end - start;)
        {
            nuint from = pma.File.GetAddress(pma.OffsetOf(start) + done, end - start - done, out ulong available);
            if (from == 0 || !Host.SafeMemory.Copy(to + (nuint)done, from, (nuint)available))
            {
                // Page by page: a page beyond a truncated file's end stays zero, the touched one must be there.
                for (ulong page = done; page < done + available; page += PageSize)
                {
                    if ((from == 0 || !Host.SafeMemory.Copy(to + (nuint)page, from + (nuint)(page - done), (nuint)Math.Min(PageSize, done + available - page))) && start + page == PageDown(address))
                    {
                        _memory.Unreference(offset, end - start);
                        return from == 0 ? Errno.ENOMEM : Errno.ENXIO;
                    }
                }
            }

            done += available;
        }

        pma = SplitLocked(pma, start, end);
        (MemoryFile oldFile, ulong oldOffset) = (pma.File, pma.Offset);
        bool wasInstalled = pma.Installed is not null;
        if (via is null)
        {
            UninstallLocked(pma, via);
        }

        pma.File = _memory;
        pma.Offset = offset;
        pma.NeedsCopy = false;
        pma.IsPrivateCopy = true;
        pma.IsThere = true;
        if (wasInstalled && via is not null)
        {
            InstallLocked(vma, pma, address, via, force: true);
        }

        // Last: until here the hardware may still have led to the old pages.
        oldFile.Unreference(oldOffset, end - start);
        return Errno.None;
    }

    /// <summary>Cuts a PMA so that one covers exactly a range.</summary>
    [RequiresLock(nameof(_lock))]
    private Pma SplitLocked(Pma pma, ulong start, ulong end)
    {
        if (pma.Start < start)
        {
            Pma tail = pma.CopyFrom(start);
            pma.End = start;
            pma.File.OnSplit();
            _pmas.Insert(tail);
            pma = tail;
        }

        if (end < pma.End)
        {
            Pma tail = pma.CopyFrom(end);
            pma.End = end;
            pma.File.OnSplit();
            _pmas.Insert(tail);
        }

        return pma;
    }

    /// <summary>Tells the hardware about the part of a PMA that lies in a VMA.</summary>
    [RequiresLock(nameof(_lock))]
    private void InstallLocked(Vma vma, Pma pma, ulong address, GuestContext? via, bool force = false, bool later = false)
    {
        MemoryAccess access = pma.NeedsCopy ? vma.Access & ~MemoryAccess.Write : vma.Access;
        if (pma.Installed == access && !force)
        {
            return; // Another thread was quicker.
        }

        ulong start = Math.Max(vma.Start, pma.Start);
        ulong end = Math.Min(vma.End, pma.End);
        if (start > pma.Start || end < pma.End)
        {
            pma = SplitLocked(pma, start, end);
        }

        if (access == MemoryAccess.None || via is null)
        {
            UninstallLocked(pma, via);
            return;
        }

        bool isMapped = later
            ? Space.MapFileLater(via, pma.Start, pma.Length, pma.File.HostFd, pma.Offset, WithRead(access), TraitsOf(vma, pma))
            : Space.MapFile(via, pma.Start, pma.Length, pma.File.HostFd, pma.Offset, WithRead(access), TraitsOf(vma, pma));
        if (isMapped)
        {
            pma.Installed = access;
        }
    }

    /// <summary>x86 cannot map memory that is writable and not readable; neither can Linux.</summary>
    private static MemoryAccess WithRead(MemoryAccess access) => (access & MemoryAccess.Write) != 0 ? access | MemoryAccess.Read : access;

    private static MappingTraits TraitsOf(Vma vma, Pma pma) =>
        (pma.IsThere ? MappingTraits.IsThere : MappingTraits.None) |
        (pma.File.IsStill && !vma.IsShared && (vma.Access & MemoryAccess.Write) == 0 ? MappingTraits.IsStill : MappingTraits.None);

    /// <summary>Takes a PMA away from the hardware; the memory stays.</summary>
    [RequiresLock(nameof(_lock))]
    private void UninstallLocked(Pma pma, GuestContext? via)
    {
        if (pma.Installed is null)
        {
            return;
        }

        pma.Installed = null;
        if (via is not null)
        {
            Space.Unmap(via, pma.Start, pma.Length);
            return;
        }

        // From outside: the pages stay referenced until no guest code can reach them.
        MemoryFile file = pma.File;
        ulong offset = pma.Offset;
        ulong length = pma.Length;
        file.Reference(offset, length);
        Space.UnmapRemote(pma.Start, length, () => file.Unreference(offset, length));
    }
}
