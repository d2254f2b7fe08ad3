// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysChdir = 80;

    /// <summary>Changes the working directory. Paths and names are NUL-terminated.</summary>
    [HostCall("chdir")]
    public static HostResult Chdir(ReadOnlySpan<byte> path)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        {
            return Blocking(SysChdir, (long)pathPtr);
        }
    }
}
