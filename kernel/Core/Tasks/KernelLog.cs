// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text;

namespace CVisor.Core.Tasks;

/// <summary>What dmesg(1) shows: the start of a kernel that has no hardware to speak of.</summary>
public sealed class KernelLog
{
    private static readonly string[] s_lines =
    [
        "Starting gVisor...",
        "Counting the processors that are really somebody else's...",
        "Teaching system calls to knock before entering...",
        "Checking that no device answers...",
        "Mounting the world read-only, just in case...",
        "Setting the clocks to whatever the host believes...",
        "Handing out process ids, beginning with 1...",
        "Ready.",
    ];

    private readonly string _text;

    /// <summary>Makes the log; the times between its lines differ from start to start.</summary>
    public KernelLog()
    {
        StringBuilder text = new();
        double seconds = 0;
        foreach (string line in s_lines)
        {
            _ = text.Append(CultureInfo.InvariantCulture, $"<6>[{seconds,12:F6}] {line}\n");
            seconds += 0.02 + (Random.Shared.NextDouble() * 0.4);
        }

        _text = text.ToString();
    }

    /// <summary>The size of the buffer in bytes (SYSLOG_ACTION_SIZE_BUFFER).</summary>
    public static int BufferBytes => 1 << 14;

    /// <summary>The last bytes of the log, whole lines with priorities.</summary>
    /// <param name="maximumBytes">How many at most.</param>
    public byte[] Read(int maximumBytes)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(_text);
        return bytes.Length <= maximumBytes ? bytes : bytes[^maximumBytes..];
    }
}
