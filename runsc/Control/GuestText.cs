// SPDX-License-Identifier: Apache-2.0
using System.Text;

namespace CVisor.Runsc.Control;

/// <summary>
/// Conversions of the guest's strings. Linux paths and arguments are bytes; inside the sandbox they are C# strings with
/// one char (0-255) a byte. JSON and the terminal speak UTF-8.
/// </summary>
public static class GuestText
{
    /// <summary>Turns ordinary text into a guest string: its UTF-8 bytes, one char each.</summary>
    public static string FromText(string text) =>
        System.Text.Ascii.IsValid(text) ? text : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    /// <summary>Turns each of some texts into a guest string.</summary>
    public static string[] FromText(string[] texts) => Array.ConvertAll(texts, FromText);

    /// <summary>Turns a guest string into text for people; bytes that are no UTF-8 become U+FFFD.</summary>
    public static string ToText(string guest) =>
        System.Text.Ascii.IsValid(guest) ? guest : Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(guest));

    /// <summary>The bytes of a guest string, with a NUL at the end.</summary>
    public static byte[] ToBytes(string guest)
    {
        byte[] bytes = new byte[guest.Length + 1];
        _ = Encoding.Latin1.GetBytes(guest, bytes);
        return bytes;
    }
}
