// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;

namespace CVisor.FileSystems.Terminals;

/// <content>Keys.</content>
public sealed partial class LineDiscipline
{
    private bool _takesLiterally;

    /// <summary>Whether VSTOP has stopped output; VSTART, or with IXANY any key, starts it again.</summary>
    public bool IsStoppedByKey { get; private set; }

    /// <summary>Whether tcflow(3) has stopped output.</summary>
    public bool IsStoppedByCall { get; private set; }

    /// <summary>Whether output stands still.</summary>
    public bool IsStopped => IsStoppedByKey || IsStoppedByCall;

    /// <summary>Stops or starts output (TCXONC).</summary>
    public void SetStoppedByCall(bool isStopped)
    {
        IsStoppedByCall = isStopped;
        IsStoppedByKey &= isStopped;
    }

    /// <summary>Takes one key.</summary>
    /// <param name="c">The byte; <see cref="CanReceive"/> held.</param>
    /// <returns>The signal for the foreground process group, or 0.</returns>
    public int Receive(byte c)
    {
        ref readonly Termios t = ref _termios;
        c = t.Has(InputModes.Strip) ? (byte)(c & 0x7f) : c;
        c = t.Has(InputModes.ToLower) && t.Has(LocalModes.Extended) && c is >= (byte)'A' and <= (byte)'Z' ? (byte)(c + 32) : c;
        if (t.Has(LocalModes.External))
        {
            Store(c);
            return 0;
        }

        if (_takesLiterally)
        {
            _takesLiterally = false;
            ReceiveOrdinary(c);
            return 0;
        }

        if (t.Has(InputModes.FlowControl) && (t.Is(c, ControlCharacter.Start) || t.Is(c, ControlCharacter.Stop)))
        {
            IsStoppedByKey = !t.Is(c, ControlCharacter.Start);
            IsStoppedByCall &= IsStoppedByKey;
            return 0;
        }

        int signal = !t.Has(LocalModes.Signals) ? 0
            : t.Is(c, ControlCharacter.Interrupt) ? SignalNumber.SIGINT
            : t.Is(c, ControlCharacter.Quit) ? SignalNumber.SIGQUIT
            : t.Is(c, ControlCharacter.Suspend) ? SignalNumber.SIGTSTP : 0;
        if (signal != 0)
        {
            ReceiveSignal(c);
            return signal;
        }

        IsStoppedByKey &= !(t.Has(InputModes.FlowControl) && t.Has(InputModes.AnyStarts));
        if (c == '\r')
        {
            if (t.Has(InputModes.IgnoreReturn))
            {
                return 0;
            }

            c = t.Has(InputModes.ReturnToNewline) ? (byte)'\n' : c;
        }
        else if (c == '\n' && t.Has(InputModes.NewlineToReturn))
        {
            c = (byte)'\r';
        }

        if (!t.Has(LocalModes.Canonical) || !ReceiveEditing(c))
        {
            ReceiveOrdinary(c);
        }

        return 0;
    }

    /// <summary>A key that interrupts drops what was typed and what was about to be shown (unless NOFLSH), and starts output again.</summary>
    private void ReceiveSignal(byte c)
    {
        if (!_termios.Has(LocalModes.NoFlush))
        {
            FlushInput();
            EchoOutput.Clear();
            FlushesOutput = true;
        }

        IsStoppedByKey &= !_termios.Has(InputModes.FlowControl);
        if (_termios.Has(LocalModes.Echo))
        {
            EchoShown(c);
        }
    }

    /// <summary>Keys that edit or end a line; false for all others.</summary>
    private bool ReceiveEditing(byte c)
    {
        ref readonly Termios t = ref _termios;
        bool isExtended = t.Has(LocalModes.Extended);
        if (t.Is(c, ControlCharacter.Erase) || t.Is(c, ControlCharacter.Kill) || (isExtended && t.Is(c, ControlCharacter.WordErase)))
        {
            Erase(c);
            return true;
        }

        if (isExtended && t.Is(c, ControlCharacter.LiteralNext))
        {
            _takesLiterally = true;
            if (t.Has(LocalModes.Echo))
            {
                FinishErasing();
                if (t.Has(LocalModes.EchoControl))
                {
                    Echo((byte)'^');
                    Echo((byte)'\b');
                }
            }

            return true;
        }

        if (isExtended && t.Has(LocalModes.Echo) && t.Is(c, ControlCharacter.Reprint))
        {
            FinishErasing();
            EchoShown(c);
            Echo((byte)'\n');
            for (long at = _lineHead; at < _head; at++)
            {
                EchoShown(_buffer[Place(at)]);
            }

            return true;
        }

        if (c == '\n')
        {
            if (t.Has(LocalModes.Echo) || t.Has(LocalModes.EchoNewline))
            {
                Echo((byte)'\n');
            }

            EndLine(c, Mark.LineEnd);
            return true;
        }

        if (t.Is(c, ControlCharacter.EndOfFile))
        {
            EndLine(0, Mark.EndOfFile);
            return true;
        }

        if (t.Is(c, ControlCharacter.EndOfLine) || (isExtended && t.Is(c, ControlCharacter.EndOfLine2)))
        {
            if (t.Has(LocalModes.Echo))
            {
                NoteLineStart();
                EchoShown(c);
            }

            EndLine(c, Mark.LineEnd);
            return true;
        }

        return false;
    }

    private void ReceiveOrdinary(byte c)
    {
        if (_termios.Has(LocalModes.Echo))
        {
            FinishErasing();
            NoteLineStart();
            if (c == '\n')
            {
                Echo(c);
            }
            else
            {
                EchoShown(c);
            }
        }

        Store(c);
    }
}
