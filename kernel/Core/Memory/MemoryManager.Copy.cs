// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Vfs;
using CVisor.Host;
using CVisor.Platforms;

namespace CVisor.Core.Memory;

/// <summary>Copies between the kernel and the guest. A bad address is EFAULT, whatever lies behind it.</summary>
public sealed partial class MemoryManager
{
    /// <summary>Copies from the guest as far as it goes.</summary>
    /// <returns>Bytes copied; fewer than asked for is a fault behind them.</returns>
    [NoAlloc]
    public int CopyInPartial(UserPtr source, Span<byte> destination)
    {
        int done = 0;
        lock (_lock)
        {
            while (done < destination.Length)
            {
                nuint from = AddressForLocked(source.Offset((ulong)done), (ulong)(destination.Length - done), MemoryAccess.Read, out ulong available);
                if (from == 0 || !SafeMemory.Read(from, destination.Slice(done, (int)available)))
                {
                    break;
                }

                done += (int)available;
            }
        }

        return done;
    }

    /// <summary>Copies to the guest as far as it goes.</summary>
    /// <returns>Bytes copied; fewer than given is a fault behind them.</returns>
    [NoAlloc]
    public int CopyOutPartial(UserPtr destination, ReadOnlySpan<byte> source)
    {
        int done = 0;
        lock (_lock)
        {
            while (done < source.Length)
            {
                nuint to = AddressForLocked(destination.Offset((ulong)done), (ulong)(source.Length - done), MemoryAccess.Write, out ulong available);
                if (to == 0 || !SafeMemory.Write(to, source.Slice(done, (int)available)))
                {
                    break;
                }

                done += (int)available;
            }
        }

        return done;
    }

    /// <summary>Copies from the guest.</summary>
    /// <returns>None, or EFAULT when not all of it could be read.</returns>
    public Errno CopyIn(UserPtr source, Span<byte> destination) =>
        CopyInPartial(source, destination) == destination.Length ? Errno.None : Errno.EFAULT;

    /// <summary>Copies to the guest.</summary>
    /// <returns>None, or EFAULT when not all of it could be written.</returns>
    public Errno CopyOut(UserPtr destination, ReadOnlySpan<byte> source) =>
        CopyOutPartial(destination, source) == source.Length ? Errno.None : Errno.EFAULT;

    /// <summary>Copies a struct from the guest.</summary>
    public Errno CopyIn<T>(UserPtr source, out T value)
        where T : unmanaged
    {
        value = default;
        return CopyIn(source, Blit.AsBytes(ref value));
    }

    /// <summary>Copies a struct to the guest.</summary>
    public Errno CopyOut<T>(UserPtr destination, in T value)
        where T : unmanaged => CopyOut(destination, Blit.AsReadOnlyBytes(in value));

    /// <summary>Copies a NUL-terminated string from the guest.</summary>
    /// <param name="source">Its first byte.</param>
    /// <param name="maximumBytes">The longest it may be, the NUL included.</param>
    /// <param name="tooLong">The error when there is no NUL by then (ENAMETOOLONG for paths, E2BIG for arguments).</param>
    /// <param name="value">The string, one char a byte.</param>
    /// <returns>None, EFAULT or <paramref name="tooLong"/>.</returns>
    public Errno CopyInString(UserPtr source, int maximumBytes, Errno tooLong, out string value)
    {
        Span<byte> buffer = stackalloc byte[256];
        byte[]? big = null;
        int length = 0;
        value = "";
        while (true)
        {
            if (length == buffer.Length)
            {
                big = new byte[Math.Min(maximumBytes, buffer.Length * 4)];
                buffer.CopyTo(big);
                buffer = big;
            }

            // Never across a page at once: the string may end just before a page that is not there.
            int room = Math.Min(buffer.Length, maximumBytes) - length;
            int piece = (int)Math.Min((ulong)room, PageSize - (source.Offset((ulong)length).Address & PageMask));
            int got = CopyInPartial(source.Offset((ulong)length), buffer.Slice(length, piece));
            int end = buffer.Slice(length, got).IndexOf((byte)0);
            if (end >= 0)
            {
                value = KernelString.FromBytes(buffer[..(length + end)]);
                return Errno.None;
            }

            if (got < piece)
            {
                return Errno.EFAULT;
            }

            length += got;
            if (length >= maximumBytes)
            {
                return tooLong;
            }
        }
    }

    /// <summary>Zeroes guest memory.</summary>
    /// <returns>None or EFAULT.</returns>
    public Errno ZeroOut(UserPtr destination, ulong length)
    {
        lock (_lock)
        {
            for (ulong done = 0; done < length;)
            {
                nuint to = AddressForLocked(destination.Offset(done), length - done, MemoryAccess.Write, out ulong available);
                if (to == 0 || !SafeMemory.Zero(to, (nuint)available))
                {
                    return Errno.EFAULT;
                }

                done += available;
            }

            return Errno.None;
        }
    }

    /// <summary>Reads a 32-bit word atomically (futexes). EFAULT when it is not there, EINVAL when it is not aligned.</summary>
    public Errno Load(UserPtr address, out uint value)
    {
        value = 0;
        lock (_lock)
        {
            Errno error = WordForLocked(address, MemoryAccess.Read, out nuint word);
            return error != Errno.None ? error : SafeMemory.TryLoad(word, out value) ? Errno.None : Errno.EFAULT;
        }
    }

    /// <summary>Compares and exchanges a 32-bit word atomically.</summary>
    public Errno CompareExchange(UserPtr address, uint expected, uint desired, out uint seen)
    {
        seen = 0;
        lock (_lock)
        {
            Errno error = WordForLocked(address, MemoryAccess.Write, out nuint word);
            return error != Errno.None ? error : SafeMemory.TryCompareExchange(word, expected, desired, out seen) ? Errno.None : Errno.EFAULT;
        }
    }

