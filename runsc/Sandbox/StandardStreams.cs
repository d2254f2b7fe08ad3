// SPDX-License-Identifier: Apache-2.0
using CVisor.Host;

namespace CVisor.Runsc.Sandbox;

/// <summary>Our own standard streams, for a guest.</summary>
public static class StandardStreams
{
    private const int AtFdcwd = -100, ORdwr = 2, OCloexec = 0x80000;

    /// <summary>Copies descriptors 0, 1, 2 to numbers from 3 up; a closed one becomes /dev/null.</summary>
    public static int[] Copy(FdKeeper fds)
    {
        int[] copies = new int[3];
        for (int fd = 0; fd < 3; fd++)
        {
            copies[fd] = fds.Copy(fd);
            if (copies[fd] < 0)
            {
                // The lowest free number may be below 3; only the copy's is kept.
                int opened = HostCalls.Openat(AtFdcwd, "/dev/null\0"u8, ORdwr | OCloexec, 0).OrThrow("open /dev/null").Int;
                copies[fd] = fds.Copy(opened);
                _ = HostCalls.Close(opened);
            }
        }

        return copies;
    }
}
