// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

/// <summary>Machine code of a platform that makes a process.</summary>
public static unsafe class ProcessStarter
{
    /// <summary>Runs the code on the calling thread.</summary>
    /// <param name="code">Executable code with the C calling convention, without arguments; what it makes must never return from it.</param>
    /// <returns>The process's id, or the error.</returns>
    // SAFETY: the caller has mapped the code, which keeps to its promise.
    [HostCall("clone")]
    public static HostResult Run(nuint code) => new(((delegate* unmanaged<long>)code)());
}
