// SPDX-License-Identifier: Apache-2.0
namespace CVisor.FileSystems.Terminals;

/// <content>Output.</content>
public sealed partial class LineDiscipline
{
    /// <summary>The most bytes that one byte becomes (a tab).</summary>
    public const int MaximumExpansion = 8;

    private int _column;
    private int _lineColumn;

    /// <summary>Whether a key asked to drop output that nobody has read; the terminal does so and clears this.</summary>
    public bool FlushesOutput { get; set; }

    /// <summary>Whether output goes through as it is.</summary>
    public bool IsOutputRaw => !_termios.Has(OutputModes.Process);

    /// <summary>Translates a byte of output (OPOST).</summary>
    /// <param name="c">The byte.</param>
    /// <param name="to">Receives up to <see cref="MaximumExpansion"/> bytes.</param>
    /// <returns>How many.</returns>
    public int Translate(byte c, Span<byte> to)
    {
        to[0] = c;
        ref readonly Termios t = ref _termios;
        if (!t.Has(OutputModes.Process))
        {
            return 1;
        }

        switch (c)
        {
            case (byte)'\n':
                if (t.Has(OutputModes.NewlineToBoth))
                {
                    (_column, _lineColumn) = (0, 0);
                    to[0] = (byte)'\r';
                    to[1] = (byte)'\n';
                    return 2;
                }

                _column = t.Has(OutputModes.NewlineReturns) ? 0 : _column;
                _lineColumn = _column;
                return 1;
            case (byte)'\r':
                return TranslateReturn(to);
            case (byte)'\t':
                int spaces = 8 - (_column & 7);
                _column = unchecked(_column + spaces) & int.MaxValue;
                if ((t.Output & OutputModes.ExpandTabs) != OutputModes.ExpandTabs)
                {
                    return 1;
                }

                to[..spaces].Fill((byte)' ');
                return spaces;
            case (byte)'\b':
                _column -= _column > 0 ? 1 : 0;
                return 1;
            default:
                if (!IsControl(c))
                {
                    to[0] = t.Has(OutputModes.ToUpper) && c is >= (byte)'a' and <= (byte)'z' ? (byte)(c - 32) : c;
                    _column = IsContinuation(c) ? _column : unchecked(_column + 1) & int.MaxValue;
                }

                return 1;
        }
    }

    private int TranslateReturn(Span<byte> to)
    {
        if (_termios.Has(OutputModes.NoReturnAtStart) && _column == 0)
        {
            return 0;
        }

        bool becomesNewline = _termios.Has(OutputModes.ReturnToNewline);
        to[0] = becomesNewline ? (byte)'\n' : (byte)'\r';
        if (!becomesNewline || _termios.Has(OutputModes.NewlineReturns))
        {
            (_column, _lineColumn) = (0, 0);
        }

        return 1;
    }
}
