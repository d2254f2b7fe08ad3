// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysCopyFileRange = 326;

    /// <summary>Copies between files at their offsets.</summary>
    [HostCall("copy_file_range")]
    public static HostResult CopyFileRange(int inFd, int outFd, nuint length) => Blocking(SysCopyFileRange, inFd, 0, outFd, 0, unchecked((long)length));
}
