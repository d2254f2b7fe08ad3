// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Gofer.Protocol;

/// <summary>Counted strings as they travel.</summary>
/// <param name="count">How many there are.</param>
/// <param name="bytes">Each as a 16-bit length and its bytes.</param>
public readonly ref struct StringList(int count, ReadOnlySpan<byte> bytes)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>How many there are.</summary>
    public int Count { get; } = count;

    /// <summary>The size on the wire in bytes.</summary>
    public int WireLength => sizeof(ushort) + _bytes.Length;

    /// <summary>Makes a list of Latin-1 strings.</summary>
    /// <param name="values">The strings.</param>
    /// <param name="scratch">Room for two bytes and the length of each; the list lives there.</param>
    public static StringList Of(ReadOnlySpan<string> values, Span<byte> scratch)
    {
        WireWriter writer = new(scratch);
        foreach (string value in values)
        {
            writer.Latin1(value);
        }

        return new StringList(values.Length, scratch[..writer.Length]);
    }

    /// <summary>Reads at most so many of at most so many bytes; a fault is kept by the reader.</summary>
    public static StringList Read(scoped ref WireReader reader, int maximum, int maximumLength)
    {
        int count = reader.Count(maximum);
        ReadOnlySpan<byte> all = reader.Rest;
        for (int i = 0; i < count; i++)
        {
            _ = reader.String(maximumLength);
        }

        return reader.Failed ? default : new StringList(count, all[..(all.Length - reader.Remaining)]);
    }

    /// <summary>Writes them.</summary>
    public void Write(ref WireWriter writer)
    {
        writer.U16((ushort)Count);
        writer.Raw(_bytes);
    }

    /// <summary>Goes through them.</summary>
    public Enumerator GetEnumerator() => new(_bytes);

    /// <summary>Goes through a list.</summary>
    public ref struct Enumerator
    {
        private WireReader _reader;

        internal Enumerator(ReadOnlySpan<byte> bytes) => _reader = new WireReader(bytes);

        /// <summary>The string's bytes.</summary>
        public ReadOnlySpan<byte> Current { get; private set; }

        /// <summary>Goes to the next.</summary>
        public bool MoveNext()
        {
            if (_reader.Remaining == 0)
            {
                return false;
            }

            Current = _reader.String(ushort.MaxValue);
            return !_reader.Failed;
        }
    }
}