    /// <summary>Applies an operation to a 32-bit word atomically.</summary>
    public Errno Modify(AtomicOperation operation, UserPtr address, uint operand, out uint old)
    {
        old = 0;
        lock (_lock)
        {
            Errno error = WordForLocked(address, MemoryAccess.Write, out nuint word);
            return error != Errno.None ? error : SafeMemory.TryModify(operation, word, operand, out old) ? Errno.None : Errno.EFAULT;
        }
    }

    /// <summary>What a futex word is, for processes that share it: the source and offset of a shared mapping, or this manager and the address of a private one.</summary>
    /// <returns>None, or EFAULT when nothing is mapped there.</returns>
    public Errno GetFutexKey(UserPtr address, out object owner, out ulong offset)
    {
        lock (_lock)
        {
            Vma? vma = _vmas.Find(address.Address);
            (owner, offset) = vma is { IsShared: true, Source: { } source } ? (source, vma.OffsetOf(address.Address)) : ((object)this, address.Address);
            return vma is null ? Errno.EFAULT : Errno.None;
        }
    }

    /// <summary>Reads or writes memory for a debugger or /proc/PID/mem: protections do not count, mappings do.</summary>
    /// <returns>Bytes transferred.</returns>
    public int AccessForced(UserPtr address, Span<byte> data, bool write)
    {
        int done = 0;
        lock (_lock)
        {
            while (done < data.Length)
            {
                Vma? vma = _vmas.Find(address.Offset((ulong)done).Address);
                if (vma is null)
                {
                    break;
                }

                nuint at = AddressInLocked(vma, address.Offset((ulong)done).Address, (ulong)(data.Length - done), write, out ulong available);
                Span<byte> piece = at == 0 ? default : data.Slice(done, (int)available);
                if (at == 0 || !(write ? SafeMemory.Write(at, piece) : SafeMemory.Read(at, piece)))
                {
                    break;
                }

                done += (int)available;
            }
        }

        return done;
    }

    /// <summary>Moves data between guest memory and a host file directly.</summary>
    /// <param name="address">Guest address.</param>
    /// <param name="length">Length in bytes.</param>
    /// <param name="hostFd">The host file.</param>
    /// <param name="fileOffset">Offset in it in bytes; -1 for the descriptor's own.</param>
    /// <param name="toFile">Whether the file is written.</param>
    /// <param name="tried">How many bytes were asked of the host: the contiguous piece at the address.</param>
    /// <param name="result">The host's answer.</param>
    /// <returns>False when the guest memory is not there (EFAULT).</returns>
    public bool TransferHost(UserPtr address, ulong length, int hostFd, long fileOffset, bool toFile, out int tried, out HostResult result)
    {
        lock (_lock)
        {
            nuint at = AddressForLocked(address, Math.Min(length, 1 << 30), toFile ? MemoryAccess.Read : MemoryAccess.Write, out ulong available);
            tried = (int)available;
            result = default;
            if (at == 0)
            {
                return false;
            }

            ReadOnlySpan<HostIoVec> vector = [new HostIoVec(at, (nuint)available)];
            result = (toFile, fileOffset < 0) switch
            {
                (false, true) => HostCalls.Readv(hostFd, vector),
                (false, false) => HostCalls.Preadv(hostFd, vector, fileOffset),
                (true, true) => HostCalls.Writev(hostFd, vector),
                (true, false) => HostCalls.Pwritev(hostFd, vector, fileOffset),
            };
            return true;
        }
    }

    [RequiresLock(nameof(_lock))]
    private Errno WordForLocked(UserPtr address, MemoryAccess access, out nuint word)
    {
        word = 0;
        if ((address.Address & 3) != 0)
        {
            return Errno.EINVAL;
        }

        word = AddressForLocked(address, 4, access, out _);
        return word == 0 ? Errno.EFAULT : Errno.None;
    }

    /// <summary>Where guest memory lies in this process, for an access that the guest itself may make; 0 when it may not.</summary>
    [RequiresLock(nameof(_lock))]
    private nuint AddressForLocked(UserPtr address, ulong length, MemoryAccess access, out ulong available)
    {
        Vma? vma = FindOrGrowLocked(address.Address);
        if (vma is null || (vma.Access & access) != access)
        {
            available = 0;
            return 0;
        }

        return AddressInLocked(vma, address.Address, length, (access & MemoryAccess.Write) != 0, out available);
    }

    [RequiresLock(nameof(_lock))]
    private nuint AddressInLocked(Vma vma, ulong address, ulong length, bool write, out ulong available)
    {
        Pma? pma = _pmas.Find(address);
        if ((pma is null || (write && pma.NeedsCopy)) && TouchForKernelLocked(vma, address, write, out pma) != Errno.None)
        {
            available = 0;
            return 0;
        }

        ulong end = Math.Min(vma.End, pma!.End);
        return pma.File.GetAddress(pma.OffsetOf(address), Math.Min(length, end - address), out available);
    }

    /// <summary>As a fault of the guest's own, but that nobody can be killed from here, where locks may be held: the task is told, and sees to it when its call is over.</summary>
    [RequiresLock(nameof(_lock))]
    private Errno TouchForKernelLocked(Vma vma, ulong address, bool write, out Pma? pma)
    {
        Errno error = TouchLocked(vma, address, write, Via, out pma);
        if (error == Errno.ENOMEM)
        {
            Tasks.Task.Current?.NoteShortage();
            error = TouchLocked(vma, address, write, Via, out pma, _memory.OverdraftBytes);
        }

        return error;
    }
}
