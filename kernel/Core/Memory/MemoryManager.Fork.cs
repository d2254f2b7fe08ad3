// SPDX-License-Identifier: Apache-2.0
using CVisor.Platforms;

namespace CVisor.Core.Memory;

/// <summary>fork(2): a second address space whose private memory is shared until one side writes.</summary>
public sealed partial class MemoryManager
{
    /// <summary>Copies this address space.</summary>
    /// <param name="parent">A held context of it.</param>
    /// <param name="executor">The executor that owns the context.</param>
    /// <returns>The copy with one user, or null when the host has no room.</returns>
    public MemoryManager? Fork(GuestContext parent, IExecutor executor)
    {
        lock (_lock)
        {
            WriteProtectPrivateLocked(parent);
            AddressSpace? space = executor.ForkAddressSpace(parent);
            if (space is null)
            {
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

            foreach (Pma pma in _pmas)
            {
                Vma vma = _vmas.Find(pma.Start)!;
                if (vma.DontFork || (vma.WipeOnFork && !vma.IsShared))
                {
                    child._droppedAtFork |= pma.Installed is not null;
                    continue;
                }

                pma.File.Reference(pma.Offset, pma.Length);
                child._pmas.Add(pma.CopyFrom(pma.Start));
            }

            return child;
        }
    }

    private bool _droppedAtFork;

    /// <summary>Called once by the child of <see cref="Fork"/> with its first context: takes away what the child must not have (MADV_DONTFORK, MADV_WIPEONFORK).</summary>
    public void FinishFork(GuestContext first)
    {
        lock (_lock)
        {
            if (!_droppedAtFork)
            {
                return;
            }

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
    }

    [RequiresLock(nameof(_lock))]
    private void WriteProtectPrivateLocked(GuestContext via)
    {
        ulong runStart = 0;
        ulong runEnd = 0;
        MemoryAccess runAccess = MemoryAccess.None;
        for (int i = 0; i < _pmas.Count; i++)
        {
            Pma pma = _pmas[i];
            Vma vma = _vmas.Find(pma.Start)!;
            if (vma.IsShared || vma.DontFork)
            {
                continue;
            }

            pma.NeedsCopy = true;
            if (pma.Installed is not { } installed || (installed & MemoryAccess.Write) == 0)
            {
                continue;
            }

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

        ProtectRun();

        void ProtectRun()
        {
            if (runEnd > runStart)
            {
                Space.Protect(via, runStart, runEnd - runStart, runAccess);
            }
        }
    }
}
