// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace CVisor.FileSystems.Terminals;

/// <summary>A terminal's settings: struct termios2 (asm-generic/termbits.h), of which struct termios is the front.</summary>
public struct Termios
{
    /// <summary>The size of struct termios in guest memory in bytes.</summary>
    public const int Size = 36;

    /// <summary>The size of struct termios2 in bytes.</summary>
    public const int Size2 = 44;

    /// <summary>The size of struct termio in bytes.</summary>
    public const int OldSize = 18;

    private const uint BaudMask = 0x100f, BaudOther = 0x1000;
    private const int InputBaudShift = 16;
    private static readonly uint[] s_lowSpeeds = [0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400];

    private static readonly uint[] s_highSpeeds =
        [0, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000];

    private Characters _characters;

    /// <summary>c_iflag.</summary>
    public InputModes Input;

    /// <summary>c_oflag.</summary>
    public OutputModes Output;

    /// <summary>c_cflag.</summary>
    public uint Control;

    /// <summary>c_lflag.</summary>
    public LocalModes Local;

    /// <summary>c_line.</summary>
    public byte Discipline;

    /// <summary>c_ispeed, in bits a second.</summary>
    public uint InputSpeed;

    /// <summary>c_ospeed, in bits a second.</summary>
    public uint OutputSpeed;

    /// <summary>What a new terminal has (tty_std_termios).</summary>
    public static Termios Default
    {
        get
        {
            Termios termios = new()
            {
                Input = InputModes.ReturnToNewline | InputModes.FlowControl,
                Output = OutputModes.Process | OutputModes.NewlineToBoth,
                Control = 0xbf, // B38400 | CS8 | CREAD
                Local = LocalModes.Signals | LocalModes.Canonical | LocalModes.Echo | LocalModes.EchoErase | LocalModes.EchoKill | LocalModes.EchoControl |
                    LocalModes.EchoKillErase | LocalModes.Extended,
                InputSpeed = 38400,
                OutputSpeed = 38400,
            };
            ((ReadOnlySpan<byte>)[3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0]).CopyTo(termios._characters);
            return termios;
        }
    }

    /// <summary>A control character; 0 (_POSIX_VDISABLE) when it has none.</summary>
    public byte this[ControlCharacter which]
    {
        readonly get => _characters[(int)which];
        set => _characters[(int)which] = value;
    }

    /// <summary>Whether lines are edited.</summary>
    public readonly bool IsCanonical => (Local & (LocalModes.Canonical | LocalModes.External)) == LocalModes.Canonical;

    /// <summary>Whether an input mode is on.</summary>
    public readonly bool Has(InputModes mode) => (Input & mode) != 0;

    /// <summary>Whether an output mode is on.</summary>
    public readonly bool Has(OutputModes mode) => (Output & mode) != 0;

    /// <summary>Whether a local mode is on.</summary>
    public readonly bool Has(LocalModes mode) => (Local & mode) != 0;

    /// <summary>Whether a byte is this control character.</summary>
    public readonly bool Is(byte c, ControlCharacter which) => c == _characters[(int)which] && c != 0;

    /// <summary>Stores struct termios or termios2, as long as the span.</summary>
    public readonly void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, (uint)Input);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], (uint)Output);
        BinaryPrimitives.WriteUInt32LittleEndian(to[8..], Control);
        BinaryPrimitives.WriteUInt32LittleEndian(to[12..], (uint)Local);
        to[16] = Discipline;
        ((ReadOnlySpan<byte>)_characters).CopyTo(to[17..]);
        if (to.Length >= Size2)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(to[36..], InputSpeed);
            BinaryPrimitives.WriteUInt32LittleEndian(to[40..], OutputSpeed);
        }
    }

    /// <summary>Takes struct termios or termios2, as long as the span. A pseudo-terminal has eight bits and no parity (pty_set_termios()).</summary>
    public void Read(ReadOnlySpan<byte> from)
    {
        Input = (InputModes)BinaryPrimitives.ReadUInt32LittleEndian(from);
        Output = (OutputModes)BinaryPrimitives.ReadUInt32LittleEndian(from[4..]);
        Control = BinaryPrimitives.ReadUInt32LittleEndian(from[8..]);
        Local = (LocalModes)BinaryPrimitives.ReadUInt32LittleEndian(from[12..]);
        Discipline = from[16];
        from.Slice(17, 19).CopyTo(_characters);
        if (from.Length >= Size2)
        {
            InputSpeed = BinaryPrimitives.ReadUInt32LittleEndian(from[36..]);
            OutputSpeed = BinaryPrimitives.ReadUInt32LittleEndian(from[40..]);
        }

        Settle();
    }

    /// <summary>Stores struct termio (TCGETA).</summary>
    public readonly void WriteOld(Span<byte> to)
    {
        to.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(to, unchecked((ushort)Input));
        BinaryPrimitives.WriteUInt16LittleEndian(to[2..], unchecked((ushort)Output));
        BinaryPrimitives.WriteUInt16LittleEndian(to[4..], unchecked((ushort)Control));
        BinaryPrimitives.WriteUInt16LittleEndian(to[6..], unchecked((ushort)Local));
        to[8] = Discipline;
        ((ReadOnlySpan<byte>)_characters)[..8].CopyTo(to[9..]);
    }

    /// <summary>Takes struct termio (TCSETA): the upper halves stay.</summary>
    public void ReadOld(ReadOnlySpan<byte> from)
    {
        Input = (InputModes)(((uint)Input & 0xffff0000) | BinaryPrimitives.ReadUInt16LittleEndian(from));
        Output = (OutputModes)(((uint)Output & 0xffff0000) | BinaryPrimitives.ReadUInt16LittleEndian(from[2..]));
        Control = (Control & 0xffff0000) | BinaryPrimitives.ReadUInt16LittleEndian(from[4..]);
        Local = (LocalModes)(((uint)Local & 0xffff0000) | BinaryPrimitives.ReadUInt16LittleEndian(from[6..]));
        Discipline = from[8];
        from.Slice(9, 8).CopyTo(_characters);
        Settle();
    }

    private void Settle()
    {
        const uint CharacterSize = 0x30, ParityEnable = 0x100, EightBits = 0x30, Receiver = 0x80;
        Control = (Control & ~(CharacterSize | ParityEnable)) | EightBits | Receiver;
        OutputSpeed = SpeedOf(Control & BaudMask, OutputSpeed);
        uint inputBaud = (Control >> InputBaudShift) & BaudMask;
        InputSpeed = inputBaud == 0 ? OutputSpeed : SpeedOf(inputBaud, InputSpeed);
    }

    private static uint SpeedOf(uint baud, uint other) => baud == BaudOther ? other : (baud & BaudOther) != 0 ? s_highSpeeds[baud & 0xf] : s_lowSpeeds[baud];

    [InlineArray(19)]
    private struct Characters
    {
        private byte _first;
    }
}
