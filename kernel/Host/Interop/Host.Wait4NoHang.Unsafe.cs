// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysWait4NoHang = 61;

    /// <summary>Asks after a child without waiting (pass WNOHANG).</summary>
    [HostCall("wait4")]
    public static HostResult Wait4NoHang(int pid, ref int status, int options)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (int* statusPtr = &status)
        {
            return Fast(SysWait4NoHang, pid, (long)statusPtr, options);
        }
    }
}
