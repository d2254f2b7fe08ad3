// SPDX-License-Identifier: Apache-2.0
namespace CVisor.FileSystems.Terminals;

/// <summary>c_iflag (termios(3)).</summary>
[Flags]
public enum InputModes : uint
{
    /// <summary>ISTRIP: clear the eighth bit.</summary>
    Strip = 0x20,

    /// <summary>INLCR: newline becomes carriage return.</summary>
    NewlineToReturn = 0x40,

    /// <summary>IGNCR: carriage returns are dropped.</summary>
    IgnoreReturn = 0x80,

    /// <summary>ICRNL: carriage return becomes newline.</summary>
    ReturnToNewline = 0x100,

    /// <summary>IUCLC: upper case becomes lower case.</summary>
    ToLower = 0x200,

    /// <summary>IXON: VSTOP and VSTART stop and start output.</summary>
    FlowControl = 0x400,

    /// <summary>IXANY: any character starts output.</summary>
    AnyStarts = 0x800,

    /// <summary>IUTF8: erase whole characters.</summary>
    Utf8 = 0x4000,
}

/// <summary>c_oflag.</summary>
[Flags]
public enum OutputModes : uint
{
    /// <summary>OPOST: the others count.</summary>
    Process = 1,

    /// <summary>OLCUC: lower case becomes upper case.</summary>
    ToUpper = 2,

    /// <summary>ONLCR: newline becomes carriage return and newline.</summary>
    NewlineToBoth = 4,

    /// <summary>OCRNL: carriage return becomes newline.</summary>
    ReturnToNewline = 8,

    /// <summary>ONOCR: no carriage return in column 0.</summary>
    NoReturnAtStart = 0x10,

    /// <summary>ONLRET: newline returns the carriage.</summary>
    NewlineReturns = 0x20,

    /// <summary>XTABS: tabs become spaces.</summary>
    ExpandTabs = 0x1800,
}

/// <summary>c_lflag.</summary>
[Flags]
public enum LocalModes : uint
{
    /// <summary>ISIG.</summary>
    Signals = 1,

    /// <summary>ICANON: line by line.</summary>
    Canonical = 2,

    /// <summary>ECHO.</summary>
    Echo = 8,

    /// <summary>ECHOE: erasing shows.</summary>
    EchoErase = 0x10,

    /// <summary>ECHOK: a newline after VKILL.</summary>
    EchoKill = 0x20,

    /// <summary>ECHONL: newlines are echoed without ECHO too.</summary>
    EchoNewline = 0x40,

    /// <summary>NOFLSH: signals leave input and output alone.</summary>
    NoFlush = 0x80,

    /// <summary>TOSTOP: writing in the background stops.</summary>
    StopBackgroundOutput = 0x100,

    /// <summary>ECHOCTL: control characters show as ^X.</summary>
    EchoControl = 0x200,

    /// <summary>ECHOPRT: erased characters are printed.</summary>
    EchoPrint = 0x400,

    /// <summary>ECHOKE: VKILL erases the line on the screen.</summary>
    EchoKillErase = 0x800,

    /// <summary>IEXTEN.</summary>
    Extended = 0x8000,

    /// <summary>EXTPROC: somebody else edits lines.</summary>
    External = 0x10000,
}

/// <summary>Indices of c_cc.</summary>
public enum ControlCharacter
{
    /// <summary>VINTR.</summary>
    Interrupt = 0,

    /// <summary>VQUIT.</summary>
    Quit = 1,

    /// <summary>VERASE.</summary>
    Erase = 2,

    /// <summary>VKILL.</summary>
    Kill = 3,

    /// <summary>VEOF.</summary>
    EndOfFile = 4,

    /// <summary>VTIME, in tenths of a second.</summary>
    Time = 5,

    /// <summary>VMIN.</summary>
    Minimum = 6,

    /// <summary>VSTART.</summary>
    Start = 8,

    /// <summary>VSTOP.</summary>
    Stop = 9,

    /// <summary>VSUSP.</summary>
    Suspend = 10,

    /// <summary>VEOL.</summary>
    EndOfLine = 11,

    /// <summary>VREPRINT.</summary>
    Reprint = 12,

    /// <summary>VWERASE.</summary>
    WordErase = 14,

    /// <summary>VLNEXT.</summary>
    LiteralNext = 15,

    /// <summary>VEOL2.</summary>
    EndOfLine2 = 16,
}
