// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

public static unsafe partial class HostCalls
{
    private const int SysExecve = 59;

    /// <summary>Replaces the process's program. Paths and names are NUL-terminated.</summary>
    [HostCall("execve")]
    public static HostResult Execve(ReadOnlySpan<byte> path, nuint argv, nuint envp)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        {
            return Blocking(SysExecve, (long)pathPtr, unchecked((long)argv), unchecked((long)envp));
        }
    }
}
