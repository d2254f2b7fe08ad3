// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysPreadv = 295;

    /// <summary>Reads at an offset into a vector of address ranges.</summary>
    [HostCall("preadv")]
    public static HostResult Preadv(int fd, ReadOnlySpan<HostIoVec> iov, long offset)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostIoVec* iovPtr = iov)
        {
            return Blocking(SysPreadv, fd, (long)iovPtr, iov.Length, offset);
        }
    }
}
