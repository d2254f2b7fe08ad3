// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Syscalls.Trace;

/// <summary>Prints struct utsname (uname(2)).</summary>
internal static class NameFormatter
{
    /// <summary>sizeof(struct utsname): six names.</summary>
    public const int Size = 6 * NameLength;

    private const int NameLength = 65;

    private static readonly string[] s_names = ["sysname", "nodename", "release", "version", "machine", "domainname"];

    /// <summary>Prints the six names.</summary>
    public static void Print(TraceWriter writer, ReadOnlySpan<byte> bytes)
    {
        writer.Text("{");
        for (int i = 0; i < s_names.Length; i++)
        {
            ReadOnlySpan<byte> name = bytes.Slice(i * NameLength, NameLength);
            int end = name.IndexOf((byte)0);
            writer.Text(i > 0 ? ", " : "").Text(s_names[i]).Text("=").Quoted(name[..(end < 0 ? NameLength : end)], isCut: false);
        }

        writer.Text("}");
    }
}
