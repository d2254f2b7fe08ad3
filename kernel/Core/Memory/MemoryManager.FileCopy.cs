// SPDX-License-Identifier: Apache-2.0
using CVisor.Host;
using CVisor.Platforms;

namespace CVisor.Core.Memory;

/// <summary>Copies between guest memory and memory files, without a buffer between.</summary>
public sealed partial class MemoryManager
{
    /// <summary>Copies from a memory file to the guest as far as it goes.</summary>
    /// <param name="destination">Guest address.</param>
    /// <param name="file">The file.</param>
    /// <param name="offset">Offset in it in bytes; the range stays referenced for the length of the call.</param>
    /// <param name="length">Length in bytes.</param>
    /// <returns>Bytes copied; fewer than asked for is a fault behind them.</returns>
    [NoAlloc]
    public long CopyOutFrom(UserPtr destination, MemoryFile file, ulong offset, long length) => CopyFile(destination, file, offset, length, MemoryAccess.Write);

    /// <summary>Copies from the guest to a memory file as far as it goes.</summary>
    /// <param name="source">Guest address.</param>
    /// <param name="file">The file.</param>
    /// <param name="offset">Offset in it in bytes; the range stays referenced for the length of the call.</param>
    /// <param name="length">Length in bytes.</param>
    /// <returns>Bytes copied.</returns>
    [NoAlloc]
    public long CopyInTo(UserPtr source, MemoryFile file, ulong offset, long length) => CopyFile(source, file, offset, length, MemoryAccess.Read);

    private long CopyFile(UserPtr guest, MemoryFile file, ulong offset, long length, MemoryAccess access)
    {
        long done = 0;
        lock (_lock)
        {
            while (done < length)
            {
                nuint there = AddressForLocked(guest.Offset((ulong)done), (ulong)(length - done), access, out ulong available);
                nuint here = there == 0 ? 0 : file.GetAddress(offset + (ulong)done, available, out available);
                if (here == 0 || !(access == MemoryAccess.Write ? SafeMemory.Copy(there, here, (nuint)available) : SafeMemory.Copy(here, there, (nuint)available)))
                {
                    break;
                }

                done += (long)available;
            }
        }

        return done;
    }
}
