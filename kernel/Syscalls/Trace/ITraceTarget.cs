// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Memory;

namespace CVisor.Syscalls.Trace;

/// <summary>What a trace asks of the task it describes.</summary>
public interface ITraceTarget
{
    /// <summary>The thread's ID in the sandbox's first PID namespace.</summary>
    int ThreadId { get; }

    /// <summary>The thread's name (comm).</summary>
    string Name { get; }

    /// <summary>Copies guest memory as far as it goes.</summary>
    /// <returns>Bytes copied; fewer than asked for is a fault behind them.</returns>
    int Read(UserPtr source, Span<byte> destination);

    /// <summary>The path or other name of the file behind <paramref name="descriptor"/>, or null when it is not open.</summary>
    string? DescribeFile(int descriptor);

    /// <summary>The working directory's path.</summary>
    string DescribeWorkingDirectory();
}
