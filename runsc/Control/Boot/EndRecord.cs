// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text;

namespace CVisor.Runsc.Control;

/// <summary>The container's exit status as it outlives the sandbox: a decimal number and a newline in a file that runsc opened.</summary>
public static class EndRecord
{
    /// <summary>Writes it, as the last thing a sandbox does; a full disk is borne.</summary>
    /// <param name="fd">The file, empty; -1 for none.</param>
    /// <param name="exitStatus">The exit code, or 128 + signal.</param>
    public static void Write(int fd, int exitStatus)
    {
        if (fd >= 0)
        {
            _ = HostIo.WriteAll(fd, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{exitStatus}\n")));
        }
    }

    /// <summary>Reads what was written; null when the sandbox did not come to write it.</summary>
    public static int? Parse(string text) =>
        text.EndsWith('\n') && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int status) ? status : null;
}
