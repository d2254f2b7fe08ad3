// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Host;

namespace CVisor.Core.Memory;

/// <summary>A range of guest memory (struct iovec).</summary>
/// <param name="Address">First byte.</param>
/// <param name="Length">Length in bytes.</param>
public readonly record struct UserRange(UserPtr Address, ulong Length);

/// <summary>
/// Where a transfer's data comes from or goes to: guest memory in one or more ranges, or a kernel buffer. It is consumed from front to back, so that a transfer that had to
/// wait goes on where it stopped. Pass it by <c>ref</c>.
/// </summary>
public struct IoBuffer
{
    private readonly MemoryManager? _memory;
    private readonly UserRange[]? _ranges;
    private readonly Memory<byte> _kernel;
    private UserRange _current;
    private int _next;
    private int _kernelPosition;

    /// <summary>One range of guest memory.</summary>
    public IoBuffer(MemoryManager memory, UserPtr address, ulong length)
    {
        _memory = memory;
        _current = new UserRange(address, length);
        Remaining = (long)Math.Min(length, long.MaxValue);
    }

    /// <summary>Several ranges of guest memory, in order; their lengths add up to at most <see cref="long.MaxValue"/>.</summary>
    public IoBuffer(MemoryManager memory, UserRange[] ranges)
    {
        _memory = memory;
        _ranges = ranges;
        foreach (UserRange range in ranges)
        {
            Remaining += (long)range.Length;
        }
    }

    /// <summary>A kernel buffer.</summary>
    public IoBuffer(Memory<byte> kernel)
    {
        _kernel = kernel;
        Remaining = kernel.Length;
    }

    /// <summary>Bytes left.</summary>
    public long Remaining { get; private set; }

    /// <summary>Lowers <see cref="Remaining"/> to at most this many bytes (MAX_RW_COUNT, a message's length).</summary>
    public void Limit(long bytes) => Remaining = Math.Min(Remaining, bytes);

    /// <summary>Copies bytes to the buffer and moves on.</summary>
    /// <param name="source">The bytes; more than <see cref="Remaining"/> are left out.</param>
    /// <param name="copied">How many were copied before the end or a fault.</param>
    /// <returns>None, or EFAULT when not all that fits could be copied.</returns>
    public Errno CopyOut(ReadOnlySpan<byte> source, out int copied)
    {
        copied = 0;
        int length = (int)Math.Min(source.Length, Remaining);
        if (_memory is null)
        {
            source[..length].CopyTo(_kernel.Span[_kernelPosition..]);
            copied = length;
            Advance(length);
            return Errno.None;
        }

        while (copied < length)
        {
            UserRange range = NextRange();
            int piece = (int)Math.Min((ulong)(length - copied), range.Length);
            int done = _memory.CopyOutPartial(range.Address, source.Slice(copied, piece));
            copied += done;
            Advance(done);
            if (done < piece)
            {
                return Errno.EFAULT;
            }
        }

        return Errno.None;
    }

    /// <summary>Copies bytes from the buffer and moves on.</summary>
    /// <param name="destination">Where to; only <see cref="Remaining"/> bytes are filled at most.</param>
    /// <param name="copied">How many were copied before the end or a fault.</param>
    /// <returns>None, or EFAULT.</returns>
    public Errno CopyIn(Span<byte> destination, out int copied)
    {
        copied = 0;
        int length = (int)Math.Min(destination.Length, Remaining);
        if (_memory is null)
        {
            _kernel.Span.Slice(_kernelPosition, length).CopyTo(destination);
            copied = length;
            Advance(length);
            return Errno.None;
        }

        while (copied < length)
        {
            UserRange range = NextRange();
            int piece = (int)Math.Min((ulong)(length - copied), range.Length);
            int done = _memory.CopyInPartial(range.Address, destination.Slice(copied, piece));
            copied += done;
            Advance(done);
            if (done < piece)
            {
                return Errno.EFAULT;
            }
        }

        return Errno.None;
    }

    /// <summary>Fills so many bytes of the buffer with zeros and moves on.</summary>
    /// <returns>None, or EFAULT.</returns>
    public Errno ZeroOut(long length, out long zeroed)
    {
        ReadOnlySpan<byte> zeros = stackalloc byte[4096];
        zeroed = 0;
        length = Math.Min(length, Remaining);
        while (zeroed < length)
        {
            Errno error = CopyOut(zeros[..(int)Math.Min(zeros.Length, length - zeroed)], out int copied);
            zeroed += copied;
            if (error != Errno.None)
            {
                return error;
            }
        }

        return Errno.None;
    }

    /// <summary>Copies from a memory file to the buffer and moves on.</summary>
    /// <param name="file">The file; the range stays referenced for the length of the call.</param>
    /// <param name="offset">Offset in it in bytes.</param>
    /// <param name="length">Length in bytes; more than <see cref="Remaining"/> is left out.</param>
    /// <param name="copied">How many were copied before the end or a fault.</param>
    /// <returns>None, or EFAULT.</returns>
    public Errno CopyOutFrom(MemoryFile file, ulong offset, long length, out long copied) => CopyFile(file, offset, length, isOut: true, out copied);

