// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysReadv = 19;

    /// <summary>Reads into a vector of address ranges.</summary>
    [HostCall("readv")]
    public static HostResult Readv(int fd, ReadOnlySpan<HostIoVec> iov)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostIoVec* iovPtr = iov)
        {
            return Blocking(SysReadv, fd, (long)iovPtr, iov.Length);
        }
    }
}
