// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFutexWake = 202;

    /// <summary>Wakes waiters (FUTEX_WAKE, private) of a word.</summary>
    [HostCall("futex")]
    public static HostResult FutexWake(nuint address, int count) => Fast(SysFutexWake, unchecked((long)address), 129, count);

    /// <summary>Wakes waiters (FUTEX_WAKE, between processes) of a word.</summary>
    [HostCall("futex")]
    public static HostResult FutexWakeShared(nuint address, int count) => Fast(SysFutexWake, unchecked((long)address), 1, count);
}