    /// <summary>Copies from the buffer to a memory file and moves on.</summary>
    /// <param name="file">The file; the range stays referenced for the length of the call.</param>
    /// <param name="offset">Offset in it in bytes.</param>
    /// <param name="length">Length in bytes; more than <see cref="Remaining"/> is left out.</param>
    /// <param name="copied">How many were copied before the end or a fault.</param>
    /// <returns>None, or EFAULT.</returns>
    public Errno CopyInTo(MemoryFile file, ulong offset, long length, out long copied) => CopyFile(file, offset, length, isOut: false, out copied);

    /// <summary>Moves data between the buffer and a host file without a copy of ours, and moves on.</summary>
    /// <param name="hostFd">The host descriptor.</param>
    /// <param name="offset">Offset in the file in bytes, or -1 for the descriptor's own.</param>
    /// <param name="toFile">Whether the buffer is written to the file; otherwise the file is read into the buffer.</param>
    /// <param name="maximum">The most to move, in bytes.</param>
    /// <returns>Bytes moved; EFAULT; or the host's error.</returns>
    public Vfs.IoResult TransferHost(int hostFd, long offset, bool toFile, long maximum = long.MaxValue)
    {
        long total = 0;
        maximum = Math.Min(maximum, Remaining);
        while (total < maximum)
        {
            HostResult result;
            int piece;
            if (_memory is null)
            {
                piece = (int)(maximum - total);
                Span<byte> span = _kernel.Span.Slice(_kernelPosition, piece);
                result = toFile
                    ? (offset < 0 ? HostCalls.Write(hostFd, span) : HostCalls.Pwrite(hostFd, span, offset + total))
                    : (offset < 0 ? HostCalls.Read(hostFd, span) : HostCalls.Pread(hostFd, span, offset + total));
            }
            else
            {
                UserRange range = NextRange();
                if (!_memory.TransferHost(range.Address, Math.Min(range.Length, (ulong)(maximum - total)), hostFd, offset < 0 ? -1 : offset + total, toFile, out piece, out result))
                {
                    return total > 0 ? new Vfs.IoResult(total, Errno.None) : new Vfs.IoResult(0, Errno.EFAULT);
                }
            }

            if (result.IsError)
            {
                return total > 0 ? new Vfs.IoResult(total, Errno.None) : new Vfs.IoResult(0, result.Error.ToGuest());
            }

            total += result.Value;
            Advance(result.Value);
            if (result.Value < piece)
            {
                break;
            }
        }

        return new Vfs.IoResult(total, Errno.None);
    }

    /// <summary>Skips bytes that something else transferred.</summary>
    public void Advance(long bytes)
    {
        Remaining -= bytes;
        if (_memory is null)
        {
            _kernelPosition += (int)bytes;
        }
        else
        {
            _current = new UserRange(_current.Address.Offset((ulong)bytes), _current.Length - (ulong)bytes);
        }
    }

    /// <summary>Skips bytes that nothing looks at, over as many ranges as they lie in.</summary>
    public void Skip(long bytes)
    {
        while (bytes > 0)
        {
            long piece = _memory is null ? bytes : (long)Math.Min((ulong)bytes, NextRange().Length);
            Advance(piece);
            bytes -= piece;
        }
    }

    private Errno CopyFile(MemoryFile file, ulong offset, long length, bool isOut, out long copied)
    {
        copied = 0;
        length = Math.Min(length, Remaining);
        while (copied < length)
        {
            long piece;
            long done;
            if (_memory is null)
            {
                nuint address = file.GetAddress(offset + (ulong)copied, (ulong)(length - copied), out ulong available);
                piece = (long)available;
                Span<byte> span = _kernel.Span.Slice(_kernelPosition, address == 0 ? 0 : (int)piece);
                done = address != 0 && (isOut ? SafeMemory.Read(address, span) : SafeMemory.Write(address, span)) ? piece : 0;
            }
            else
            {
                UserRange range = NextRange();
                piece = (long)Math.Min((ulong)(length - copied), range.Length);
                done = isOut ? _memory.CopyOutFrom(range.Address, file, offset + (ulong)copied, piece) : _memory.CopyInTo(range.Address, file, offset + (ulong)copied, piece);
            }

            copied += done;
            Advance(done);
            if (done < piece)
            {
                return Errno.EFAULT;
            }
        }

        return Errno.None;
    }

    private UserRange NextRange()
    {
        while (_current.Length == 0 && _ranges is not null && _next < _ranges.Length)
        {
            _current = _ranges[_next++];
        }

        return _current.Length <= (ulong)Remaining ? _current : new UserRange(_current.Address, (ulong)Remaining);
    }
}
