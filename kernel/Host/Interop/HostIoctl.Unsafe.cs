// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

/// <summary>ioctl(2) with a buffer.</summary>
public static unsafe class HostIoctl
{
    /// <summary>Makes a request that reads or writes at most the buffer.</summary>
    /// <param name="fd">The descriptor.</param>
    /// <param name="request">The request; the caller knows that its argument is no longer than the buffer.</param>
    /// <param name="argument">The buffer.</param>
    [HostCall("ioctl")]
    public static HostResult Invoke(int fd, uint request, Span<byte> argument)
    {
        // SAFETY: pinned for the call; the length is the caller's word.
        fixed (byte* p = argument)
        {
            return HostCalls.Ioctl(fd, request, (nuint)p);
        }
    }
}
