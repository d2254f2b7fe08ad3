// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysDup3 = 292;

    /// <summary>Duplicates a descriptor onto a number.</summary>
    [HostCall("dup3")]
    public static HostResult Dup3(int oldfd, int newfd, int flags) => Fast(SysDup3, oldfd, newfd, flags);
}
