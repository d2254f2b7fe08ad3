// SPDX-License-Identifier: Apache-2.0
using System.Text;

namespace CVisor.Core.Vfs;

/// <summary>Names and paths are bytes to Linux. The kernel holds them as strings of one char a byte (Latin-1): nothing is lost, and ASCII literals just work.</summary>
public static class KernelString
{
    /// <summary>The string of these bytes.</summary>
    public static string FromBytes(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);

    /// <summary>The bytes of this string.</summary>
    public static byte[] ToBytes(string text) => Encoding.Latin1.GetBytes(text);

    /// <summary>Stores the bytes of this string; the destination must be long enough.</summary>
    /// <returns>The count in bytes.</returns>
    public static int ToBytes(string text, Span<byte> destination) => Encoding.Latin1.GetBytes(text, destination);

    /// <summary>The kernel's form of a text from outside (configuration, command line): its UTF-8 bytes.</summary>
    public static string FromText(string text) => FromBytes(Encoding.UTF8.GetBytes(text));

    /// <summary>The text of a kernel string, for people: its bytes read as UTF-8.</summary>
    public static string ToText(string text) => Encoding.UTF8.GetString(ToBytes(text));
}
