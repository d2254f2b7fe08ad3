// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Platforms;

namespace CVisor.Core.Memory;

/// <summary>Mapping ahead what will be touched at once: one conversation with the platform instead of a fault for each piece.</summary>
public sealed partial class MemoryManager
{
    /// <summary>How many areas of a new program are mapped ahead, and how much of each is copied for it, in bytes.</summary>
    private const int AreasAhead = 32;
    private const ulong CopiedAhead = 2 * CopyPieceBytes;

    /// <summary>Maps what a new program begins with: its code and the dynamic linker's, their data, the stack.</summary>
    /// <param name="first">The held context that will run it, the only one of this address space.</param>
    /// <param name="entry">Where it begins.</param>
    /// <param name="stackPointer">Its stack pointer.</param>
    public void InstallAhead(GuestContext first, ulong entry, ulong stackPointer)
    {
        lock (_lock)
        {
            for (int i = 0; i < Math.Min(_vmas.Count, AreasAhead); i++)
            {
                Vma vma = _vmas[i];
                if (vma.Access == MemoryAccess.None || vma.IsShared)
                {
                    continue;
                }

                bool isWritten = (vma.Access & MemoryAccess.Write) != 0;
                ulong from = vma.GrowsDown ? PageDown(stackPointer) : entry >= vma.Start && entry < vma.End ? entry : vma.Start;
                ulong end = isWritten && vma.Source is not null ? Math.Min(vma.End, vma.Start + CopiedAhead) : from + 1;
                InstallAheadLocked(vma, from, end, isWritten, first);
            }

            if (!Space.Flush(first))
            {
                ForgetInstalledLocked(first);
            }
        }
    }

    [RequiresLock(nameof(_lock))]
    private void InstallAheadLocked(Vma vma, ulong from, ulong end, bool isWritten, GuestContext first)
    {
        for (ulong at = from; at < end;)
        {
            if (TouchLocked(vma, at, isWritten, first, out Pma? pma) != Errno.None)
            {
                return; // Whoever touches it is told.
            }

            InstallLocked(vma, pma!, at, first, later: true);
            at = _pmas.Find(at)!.End;
        }
    }
}
