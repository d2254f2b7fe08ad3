// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Generators.Seccomp.Ir;

/// <summary>struct seccomp_data (include/uapi/linux/seccomp.h), on a little-endian machine.</summary>
internal static class SeccompData
{
    /// <summary>The call's number.</summary>
    public const int Number = 0;

    /// <summary>The architecture (AUDIT_ARCH_*).</summary>
    public const int Arch = 4;

    /// <summary>The lower half of the address behind the calling instruction.</summary>
    public const int CallerLow = 8;

    /// <summary>The upper half of it.</summary>
    public const int CallerHigh = 12;

    /// <summary>AUDIT_ARCH_X86_64.</summary>
    public const uint ArchX64 = 0xc000_003e;

    /// <summary>Numbers of the x32 ABI begin here (__X32_SYSCALL_BIT); so do, unsigned, negative ones.</summary>
    public const int X32Bit = 0x4000_0000;

    /// <summary>The lower half of an argument.</summary>
    public static int Low(int argument) => 16 + (argument * 8);

    /// <summary>The upper half of an argument.</summary>
    public static int High(int argument) => Low(argument) + 4;
}
