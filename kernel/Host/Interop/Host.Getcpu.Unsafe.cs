// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysGetcpu = 309;

    /// <summary>Reads the CPU that the thread runs on.</summary>
    [HostCall("getcpu")]
    public static HostResult Getcpu(ref uint cpu)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (uint* cpuPtr = &cpu)
        {
            return Fast(SysGetcpu, (long)cpuPtr);
        }
    }
}
