// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysFremovexattr = 199;

    /// <summary>Removes an extended attribute. Paths and names are NUL-terminated.</summary>
    [HostCall("fremovexattr")]
    public static HostResult Fremovexattr(int fd, ReadOnlySpan<byte> name)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* namePtr = name)
        {
            return Blocking(SysFremovexattr, fd, (long)namePtr);
        }
    }
}
