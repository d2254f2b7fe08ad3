// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using CVisor.Abi;

namespace CVisor.FileSystems.Terminals;

/// <summary>How a devpts is set up (mount options; Linux's Documentation/filesystems/devpts.rst).</summary>
public sealed record DevptsOptions
{
    /// <summary>Owner of slaves; null for whoever opens the master.</summary>
    public uint? Uid { get; init; }

    /// <summary>Group of slaves; null for that of whoever opens the master.</summary>
    public uint? Gid { get; init; }

    /// <summary>Permission bits of slaves.</summary>
    public uint Mode { get; init; } = 0x180;

    /// <summary>Permission bits of ptmx.</summary>
    public uint MasterMode { get; init; }

    /// <summary>The most terminals there may be.</summary>
    public int Maximum { get; init; } = 1 << 20;

    /// <summary>Reads mount options.</summary>
    /// <param name="text">Comma-separated; "newinstance" says what is so anyway.</param>
    /// <param name="options">The options.</param>
    /// <returns>None; EINVAL for one that is not known or has no such value.</returns>
    public static Errno TryParse(string text, out DevptsOptions options)
    {
        options = new DevptsOptions();
        foreach (string option in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            int sign = option.IndexOf('=', StringComparison.Ordinal);
            string value = option[(sign + 1)..];
            uint number = 0;
            bool isNumber = option.StartsWith("mode=", StringComparison.Ordinal) || option.StartsWith("ptmxmode=", StringComparison.Ordinal)
                ? TryParseOctal(value, out number)
                : uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out number);
            DevptsOptions? changed = (sign < 0 ? option : option[..sign]) switch
            {
                "newinstance" when sign < 0 => options,
                _ when !isNumber => null,
                "uid" => options with { Uid = number },
                "gid" => options with { Gid = number },
                "mode" => options with { Mode = number & 0x1ff },
                "ptmxmode" => options with { MasterMode = number & 0x1ff },
                "max" when number <= 1 << 20 => options with { Maximum = (int)number },
                _ => null,
            };
            if (changed is null)
            {
                return Errno.EINVAL;
            }

            options = changed;
        }

        return Errno.None;
    }

    private static bool TryParseOctal(string text, out uint number)
    {
        number = 0;
        foreach (char digit in text)
        {
            if (digit is < '0' or > '7' || number > 0xffff)
            {
                return false;
            }

            number = (number * 8) + digit - '0';
        }

        return text.Length > 0;
    }
}
