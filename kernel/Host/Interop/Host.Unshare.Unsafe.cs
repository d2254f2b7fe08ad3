// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysUnshare = 272;

    /// <summary>Leaves namespaces that the process shares.</summary>
    [HostCall("unshare")]
    public static HostResult Unshare(int flags) => Blocking(SysUnshare, flags);
}
