// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using CVisor.Abi;
using CVisor.Core.Memory;

namespace CVisor.FileSystems.Tmpfs;

/// <summary>tmpfs's mount options as text (tmpfs(5)).</summary>
public static class TmpfsOptionText
{
    /// <summary>Reads options.</summary>
    /// <param name="text">Comma-separated; a guest's word.</param>
    /// <param name="totalBytes">What a percentage is of, and of what the default limit is half; 0 for no limit.</param>
    /// <param name="defaults">What holds where nothing is said.</param>
    /// <param name="options">The result.</param>
    /// <returns>None or EINVAL.</returns>
    public static Errno TryParse(string text, ulong totalBytes, TmpfsOptions defaults, out TmpfsOptions options)
    {
        options = defaults with { SizeLimitBytes = totalBytes / 2 };
        foreach (string option in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = option.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? option : option[..equals];
            string value = equals < 0 ? "" : option[(equals + 1)..];
            if (!TryApply(name, value, totalBytes, ref options))
            {
                return Errno.EINVAL;
            }
        }

        return Errno.None;
    }

    private static bool TryApply(string name, string value, ulong totalBytes, ref TmpfsOptions options)
    {
        ulong number;
        switch (name)
        {
            case "mode" when TryOctal(value, out uint mode):
                options = options with { RootMode = mode };
                return true;
            case "uid" when uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out uint uid):
                options = options with { RootUid = uid };
                return true;
            case "gid" when uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out uint gid):
                options = options with { RootGid = gid };
                return true;
            case "size" when TrySize(value, totalBytes, out number):
                options = options with { SizeLimitBytes = number, DefaultSizeBytes = 0 };
                return true;
            case "nr_blocks" when TrySize(value, 0, out number) && number <= ulong.MaxValue / MemoryManager.PageSize:
                options = options with { SizeLimitBytes = number * MemoryManager.PageSize, DefaultSizeBytes = 0 };
                return true;
            case "nr_inodes" when TrySize(value, 0, out number):
                options = options with { InodeLimit = number };
                return true;
            case "huge" or "mpol" or "inode32" or "inode64" or "noswap" or "defaults" or "usrquota" or "grpquota":
                return true; // Of no consequence here.
            default:
                return false;
        }
    }

    private static bool TryOctal(string value, out uint mode)
    {
        mode = 0;
        foreach (char digit in value)
        {
            if (digit is < '0' or > '7' || mode > 0xfff)
            {
                return false;
            }

            mode = (mode * 8) + digit - '0';
        }

        return value.Length > 0 && mode <= 0xfff;
    }

    private static bool TrySize(string value, ulong percentOf, out ulong size)
    {
        int shift = value.Length == 0 ? 0 : char.ToLowerInvariant(value[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, 't' => 40, _ => 0 };
        bool isPercentage = percentOf != 0 && value.EndsWith('%');
        string digits = shift != 0 || isPercentage ? value[..^1] : value;
        if (!ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out size) || size > (ulong)long.MaxValue >> shift || (isPercentage && size > 100))
        {
            return false;
        }

        size = isPercentage ? percentOf / 100 * size : size << shift;
        return true;
    }
}
