// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    /// <summary>Reads an option of a socket that is an int.</summary>
    [HostCall("getsockopt")]
    public static HostResult GetsockoptInt(int fd, int level, int option, out int value)
    {
        int seen = 0;
        int length = sizeof(int);

        // SAFETY: both are locals that live to the end of the call.
        HostResult result = Fast(SysGetsockopt, fd, level, option, (long)&seen, (long)&length);
        value = seen;
        return result;
    }
}
