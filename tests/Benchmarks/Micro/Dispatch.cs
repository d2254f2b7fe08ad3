// SPDX-License-Identifier: Apache-2.0
using BenchmarkDotNet.Attributes;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Syscalls;
using CVisor.Syscalls.Trace;

namespace CVisor.Benchmarks.Micro;

/// <summary>From a number and registers to a handler and back, and a call's line in the trace.</summary>
[MemoryDiagnoser]
public class Dispatch
{
    private const int SchedGetPriorityMax = 146, Read = 0, OpenAt = 257;
    private static readonly SyscallArgs s_path = new(unchecked((ulong)-100), 0x7000, 0x80000, 0, 0, 0);
    private static readonly SyscallArgs s_buffer = new(3, 0x7000, 16, 0, 0, 0);
    private readonly LinuxSyscallTable _table = new(null);
    private readonly TraceWriter _writer = new(1024);
    private readonly Target _target = new();

    // A handler that looks at its arguments only: no task is needed to measure the way to it.
    [Benchmark]
    public SyscallResult Call() => _table.Dispatch(null!, SchedGetPriorityMax, new SyscallArgs(1, 0, 0, 0, 0, 0)).Take();

    [Benchmark]
    public int TraceEntry()
    {
        _writer.Clear();
        SyscallTrace.FormatEntry(_writer, _target, OpenAt, s_path);
        return _writer.Line.Length;
    }

    [Benchmark]
    public int TraceExit()
    {
        _writer.Clear();
        SyscallTrace.FormatExit(_writer, _target, Read, s_buffer, SyscallResult.Ok(16), 12_300);
        return _writer.Line.Length;
    }

    private sealed class Target : ITraceTarget
    {
        public int ThreadId => 1;

        public string Name => "bench";

        public int Read(UserPtr source, Span<byte> destination)
        {
            ReadOnlySpan<byte> bytes = "/etc/ld.so.cache\0"u8;
            int length = Math.Min(bytes.Length, destination.Length);
            bytes[..length].CopyTo(destination);
            return length;
        }

        public string? DescribeFile(int descriptor) => "/tmp/file";

        public string DescribeWorkingDirectory() => "/home";
    }
}
