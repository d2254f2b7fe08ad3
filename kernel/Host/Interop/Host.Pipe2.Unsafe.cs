// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysPipe2 = 293;

    /// <summary>Makes a pipe.</summary>
    [HostCall("pipe2")]
    public static HostResult Pipe2(ref FdPair pair, int flags)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (FdPair* pairPtr = &pair)
        {
            return Fast(SysPipe2, (long)pairPtr, flags);
        }
    }
}
