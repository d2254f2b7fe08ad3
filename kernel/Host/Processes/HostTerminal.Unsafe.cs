// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

/// <summary>What the command line asks of the host's terminals (ioctl_tty(2)).</summary>
public static unsafe class HostTerminal
{
    private const uint TiocGptn = 0x80045430, TiocSptlck = 0x40045431, TiocSwinsz = 0x5414, Tcgets = 0x5401;

    /// <summary>Unlocks the slave of a master; the value is its number under /dev/pts.</summary>
    [HostCall("ioctl")]
    public static HostResult Unlock(int master)
    {
        int number = 0;

        // SAFETY: both requests read or write one int, which lives to the end of the call.
        HostResult result = HostCalls.Ioctl(master, TiocSptlck, (nuint)(&number));
        if (result.IsError)
        {
            return result;
        }

        result = HostCalls.Ioctl(master, TiocGptn, (nuint)(&number));
        return result.IsError ? result : new HostResult(number);
    }

    /// <summary>Sets a terminal's size in characters.</summary>
    [HostCall("ioctl")]
    public static HostResult SetSize(int terminal, ushort columns, ushort rows)
    {
        // SAFETY: struct winsize is four unsigned shorts, on this stack until the call returns.
        ushort* size = stackalloc ushort[4];
        size[0] = rows;
        size[1] = columns;
        size[2] = 0;
        size[3] = 0;
        return HostCalls.Ioctl(terminal, TiocSwinsz, (nuint)size);
    }

    /// <summary>Whether a descriptor is a terminal.</summary>
    [HostCall("ioctl")]
    public static bool IsTerminal(int fd)
    {
        // SAFETY: struct termios of the kernel has 36 bytes (TCGETS).
        byte* termios = stackalloc byte[64];
        return !HostCalls.Ioctl(fd, Tcgets, (nuint)termios).IsError;
    }
}
