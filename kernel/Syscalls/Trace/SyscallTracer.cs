// SPDX-License-Identifier: Apache-2.0
using System.Collections.Concurrent;
using System.Collections.Generic;
using CVisor.Core.Tasks;
using CVisor.Core.Time;

namespace CVisor.Syscalls.Trace;

/// <summary>Takes one line of a trace, without a line end. Called by any worker, so it must be thread safe; the span is not to be kept.</summary>
public delegate void TraceSink(ReadOnlySpan<char> line);

/// <summary>What <c>--strace</c> switches on: two lines a call.</summary>
public sealed class SyscallTracer
{
    [ThreadStatic]
    private static TraceWriter? t_writer;

    private readonly TraceSink _sink;
    private readonly int _logSize;
    private readonly bool[]? _wanted;
    private readonly ConcurrentDictionary<Task, long> _started = new();

    /// <summary>A tracer of the calls named in <paramref name="names"/>, of all when there are none.</summary>
    /// <param name="sink">Where lines go.</param>
    /// <param name="logSize">The most bytes of a string or buffer that are shown (<c>--strace-log-size</c>).</param>
    /// <param name="names">Calls to trace (<c>--strace-syscalls</c>); every one must be known, see <see cref="SyscallInfo.Number"/>.</param>
    [StartUp("Made from the command line, before the first guest runs.")]
    public SyscallTracer(TraceSink sink, int logSize, IReadOnlyCollection<string> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        _sink = sink;
        _logSize = logSize;
        if (names.Count == 0)
        {
            return;
        }

        _wanted = new bool[SyscallInfo.Limit];
        foreach (string name in names)
        {
            int number = SyscallInfo.Number(name);
            if (number < 0)
            {
                throw new ArgumentException($"there is no system call '{name}'", nameof(names));
            }

            _wanted[number] = true;
        }
    }

    /// <summary>A call begins.</summary>
    public void OnEnter(Task task, int number, in SyscallArgs args)
    {
        ArgumentNullException.ThrowIfNull(task);
        if (!IsWanted(number))
        {
            return;
        }

        TraceWriter writer = Writer();
        SyscallTrace.FormatEntry(writer, new TaskTraceTarget(task), number, in args);
        _sink(writer.Line);
        if (number is SyscallNumbers.X86_64.Exit or SyscallNumbers.X86_64.ExitGroup)
        {
            return; // Nothing returns from them.
        }

        _started[task] = KernelClock.MonotonicNs;
    }

    /// <summary>A call's result is about to be written.</summary>
    public void OnLeave(Task task, int number, in SyscallArgs args, in SyscallResult result)
    {
        ArgumentNullException.ThrowIfNull(task);
        if (!_started.TryRemove(task, out long started))
        {
            return;
        }

        long took = KernelClock.MonotonicNs - started;
        TraceWriter writer = Writer();
        SyscallTrace.FormatExit(writer, new TaskTraceTarget(task), number, in args, in result, took);
        _sink(writer.Line);
    }

    private bool IsWanted(int number) => _wanted is null || (unchecked((uint)number) < (uint)_wanted.Length && _wanted[number]);

    private TraceWriter Writer()
    {
        TraceWriter? writer = t_writer;
        if (writer is null || writer.LogSize != _logSize)
        {
            t_writer = writer = new TraceWriter(_logSize);
        }

        return writer;
    }
}
