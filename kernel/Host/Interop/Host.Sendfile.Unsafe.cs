// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysSendfile = 40;

    /// <summary>Copies from a file to a descriptor.</summary>
    [HostCall("sendfile")]
    public static HostResult Sendfile(int outFd, int inFd, nuint count) => Blocking(SysSendfile, outFd, inFd, 0, unchecked((long)count));
}
