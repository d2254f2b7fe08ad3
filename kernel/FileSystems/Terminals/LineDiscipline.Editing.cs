// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Memory;

namespace CVisor.FileSystems.Terminals;

/// <content>Erasing, and what the typist sees.</content>
public sealed partial class LineDiscipline
{
    private const int MaximumEchoBytes = 4096;
    private readonly byte[] _expanded = new byte[MaximumExpansion];
    private bool _isErasing;

    /// <summary>Echo on its way to the screen. The terminal moves it to its output.</summary>
    public ByteQueue EchoOutput { get; } = new();

    /// <summary>Shows a byte, with the translations of output.</summary>
    private void Echo(byte c) => AppendEcho(_expanded.AsSpan(0, Translate(c, _expanded)));

    /// <summary>Shows a byte that was typed: a control character as ^X when ECHOCTL says so.</summary>
    private void EchoShown(byte c)
    {
        if (_termios.Has(LocalModes.EchoControl) && IsControl(c) && c != '\t')
        {
            AppendEcho([(byte)'^', (byte)(c ^ 0x40)]);
            _column += 2;
            return;
        }

        Echo(c);
    }

    // What nobody reads is lost, as when Linux's echo buffer runs over.
    private void AppendEcho(ReadOnlySpan<byte> bytes)
    {
        if (EchoOutput.Count + bytes.Length <= MaximumEchoBytes)
        {
            EchoOutput.Append(bytes);
        }
    }

    private void NoteLineStart()
    {
        if (_lineHead == _head)
        {
            _lineColumn = _column;
        }
    }

    private void FinishErasing()
    {
        if (_isErasing)
        {
            _isErasing = false;
            Echo((byte)'/');
        }
    }

    /// <summary>VERASE takes a character, VWERASE a word, VKILL the line.</summary>
    private void Erase(byte key)
    {
        if (_head == _lineHead)
        {
            return;
        }

        bool kills = _termios.Is(key, ControlCharacter.Kill);
        bool erasesWord = !kills && !_termios.Is(key, ControlCharacter.Erase);
        if (kills && !ErasesOnKill())
        {
            _head = _lineHead;
            if (_termios.Has(LocalModes.Echo))
            {
                FinishErasing();
                EchoShown(key);
                if (_termios.Has(LocalModes.EchoKill))
                {
                    Echo((byte)'\n');
                }
            }

            return;
        }

        bool hasSeenWord = false;
        while (_head != _lineHead)
        {
            long start = _head - 1;
            while (start > _lineHead && IsContinuation(_buffer[Place(start)]))
            {
                start--;
            }

            byte first = _buffer[Place(start)];
            bool isWord = char.IsAsciiLetterOrDigit((char)first) || first == '_';
            if (IsContinuation(first) || (erasesWord && hasSeenWord && !isWord))
            {
                break; // Half a character stays; so does what stands before the word.
            }

            hasSeenWord |= isWord;
            long end = _head;
            _head = start;
            if (_termios.Has(LocalModes.Echo))
            {
                ShowErased(first, start, end, key, isSingle: !kills && !erasesWord);
            }

            if (!kills && !erasesWord)
            {
                break;
            }
        }

        if (_head == _lineHead && _termios.Has(LocalModes.Echo))
        {
            FinishErasing();
        }
    }

    private bool ErasesOnKill()
    {
        const LocalModes All = LocalModes.Echo | LocalModes.EchoKill | LocalModes.EchoKillErase | LocalModes.EchoErase;
        return (_termios.Local & All) == All;
    }

    private void ShowErased(byte first, long start, long end, byte key, bool isSingle)
    {
        if (_termios.Has(LocalModes.EchoPrint))
        {
            if (!_isErasing)
            {
                Echo((byte)'\\');
                _isErasing = true;
            }

            EchoShown(first);
            for (long at = start + 1; at < end; at++)
            {
                Echo(_buffer[Place(at)]);
            }
        }
        else if (isSingle && !_termios.Has(LocalModes.EchoErase))
        {
            EchoShown(key);
        }
        else if (first == '\t')
        {
            BackOverTab();
        }
        else
        {
            int width = !IsControl(first) ? 1 : _termios.Has(LocalModes.EchoControl) ? 2 : 0;
            for (int i = 0; i < width; i++)
            {
                Echo((byte)'\b');
                Echo((byte)' ');
                Echo((byte)'\b');
            }
        }
    }

    /// <summary>Goes back as far as the tab went: the column before it follows from the bytes since the tab before, or since the line began.</summary>
    private void BackOverTab()
    {
        int column = 0;
        long at = _head;
        while (at > _lineHead && _buffer[Place(at - 1)] != '\t')
        {
            at--;
            byte c = _buffer[Place(at)];
            column += IsControl(c) ? (_termios.Has(LocalModes.EchoControl) ? 2 : 0) : IsContinuation(c) ? 0 : 1;
        }

        column += at == _lineHead ? _lineColumn : 0;
        for (int back = 8 - (column & 7); back > 0; back--)
        {
            Echo((byte)'\b');
        }
    }

    private bool IsContinuation(byte c) => _termios.Has(InputModes.Utf8) && (c & 0xc0) == 0x80;

    private static bool IsControl(byte c) => c is < 32 or 127;
}
