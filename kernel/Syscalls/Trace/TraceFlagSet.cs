// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Syscalls.Trace;

/// <summary>A name for a value.</summary>
/// <param name="Name">The name.</param>
/// <param name="Value">The value.</param>
public readonly record struct TraceValue(string Name, ulong Value);

/// <summary>Named values: one of several under a mask, and bits or-ed to it.</summary>
public sealed class TraceFlagSet
{
    private readonly ulong _mask;
    private readonly bool _isOctal;
    private readonly string _zero;
    private readonly TraceValue[] _values;
    private readonly TraceValue[] _bits;

    /// <summary>A set; values are compared under <paramref name="mask"/>, a remainder is printed in octal or hexadecimal.</summary>
    public TraceFlagSet(ulong mask, bool isOctal, string zero, TraceValue[] values, TraceValue[] bits)
    {
        _mask = mask;
        _isOctal = isOctal;
        _zero = zero;
        _values = values;
        _bits = bits;
    }

    /// <summary>The name of <paramref name="value"/> among the values, or null.</summary>
    public string? NameOf(ulong value)
    {
        foreach (TraceValue candidate in _values)
        {
            if (candidate.Value == (value & _mask))
            {
                return candidate.Name;
            }
        }

        return null;
    }

    /// <summary>Prints <paramref name="value"/> as names joined by |, with a number for what has no name.</summary>
    public void Print(TraceWriter writer, ulong value)
    {
        ulong rest = value;
        bool any = false;
        if (_values.Length > 0 && NameOf(value) is string name)
        {
            writer.Text(name);
            any = true;
            rest &= ~_mask;
        }

        foreach (TraceValue bit in _bits)
        {
            if (bit.Value == 0 || (rest & bit.Value) != bit.Value)
            {
                continue;
            }

            writer.Text(any ? "|" : "").Text(bit.Name);
            any = true;
            rest &= ~bit.Value;
        }

        if (rest != 0)
        {
            writer.Text(any ? "|" : "");
            if (_isOctal)
            {
                writer.Octal(rest);
            }
            else
            {
                writer.Hex(rest);
            }
        }
        else if (!any)
        {
            writer.Text(_zero);
        }
    }
}
