// SPDX-License-Identifier: Apache-2.0
using System.Text;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Terminals;

namespace CVisor.FileSystems.Tests;

public sealed class LineDisciplineTests
{
    private readonly LineDiscipline _line = new();

    [Theory]
    [InlineData("abc\n", "abc\n", "abc\r\n")]
    [InlineData("abc\r", "abc\n", "abc\r\n")]
    [InlineData("ab\x7f\n", "a\n", "ab\b \b\r\n")]
    [InlineData("\x7f\x7fz\n", "z\n", "z\r\n")]
    [InlineData("one two\x17\n", "one \n", "one two\b \b\b \b\b \b\r\n")]
    [InlineData("gone\x15kept\n", "kept\n", "gone\b \b\b \b\b \b\b \bkept\r\n")]
    [InlineData("\x01\n", "\x01\n", "^A\r\n")]
    [InlineData("\x01\x7f\n", "\n", "^A\b \b\b \b\r\n")]
    [InlineData("\x16\x03\n", "\x03\n", "^\b^C\r\n")]
    [InlineData("ab\x12\n", "ab\n", "ab^R\r\nab\r\n")]
    [InlineData("half\x04", "half", "half")]
    public void A_line_is_edited_and_echoed(string keys, string read, string echo)
    {
        Press(keys).ShouldBe(0);
        Read(100).ShouldBe(read);
        Echo().ShouldBe(echo);
    }

    [Theory]
    [InlineData("ab\t", 6)]
    [InlineData("abcdefg\t", 1)]
    [InlineData("a\tb\t", 7)]
    [InlineData("\x01\t", 6)]
    public void Erasing_a_tab_goes_back_as_far_as_the_tab_went(string keys, int columns)
    {
        Press(keys);
        Echo();
        Press("\x7f");
        Echo().ShouldBe(new string('\b', columns));
    }

    [Fact]
    public void Half_a_line_is_not_readable()
    {
        Press("part");
        _line.IsReadable(1).ShouldBeFalse();
        _line.Available.ShouldBe(0);
        _line.PendingInput.ShouldBe(4);
        Press("\n");
        _line.Available.ShouldBe(5);
    }

    [Fact]
    public void The_end_of_file_reads_as_nothing_and_counts_as_nothing()
    {
        Press("\x04");
        _line.IsReadable(1).ShouldBeTrue();
        _line.Available.ShouldBe(0);
        Read(10).ShouldBe("");
        _line.IsReadable(1).ShouldBeFalse();
    }

    [Fact]
    public void Text_that_fills_the_reader_s_buffer_takes_the_end_of_file_along()
    {
        Press("abcd\x04next\n");
        Read(4).ShouldBe("abcd");
        Read(10).ShouldBe("next\n");
    }

    [Theory]
    [InlineData('\x03', SignalNumber.SIGINT)]
    [InlineData('\x1c', SignalNumber.SIGQUIT)]
    [InlineData('\x1a', SignalNumber.SIGTSTP)]
    public void Keys_send_signals_and_drop_what_was_typed(char key, int signal)
    {
        Press("typed");
        Echo();
        Press(key.ToString()).ShouldBe(signal);
        _line.PendingInput.ShouldBe(0);
        _line.FlushesOutput.ShouldBeTrue();
        Echo().ShouldBe("^" + (char)(key ^ 0x40));
    }

    [Fact]
    public void With_noflsh_what_was_typed_stays()
    {
        Change((ref Termios t) => t.Local |= LocalModes.NoFlush);
        Press("typed\x03\n").ShouldBe(SignalNumber.SIGINT);
        Read(10).ShouldBe("typed\n");
        _line.FlushesOutput.ShouldBeFalse();
    }

    [Fact]
    public void In_raw_mode_bytes_are_bytes()
    {
        Change((ref Termios t) => (t.Local, t.Input, t.Output) = (0, 0, 0));
        Press("a\x03\r\x7f\x04").ShouldBe(0);
        _line.IsReadable(5).ShouldBeTrue();
        _line.IsReadable(6).ShouldBeFalse();
        Read(3).ShouldBe("a\x03\r");
        Read(10).ShouldBe("\x7f\x04");
        Echo().ShouldBe("");
    }

