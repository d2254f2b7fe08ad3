// SPDX-License-Identifier: Apache-2.0
using System.Globalization;

namespace CVisor.Runsc.Oci;

/// <summary>Signal names and numbers (signal(7), x86_64).</summary>
public static class SignalNames
{
    private static readonly string[] s_names =
    [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
        "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];

    private const int RtMin = 34, RtMax = 64;

    /// <summary>Parses "TERM", "SIGTERM", "sigterm", "15", "RTMIN+1" or "RTMAX-2"; -1 when it is none.</summary>
    public static int Parse(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number))
        {
            return number is >= 0 and <= RtMax ? number : -1;
        }

        string name = text.ToUpperInvariant();
        if (name.StartsWith("SIG", StringComparison.Ordinal))
        {
            name = name[3..];
        }

        int index = Array.IndexOf(s_names, name, 1);
        if (index > 0)
        {
            return index;
        }

        return name switch
        {
            "CLD" => 17,
            "IOT" => 6,
            "POLL" => 29,
            "RTMIN" => RtMin,
            "RTMAX" => RtMax,
            _ when name.StartsWith("RTMIN+", StringComparison.Ordinal) => Offset(name[6..], RtMin, 1),
            _ when name.StartsWith("RTMAX-", StringComparison.Ordinal) => Offset(name[6..], RtMax, -1),
            _ => -1,
        };
    }

    /// <summary>A signal for a person: "SIGKILL", or its number.</summary>
    public static string Name(int signal) =>
        signal > 0 && signal < s_names.Length ? "SIG" + s_names[signal] : signal.ToString(CultureInfo.InvariantCulture);

    private static int Offset(string text, int start, int direction) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int count) && count <= RtMax - RtMin ? start + (direction * count) : -1;
}
