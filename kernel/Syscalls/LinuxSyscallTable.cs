// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Tasks;
using CVisor.Syscalls.Trace;

namespace CVisor.Syscalls;

/// <summary>Serves system calls by the generated table, with a trace when there is one.</summary>
public sealed class LinuxSyscallTable : ISyscallTable
{
    private readonly SyscallTracer? _tracer;

    /// <summary>A table that tells <paramref name="tracer"/>, when not null, of every call.</summary>
    public LinuxSyscallTable(SyscallTracer? tracer) => _tracer = tracer;

    /// <inheritdoc/>
    public Blocking<SyscallResult> Dispatch(Task task, long number, in SyscallArgs args)
    {
        // Linux looks at the lower half of rax only (arch/x86/entry/entry_64.S: movslq %eax, %rsi).
        int call = unchecked((int)number);
        _tracer?.OnEnter(task, call, in args);
        return SyscallTable.Dispatch(task, call, in args);
    }

    /// <inheritdoc/>
    /// <remarks>None with a tracer: it is told of every call.</remarks>
    public ReadOnlySpan<int> StandingCalls => _tracer is null ? SyscallTable.StandingCalls : [];

    /// <inheritdoc/>
    public void Answer(Task task, Span<ulong> answers) => SyscallTable.Answer(task, answers);

    /// <inheritdoc/>
    public void OnLeave(Task task, long number, in SyscallArgs args, in SyscallResult result)
        => _tracer?.OnLeave(task, unchecked((int)number), in args, in result);
}
