// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysWait4 = 61;

    /// <summary>Waits for a child; the value is its PID.</summary>
    [HostCall("wait4")]
    public static HostResult Wait4(int pid, ref int status, int options)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (int* statusPtr = &status)
        {
            return Blocking(SysWait4, pid, (long)statusPtr, options);
        }
    }
}
