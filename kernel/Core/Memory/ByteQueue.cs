// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;

namespace CVisor.Core.Memory;

/// <summary>Bytes on their way from a writer to a reader, in pooled pages. Not thread-safe: the owner has a lock.</summary>
/// <remarks>An empty queue keeps one page at most, so that a ping-pong costs no pool access; <see cref="Clear"/> gives that back too.</remarks>
public sealed class ByteQueue
{
    private const int PageBytes = PagePool.PageBytes;
    private byte[]?[] _pages = new byte[]?[4];
    private int _firstPage;
    private int _pageCount;
    private int _start;

    /// <summary>Bytes in the queue.</summary>
    public int Count { get; private set; }

    /// <summary>Appends what a buffer holds.</summary>
    /// <param name="source">Consumed from the front.</param>
    /// <param name="maximumBytes">The most to take; at least 0.</param>
    /// <param name="moved">How many bytes were taken.</param>
    /// <returns>None, or EFAULT when the buffer could not be read; what came before that is in the queue.</returns>
    [NoAlloc]
    public Errno Append(ref IoBuffer source, int maximumBytes, out int moved)
    {
        moved = 0;
        int length = (int)Math.Min(maximumBytes, source.Remaining);
        while (moved < length)
        {
            Span<byte> room = Room();
            Errno error = source.CopyIn(room[..Math.Min(room.Length, length - moved)], out int copied);
            moved += copied;
            Count += copied;
            if (error != Errno.None)
            {
                return error;
            }
        }

        return Errno.None;
    }

    /// <summary>Appends bytes.</summary>
    [NoAlloc]
    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            Span<byte> room = Room();
            int piece = Math.Min(room.Length, bytes.Length);
            bytes[..piece].CopyTo(room);
            Count += piece;
            bytes = bytes[piece..];
        }
    }

    /// <summary>Drops bytes from the back.</summary>
    public void Truncate(int count)
    {
        Count = Math.Min(Count, count);
        while (_pageCount > 1 && (_pageCount - 1) * PageBytes >= _start + Count)
        {
            _pageCount--;
            int last = (_firstPage + _pageCount) % _pages.Length;
            PagePool.Return(_pages[last]!);
            _pages[last] = null;
        }
    }

    /// <summary>Moves bytes from the front to a buffer.</summary>
    /// <param name="destination">Filled from its front.</param>
    /// <param name="maximumBytes">The most to move; at least 0.</param>
    /// <param name="moved">How many were moved.</param>
    /// <returns>None, or EFAULT.</returns>
    [NoAlloc]
    public Errno Take(ref IoBuffer destination, int maximumBytes, out int moved)
    {
        moved = 0;
        int length = (int)Math.Min(Math.Min(maximumBytes, Count), destination.Remaining);
        while (moved < length)
        {
            ReadOnlySpan<byte> data = Front(0);
            Errno error = destination.CopyOut(data[..Math.Min(data.Length, length - moved)], out int copied);
            moved += copied;
            Discard(copied);
            if (error != Errno.None)
            {
                return error;
            }
        }

        return Errno.None;
    }

    /// <summary>Copies bytes to a buffer and leaves them in the queue.</summary>
    /// <param name="destination">Filled from its front.</param>
    /// <param name="offset">How many bytes to pass over.</param>
    /// <param name="maximumBytes">The most to copy.</param>
    /// <param name="copied">How many were copied.</param>
    /// <returns>None, or EFAULT.</returns>
    public Errno Peek(ref IoBuffer destination, int offset, int maximumBytes, out int copied)
    {
        copied = 0;
        int length = (int)Math.Min(Math.Min(maximumBytes, Math.Max(0, Count - offset)), destination.Remaining);
        while (copied < length)
        {
            ReadOnlySpan<byte> data = Front(offset + copied);
            Errno error = destination.CopyOut(data[..Math.Min(data.Length, length - copied)], out int piece);
            copied += piece;
            if (error != Errno.None)
            {
                return error;
            }
        }

        return Errno.None;
    }

    /// <summary>The contiguous bytes at an offset from the front; empty at the end.</summary>
    public Memory<byte> FrontMemory(int offset)
    {
        if (offset >= Count)
        {
            return default;
        }

        int at = _start + offset;
        int within = at % PageBytes;
        return _pages[(_firstPage + (at / PageBytes)) % _pages.Length].AsMemory(within, Math.Min(PageBytes - within, Count - offset));
    }

    /// <summary>Room behind the last byte, at least one byte long; <see cref="Commit"/> says how much of it was filled.</summary>
    public Memory<byte> BackMemory()
    {
        _ = Room();
        int at = _start + Count;
        int within = at % PageBytes;
        return _pages[(_firstPage + (at / PageBytes)) % _pages.Length].AsMemory(within, PageBytes - within);
    }

    /// <summary>Bytes were stored in <see cref="BackMemory"/>.</summary>
    public void Commit(int bytes) => Count += bytes;

    /// <summary>Drops bytes from the front.</summary>
    [NoAlloc]
    public void Discard(int bytes)
    {
        bytes = Math.Min(bytes, Count);
        Count -= bytes;
        _start += bytes;
        while (_start >= PageBytes)
        {
            _start -= PageBytes;
            if (Count == 0 && _pageCount == 1)
            {
                break;
            }

            DropFirstPage();
        }

        if (Count == 0)
        {
            _start = 0;
            while (_pageCount > 1)
            {
                DropFirstPage();
            }
        }
    }

    /// <summary>Drops everything and gives all pages back.</summary>
    public void Clear()
    {
        Count = 0;
        _start = 0;
        while (_pageCount > 0)
        {
            DropFirstPage();
        }
    }

    private ReadOnlySpan<byte> Front(int offset)
    {
        int at = _start + offset;
        int within = at % PageBytes;
        return _pages[(_firstPage + (at / PageBytes)) % _pages.Length].AsSpan(within, Math.Min(PageBytes - within, Count - offset));
    }

    private Span<byte> Room()
    {
        int at = _start + Count;
        int page = at / PageBytes;
        if (page == _pageCount)
        {
            if (_pageCount == _pages.Length)
            {
                GrowTable();
            }

            _pages[(_firstPage + _pageCount) % _pages.Length] = PagePool.Rent();
            _pageCount++;
        }

        int within = at % PageBytes;
        return _pages[(_firstPage + page) % _pages.Length].AsSpan(within);
    }

    private void DropFirstPage()
    {
        PagePool.Return(_pages[_firstPage]!);
        _pages[_firstPage] = null;
        _firstPage = (_firstPage + 1) % _pages.Length;
        _pageCount--;
    }

    // Only while a queue grows to its working size.
    private void GrowTable()
    {
        byte[]?[] bigger = new byte[]?[_pages.Length * 2];
        for (int i = 0; i < _pageCount; i++)
        {
            bigger[i] = _pages[(_firstPage + i) % _pages.Length];
        }

        _pages = bigger;
        _firstPage = 0;
    }
}
