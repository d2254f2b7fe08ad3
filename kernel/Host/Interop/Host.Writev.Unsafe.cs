// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysWritev = 20;

    /// <summary>Writes a vector of address ranges.</summary>
    [HostCall("writev")]
    public static HostResult Writev(int fd, ReadOnlySpan<HostIoVec> iov)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostIoVec* iovPtr = iov)
        {
            return Blocking(SysWritev, fd, (long)iovPtr, iov.Length);
        }
    }
}
