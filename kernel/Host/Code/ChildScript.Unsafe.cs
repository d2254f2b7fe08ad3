// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

/// <summary>
/// A child process that runs a list of raw system calls and never returns to managed code; the only way this project makes processes.
/// </summary>
/// <remarks>Each step is nine 64-bit words (see ScriptClone in generators/MachineCode/HostCode.cs). The list is the caller's; it must live until the child has replaced or ended itself.</remarks>
public static unsafe class ChildScript
{
    /// <summary>Words in one step: number, six arguments, mode, result.</summary>
    public const int StepWords = 9;

    /// <summary>What a step's result word holds until the child has run it.</summary>
    public const long NotRun = -4096;

    /// <summary>Appends a step to a list under construction.</summary>
    /// <param name="steps">The list; at least <paramref name="index"/> + 1 steps long.</param>
    /// <param name="index">Which step.</param>
    /// <param name="ignoreFailure">Whether the child goes on when the call fails; otherwise it ends with status 127.</param>
    /// <param name="number">The system call's number.</param>
    /// <param name="arguments">Up to six arguments.</param>
    public static void Set(Span<long> steps, int index, bool ignoreFailure, long number, params ReadOnlySpan<long> arguments)
    {
        Span<long> step = steps.Slice(index * StepWords, StepWords);
        step.Clear();
        step[0] = number;
        arguments.CopyTo(step[1..7]);
        step[7] = ignoreFailure ? 1 : 0;
        step[8] = NotRun;
    }

    /// <summary>Clones the calling thread (clone(2), no new stack) into a child that runs the steps.</summary>
    /// <param name="flags">CLONE_* flags and the exit signal; with CLONE_VM, CLONE_VFORK is a must.</param>
    /// <param name="steps">The steps; the last one must not return (execve, exit_group) or the child fails on what lies behind.</param>
    /// <returns>The child's PID.</returns>
    [HostCall("clone")]
    public static HostResult Clone(ulong flags, Span<long> steps)
    {
        // SAFETY: the steps stay pinned until the call is back; a child that shares memory holds this thread until then (CLONE_VFORK), any other has a copy.
        fixed (long* p = steps)
        {
            var clone = (delegate* unmanaged<ulong, long*, long>)(HostCode.Base + HostCodeX64.ScriptClone);
            return new HostResult(clone(flags, p));
        }
    }
}
