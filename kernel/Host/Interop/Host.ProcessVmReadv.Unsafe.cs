// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysProcessVmReadv = 310;

    /// <summary>Reads another process's memory.</summary>
    [HostCall("process_vm_readv")]
    public static HostResult ProcessVmReadv(int pid, ReadOnlySpan<HostIoVec> local, ReadOnlySpan<HostIoVec> remote)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (HostIoVec* localPtr = local)
        fixed (HostIoVec* remotePtr = remote)
        {
            return Fast(SysProcessVmReadv, pid, (long)localPtr, local.Length, (long)remotePtr, remote.Length);
        }
    }
}