    [Fact]
    public void Waiting_bytes_become_a_line_when_lines_begin_to_count()
    {
        Change((ref Termios t) => t.Local &= ~LocalModes.Canonical);
        Press("abc");
        Change((ref Termios t) => t.Local |= LocalModes.Canonical);
        _line.IsReadable(1).ShouldBeTrue();
        Read(10).ShouldBe("abc");
    }

    [Fact]
    public void A_full_line_still_takes_its_end()
    {
        Change((ref Termios t) => t.Local &= ~LocalModes.Echo);
        Press(new string('x', 10_000) + "\n");
        _line.CanReceive.ShouldBeFalse();
        Read(10_000).ShouldBe(new string('x', LineDiscipline.BufferBytes - 1) + "\n");
        _line.CanReceive.ShouldBeTrue();
    }

    [Fact]
    public void Output_stops_and_starts_by_keys()
    {
        Press("\x13");
        _line.IsStopped.ShouldBeTrue();
        Press("x");
        _line.IsStopped.ShouldBeTrue();
        Press("\x11");
        _line.IsStopped.ShouldBeFalse();
        Change((ref Termios t) => t.Input |= InputModes.AnyStarts);
        Press("\x13x");
        _line.IsStopped.ShouldBeFalse();
    }

    [Fact]
    public void Utf8_characters_are_erased_whole()
    {
        Change((ref Termios t) => t.Input |= InputModes.Utf8);
        Press("a\u00c3\u00a4\x7f\n");
        Read(10).ShouldBe("a\n");
        Echo().ShouldBe("a\u00c3\u00a4\b \b\r\n");
    }

    [Theory]
    [InlineData(OutputModes.Process | OutputModes.NewlineToBoth, "a\nb", "a\r\nb")]
    [InlineData(OutputModes.Process | OutputModes.ReturnToNewline, "a\rb", "a\nb")]
    [InlineData(OutputModes.Process | OutputModes.NoReturnAtStart, "\ra\r", "a\r")]
    [InlineData(OutputModes.Process | OutputModes.ExpandTabs, "ab\tc\t", "ab      c       ")]
    [InlineData(OutputModes.Process | OutputModes.ToUpper, "aZ1", "AZ1")]
    [InlineData((OutputModes)0, "a\n\t", "a\n\t")]
    public void Output_is_translated(OutputModes modes, string written, string shown)
    {
        Change((ref Termios t) => t.Output = modes);
        StringBuilder text = new();
        Span<byte> bytes = stackalloc byte[LineDiscipline.MaximumExpansion];
        foreach (char c in written)
        {
            text.Append(Encoding.Latin1.GetString(bytes[.._line.Translate((byte)c, bytes)]));
        }

        text.ToString().ShouldBe(shown);
    }

    [Fact]
    public void Settings_survive_a_round_trip()
    {
        byte[] bytes = new byte[Termios.Size2];
        Termios.Default.Write(bytes);
        Termios read = default;
        read.Read(bytes);
        byte[] again = new byte[Termios.Size2];
        read.Write(again);
        again.ShouldBe(bytes);
        read.OutputSpeed.ShouldBe(38400u);
    }

    private delegate void Changer(ref Termios settings);

    private void Change(Changer change)
    {
        Termios settings = _line.Settings;
        change(ref settings);
        _line.Configure(settings);
    }

    private int Press(string keys)
    {
        int signal = 0;
        foreach (char key in keys)
        {
            if (_line.CanReceive)
            {
                signal = Math.Max(signal, _line.Receive((byte)key));
            }
        }

        return signal;
    }

    private string Read(int length)
    {
        byte[] bytes = new byte[length];
        IoBuffer buffer = new(bytes.AsMemory());
        IoResult read = _line.Read(ref buffer);
        read.IsError.ShouldBeFalse();
        return Encoding.Latin1.GetString(bytes, 0, (int)read.Count);
    }

    private string Echo()
    {
        StringBuilder text = new();
        while (_line.EchoOutput.Count > 0)
        {
            ReadOnlySpan<byte> bytes = _line.EchoOutput.FrontMemory(0).Span;
            text.Append(Encoding.Latin1.GetString(bytes));
            _line.EchoOutput.Discard(bytes.Length);
        }

        return text.ToString();
    }
}
