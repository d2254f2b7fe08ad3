// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSyncFileRange = 277;

    /// <summary>Writes a range of a file to its device.</summary>
    [HostCall("sync_file_range")]
    public static HostResult SyncFileRange(int fd, long offset, long length, uint flags) => Blocking(SysSyncFileRange, fd, offset, length, flags);
}
