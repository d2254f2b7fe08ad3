// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysPwritev = 296;

    /// <summary>Writes a vector of address ranges at an offset.</summary>
    [HostCall("pwritev")]
    public static HostResult Pwritev(int fd, ReadOnlySpan<HostIoVec> iov, long offset)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostIoVec* iovPtr = iov)
        {
            return Blocking(SysPwritev, fd, (long)iovPtr, iov.Length, offset);
        }
    }
}
