// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Terminals;

/// <summary>What stands between the keys and the programs of a terminal (N_TTY; termios(3)): lines and their editing, echo, signals, translation of output.</summary>
/// <remarks>
/// Not thread-safe: the terminal has a lock. Files: this one the input buffer and reading; LineDiscipline.Input.cs keys; LineDiscipline.Editing.cs erasing and echo;
/// LineDiscipline.Output.cs output.
/// </remarks>
public sealed partial class LineDiscipline
{
    /// <summary>The longest line, its end included, and the most that waits to be read, in bytes.</summary>
    public const int BufferBytes = 4096;

    private enum Mark : byte
    {
        None,
        LineEnd,
        EndOfFile,
    }

    // Positions only grow; a position's place is its value modulo the buffer's length. Complete lines lie between _tail and _lineHead.
    private readonly byte[] _buffer = new byte[BufferBytes];
    private readonly Mark[] _marks = new Mark[BufferBytes];
    private long _tail;
    private long _lineHead;
    private long _head;
    private Termios _termios = Termios.Default;

    /// <summary>The settings.</summary>
    public ref readonly Termios Settings => ref _termios;

    /// <summary>Bytes that wait to be read, those of an unfinished line included.</summary>
    public int PendingInput => (int)(_head - _tail);

    /// <summary>Whether another key can be taken. A line that fills the buffer still gets its end: the last byte makes room.</summary>
    public bool CanReceive => _head - _tail < BufferBytes - 1 || (_termios.IsCanonical && _lineHead == _tail);

    /// <summary>Changes the settings. Bytes that wait when lines begin to count make up a line (n_tty_set_termios()).</summary>
    public void Configure(in Termios settings)
    {
        bool wasCanonical = _termios.IsCanonical;
        _termios = settings;
        if (!settings.Has(InputModes.FlowControl))
        {
            IsStoppedByKey = false;
        }

        if (wasCanonical == settings.IsCanonical)
        {
            return;
        }

        Array.Clear(_marks);
        _lineHead = _tail;
        if (_head != _tail)
        {
            _marks[Place(_head - 1)] = Mark.LineEnd;
            _lineHead = _head;
        }

        _takesLiterally = false;
        _isErasing = false;
    }

    /// <summary>Whether a read has something to give.</summary>
    /// <param name="least">In raw mode: the least number of bytes.</param>
    public bool IsReadable(int least) => _termios.IsCanonical ? _lineHead != _tail : _head - _tail >= Math.Max(1, least);

    /// <summary>Bytes that a read could give now (FIONREAD).</summary>
    public int Available
    {
        get
        {
            if (!_termios.IsCanonical)
            {
                return PendingInput;
            }

            int count = 0;
            for (long at = _tail; at < _lineHead; at++)
            {
                count += _marks[Place(at)] == Mark.EndOfFile ? 0 : 1;
            }

            return count;
        }
    }

    /// <summary>Gives what waits: one line at most in canonical mode. The caller has seen that there is something.</summary>
    /// <returns>Bytes; 0 at the end of file; EFAULT.</returns>
    public IoResult Read(ref IoBuffer destination) => _termios.IsCanonical ? ReadLine(ref destination) : ReadRaw(ref destination);

    /// <summary>Drops all input.</summary>
    public void FlushInput()
    {
        Array.Clear(_marks);
        (_tail, _lineHead) = (_head, _head);
        _takesLiterally = false;
        _isErasing = false;
    }

    private IoResult ReadRaw(ref IoBuffer destination)
    {
        Errno error = CopyOut(ref destination, (int)Math.Min(PendingInput, destination.Remaining), out int copied);
        _lineHead = Math.Max(_lineHead, _tail);
        return copied > 0 || error == Errno.None ? copied : error;
    }

    private IoResult ReadLine(ref IoBuffer destination)
    {
        int wanted = (int)Math.Min(BufferBytes, destination.Remaining);
        int length = 0;
        bool endsLine = false;
        while (length < wanted && !endsLine && _tail + length < _lineHead && _marks[Place(_tail + length)] != Mark.EndOfFile)
        {
            endsLine = _marks[Place(_tail + length)] == Mark.LineEnd;
            length++;
        }

        Errno error = CopyOut(ref destination, length, out int copied);
        if (copied < length)
        {
            return copied > 0 ? copied : error;
        }

        // The end of file goes with what stands before it, also when that fills the reader's buffer exactly.
        if (!endsLine && _tail < _lineHead && _marks[Place(_tail)] == Mark.EndOfFile)
        {
            _marks[Place(_tail)] = Mark.None;
            _tail++;
        }

        return copied;
    }

    private Errno CopyOut(ref IoBuffer destination, int length, out int copied)
    {
        copied = 0;
        while (copied < length)
        {
            int place = Place(_tail);
            int piece = Math.Min(length - copied, BufferBytes - place);
            Errno error = destination.CopyOut(_buffer.AsSpan(place, piece), out int done);
            Array.Clear(_marks, place, done);
            _tail += done;
            copied += done;
            if (error != Errno.None)
            {
                return error;
            }
        }

        return Errno.None;
    }

    private void Store(byte c)
    {
        if (_head - _tail >= BufferBytes)
        {
            _head--;
        }

        _buffer[Place(_head)] = c;
        _marks[Place(_head)] = Mark.None;
        _head++;
    }

    private void EndLine(byte c, Mark mark)
    {
        Store(c);
        _marks[Place(_head - 1)] = mark;
        _lineHead = _head;
    }

    private static int Place(long position) => (int)(position & (BufferBytes - 1));
}
