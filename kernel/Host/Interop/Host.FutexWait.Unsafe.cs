// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFutexWait = 202;

    /// <summary>Waits (FUTEX_WAIT, private) while the word holds the expected value.</summary>
    [HostCall("futex")]
    public static HostResult FutexWait(nuint address, uint expected, nuint timespec) => Blocking(SysFutexWait, unchecked((long)address), 128, expected, unchecked((long)timespec));

    /// <summary>Waits (FUTEX_WAIT, between processes) while the word holds the expected value, and no longer than a time.</summary>
    /// <param name="address">The word, in memory that is mapped shared.</param>
    /// <param name="expected">The value.</param>
    /// <param name="timeoutNs">The longest wait in nanoseconds.</param>
    [HostCall("futex")]
    public static HostResult FutexWaitShared(nuint address, uint expected, long timeoutNs)
    {
        HostTimespec timeout = HostTimespec.FromNs(timeoutNs);

        // SAFETY: the time lives on this stack until the call returns; the kernel checks the address.
        return Blocking(SysFutexWait, unchecked((long)address), 0, expected, (long)&timeout);
    }
}
