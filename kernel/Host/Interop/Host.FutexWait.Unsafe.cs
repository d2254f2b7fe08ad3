// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFutexWait = 202;

    /// <summary>Waits (FUTEX_WAIT, private) while the word holds the expected value.</summary>
    [HostCall("futex")]
    public static HostResult FutexWait(nuint address, uint expected, nuint timespec) => Blocking(SysFutexWait, unchecked((long)address), 128, expected, unchecked((long)timespec));
}
