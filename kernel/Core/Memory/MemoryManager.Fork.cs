// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Platforms;

namespace CVisor.Core.Memory;

/// <summary>fork(2): a second address space whose private memory is shared until one side writes.</summary>
public sealed partial class MemoryManager
{
    /// <summary>How much is copied at once instead of when one side writes, in bytes: as a whole, and of one piece.</summary>
    private const ulong EagerBytes = 64UL << 10, EagerPieceBytes = CopyPieceBytes;

    /// <summary>What of the stack is copied at once, in pages below and above the stack pointer's.</summary>
    private const ulong StackPagesBelow = 1, StackPagesAbove = 2;

    private bool _droppedAtFork;

    /// <summary>Pages of the child's own that the copied hardware does not map yet, or whose mapping has been asked for.</summary>
    private bool _installsAtFork;

    /// <summary>Copies this address space.</summary>
    /// <param name="parent">A held context of it.</param>
    /// <param name="executor">The executor that owns the context.</param>
    /// <returns>The copy with one user, or null when the host has no room.</returns>
    public MemoryManager? Fork(GuestContext parent, IExecutor executor)
    {
        lock (_lock)
        {
            List<Pma> copies = SharePrivateLocked(parent, out bool isDropped);
            int mappings = 0;
            foreach (Pma copy in copies)
            {
                mappings += copy.Installed is null ? 0 : 1;
            }

            AddressSpace? space = executor.ForkAddressSpace(parent, mappings, out bool isEmpty);
            if (space is null)
            {
                _ = Space.Flush(parent);
                foreach (Pma copy in copies)
                {
                    copy.File.Unreference(copy.Offset, copy.Length);
                }

                return null;
            }

            MemoryManager child = new(_memory, space, _layout)
            {
                StackLimitBytes = StackLimitBytes,
                AddressSpaceLimitBytes = AddressSpaceLimitBytes,
                DataLimitBytes = DataLimitBytes,
                ArgumentsStart = ArgumentsStart,
                ArgumentsEnd = ArgumentsEnd,
                EnvironmentStart = EnvironmentStart,
                EnvironmentEnd = EnvironmentEnd,
                AuxiliaryVector = AuxiliaryVector,
                Executable = Executable,
                VdsoBase = VdsoBase,
                Dumpable = Dumpable,
                DumpFilter = DumpFilter,
                IsBarrierRegistered = IsBarrierRegistered,
                _break = _break,
                _breakStart = _breakStart,
            };
            Executable?.Reference();
            _ = Executable?.Inode?.TryDenyWriting(); // Nobody writes to it: this side has it denied already.

            foreach (Vma vma in _vmas)
            {
                if (!vma.DontFork)
                {
                    Vma copy = vma.Clone();
                    copy.IsLocked = false;
                    child._vmas.Add(copy);
                    child._totalVmBytes += copy.Length;
                    child.TakeSourceLocked(copy);
                }
            }

            foreach (Pma copy in copies)
            {
                child._pmas.Add(copy);
            }

            child._droppedAtFork = isDropped && !isEmpty;
            child._installsAtFork = true;
            if (isEmpty)
            {
                child.InstallAllLocked(null, static _ => true);
                space.Start();
            }

            _ = Space.Flush(parent);
            return child;
        }
    }

    /// <summary>Called once by the child of <see cref="Fork"/> with its first context: takes away what the child must not have (MADV_DONTFORK, MADV_WIPEONFORK).</summary>
    public void FinishFork(GuestContext first)
    {
        lock (_lock)
        {
            if (_droppedAtFork)
            {
                DropUnknownLocked(first);
            }

            if (_installsAtFork)
            {
                _installsAtFork = false;
                InstallAllLocked(first, static pma => pma.IsOwnAtFork);
                if (!Space.Flush(first))
                {
                    ForgetInstalledLocked(first);
                }
            }
        }
    }

    /// <summary>Unmaps all: every page is mapped again when it is touched.</summary>
    [RequiresLock(nameof(_lock))]
    private void ForgetInstalledLocked(GuestContext via)
    {
        Space.Unmap(via, _layout.MinimumAddress, _layout.MaximumAddress - _layout.MinimumAddress);
        foreach (Pma pma in _pmas)
        {
            pma.Installed = null;
        }
    }

    [RequiresLock(nameof(_lock))]
    private void DropUnknownLocked(GuestContext first)
    {
        // The hardware was copied whole: unmap the gaps between what the child has.
        ulong from = _layout.MinimumAddress;
        foreach (Pma pma in _pmas)
        {
            if (pma.Start > from)
            {
                Space.Unmap(first, from, pma.Start - from);
            }

            from = pma.End;
        }

        if (from < _layout.MaximumAddress)
        {
            Space.Unmap(first, from, _layout.MaximumAddress - from);
        }

        _droppedAtFork = false;
    }

