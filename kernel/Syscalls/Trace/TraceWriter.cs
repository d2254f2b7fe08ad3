// SPDX-License-Identifier: Apache-2.0
using System.Globalization;

namespace CVisor.Syscalls.Trace;

/// <summary>Builds one line of a trace. Not thread safe: each worker has its own.</summary>
public sealed class TraceWriter
{
    private const int InitialLength = 512;

    private char[] _text = new char[InitialLength];
    private int _length;

    /// <summary>A writer that shows at most <paramref name="logSize"/> bytes of a string or buffer (gVisor's strace-log-size).</summary>
    public TraceWriter(int logSize) => LogSize = Math.Max(logSize, 0);

    /// <summary>The most bytes of one string or buffer that are shown.</summary>
    public int LogSize { get; }

    /// <summary>The line so far.</summary>
    public ReadOnlySpan<char> Line => _text.AsSpan(0, _length);

    /// <summary>Starts a new line.</summary>
    public void Clear() => _length = 0;

    /// <summary>Appends <paramref name="text"/>.</summary>
    public TraceWriter Text(ReadOnlySpan<char> text)
    {
        Reserve(text.Length);
        text.CopyTo(_text.AsSpan(_length));
        _length += text.Length;
        return this;
    }

    /// <summary>Appends a decimal.</summary>
    public TraceWriter Decimal(long value)
    {
        Reserve(20);
        value.TryFormat(_text.AsSpan(_length), out int written, default, CultureInfo.InvariantCulture);
        _length += written;
        return this;
    }

    /// <summary>Appends an unsigned decimal.</summary>
    public TraceWriter Decimal(ulong value)
    {
        Reserve(20);
        value.TryFormat(_text.AsSpan(_length), out int written, default, CultureInfo.InvariantCulture);
        _length += written;
        return this;
    }

    /// <summary>Appends 0x and the value in hexadecimal.</summary>
    public TraceWriter Hex(ulong value)
    {
        Text("0x");
        Reserve(16);
        value.TryFormat(_text.AsSpan(_length), out int written, "x", CultureInfo.InvariantCulture);
        _length += written;
        return this;
    }

    /// <summary>Appends 0o and the value in octal.</summary>
    public TraceWriter Octal(ulong value)
    {
        Span<char> digits = stackalloc char[22];
        int first = digits.Length;
        do
        {
            digits[--first] = (char)('0' + (int)(value & 7));
            value >>= 3;
        }
        while (value != 0);

        return Text("0o").Text(digits[first..]);
    }

    /// <summary>Appends bytes as a C string literal; <paramref name="isCut"/> adds the mark of a cut.</summary>
    public TraceWriter Quoted(ReadOnlySpan<byte> bytes, bool isCut)
    {
        Text("\"");
        foreach (byte b in bytes)
        {
            Reserve(4);
            switch (b)
            {
                case (byte)'"':
                    Text("\\\"");
                    break;
                case (byte)'\\':
                    Text("\\\\");
                    break;
                case (byte)'\n':
                    Text("\\n");
                    break;
                case (byte)'\r':
                    Text("\\r");
                    break;
                case (byte)'\t':
                    Text("\\t");
                    break;
                case >= 0x20 and < 0x7f:
                    _text[_length++] = (char)b;
                    break;
                default:
                    Text("\\x");
                    _text[_length++] = HexDigit(b >> 4);
                    _text[_length++] = HexDigit(b & 15);
                    break;
            }
        }

        return Text(isCut ? "\"..." : "\"");
    }

    private static char HexDigit(int value) => (char)(value < 10 ? '0' + value : 'a' + value - 10);

    private void Reserve(int count)
    {
        if (_length + count > _text.Length)
        {
            Array.Resize(ref _text, Math.Max(_text.Length * 2, _length + count));
        }
    }
}
