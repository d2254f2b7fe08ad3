// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Core.Tasks;

/// <summary>Who the kernel says it is (uname(2), /proc/version): gVisor's identity, so that programs which know gVisor know us.</summary>
public static class KernelVersion
{
    /// <summary>utsname.sysname.</summary>
    public const string SystemName = "Linux";

    /// <summary>utsname.release.</summary>
    public const string Release = "4.4.0";

    /// <summary>utsname.version.</summary>
    public const string Version = "#1 SMP Sun Jan 10 15:06:54 PST 2016";

    /// <summary>utsname.machine.</summary>
    public const string Machine = "x86_64";
}
