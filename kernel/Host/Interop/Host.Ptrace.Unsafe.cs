// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysPtrace = 101;

    /// <summary>Acts on a traced thread (ptrace(2)).</summary>
    [HostCall("ptrace")]
    public static HostResult Ptrace(long request, int tid, nuint address, nuint data) => Fast(SysPtrace, request, tid, unchecked((long)address), unchecked((long)data));
}