    /// <summary>Has the hardware told of what is said to be installed, as far as a condition holds; some time before the next flush.</summary>
    [RequiresLock(nameof(_lock))]
    private void InstallAllLocked(GuestContext? via, Predicate<Pma> condition)
    {
        foreach (Pma pma in _pmas)
        {
            if (pma.Installed is { } access && condition(pma))
            {
                Vma vma = _vmas.Find(pma.Start)!;
                if (!Space.MapFileLater(via, pma.Start, pma.Length, pma.File.HostFd, pma.Offset, WithRead(access), TraitsOf(vma, pma)))
                {
                    pma.Installed = null;
                }
            }

            pma.IsOwnAtFork = false;
        }
    }

    /// <summary>Shares private memory with a child to be, both to copy it before they write; what both are about to write is copied at once.</summary>
    /// <returns>What the child has there, with references.</returns>
    [RequiresLock(nameof(_lock))]
    private List<Pma> SharePrivateLocked(GuestContext via, out bool isDropped)
    {
        // Who else runs here meanwhile writes on: to copy one page and then another would show the child a later write and not an earlier one. Write protection stops the
        // writer at the first.
        bool isAlone = Users == 1;
        ulong budget = isAlone ? EagerBytes : 0;
        if (isAlone)
        {
            IsolateStackLocked(via);
        }

        List<Pma> copies = new(_pmas.Count);
        isDropped = false;
        ulong runStart = 0;
        ulong runEnd = 0;
        MemoryAccess runAccess = MemoryAccess.None;
        foreach (Pma pma in _pmas)
        {
            Vma vma = _vmas.Find(pma.Start)!;
            if (vma.DontFork || (vma.WipeOnFork && !vma.IsShared))
            {
                isDropped |= pma.Installed is not null;
                continue;
            }

            if (!vma.IsShared && TryCopyLocked(pma, ref budget) is { } own)
            {
                copies.Add(own);
                continue;
            }

            pma.NeedsCopy |= !vma.IsShared;
            if (!vma.IsShared && pma.Installed is { } installed && (installed & MemoryAccess.Write) != 0)
            {
                MemoryAccess access = installed & ~MemoryAccess.Write;
                pma.Installed = access;
                if (runEnd != pma.Start || runAccess != access)
                {
                    ProtectRun();
                    runStart = pma.Start;
                    runAccess = access;
                }

                runEnd = pma.End;
            }

            pma.File.Reference(pma.Offset, pma.Length);
            copies.Add(pma.CopyFrom(pma.Start));
        }

        ProtectRun();
        return copies;

        void ProtectRun()
        {
            if (runEnd > runStart)
            {
                Space.ProtectLater(via, runStart, runEnd - runStart, runAccess);
            }
        }
    }

    /// <summary>What a call's return pushes and pops, both sides write at once.</summary>
    [RequiresLock(nameof(_lock))]
    private void IsolateStackLocked(GuestContext via)
    {
        ulong page = PageDown(via.Registers.Rsp);
        if (_pmas.Find(page) is { } stack && IsWritten(stack) && stack.Length > EagerPieceBytes)
        {
            _ = SplitLocked(stack, Math.Max(stack.Start, page - (StackPagesBelow * PageSize)), Math.Min(stack.End, page + (StackPagesAbove * PageSize)));
        }
    }

    /// <summary>A copy of a small piece that has been written since it was last shared, and so will be again.</summary>
    [RequiresLock(nameof(_lock))]
    private Pma? TryCopyLocked(Pma pma, ref ulong budget)
    {
        if (!IsWritten(pma) || pma.Length > Math.Min(budget, EagerPieceBytes) || pma.File != _memory || _memory.Allocate(pma.Length, out ulong offset) != Errno.None)
        {
            return null;
        }

        if (!Host.SafeMemory.Copy(_memory.GetAddress(offset, pma.Length, out _), _memory.GetAddress(pma.Offset, pma.Length, out _), (nuint)pma.Length))
        {
            _memory.Unreference(offset, pma.Length);
            return null;
        }

        budget -= pma.Length;
        Pma own = pma.CopyFrom(pma.Start);
        own.Offset = offset;
        own.IsOwnAtFork = true;
        own.IsThere = true;
        return own;
    }

    private static bool IsWritten(Pma pma) => !pma.NeedsCopy && pma.Installed is { } installed && (installed & MemoryAccess.Write) != 0;
}
