// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using System.Threading;
using CVisor.Host;

namespace CVisor.Platforms.Ptrace;

/// <summary>Guest threads are traced threads of stub processes (PTRACE_SYSEMU): works everywhere, pays a context switch each way.</summary>
/// <remarks>
/// ptrace(2) binds a traced thread to the host thread that traces it, so each executor (one a worker, each pinned to one CPU) owns the stubs it
/// made or imported, and pins them beside itself: handing over on one CPU is five times quicker than between two.
/// </remarks>
public sealed class PtracePlatform : IPlatform
{
    private readonly int[] _cpus = AllowedCpus();
    private PtraceExecutor? _first;

    /// <inheritdoc/>
    public string Name => "ptrace";

    /// <inheritdoc/>
    public ulong MinimumAddress => 0x10000;

    /// <inheritdoc/>
    public ulong MaximumAddress => StubPage.Address;

    /// <inheritdoc/>
    public IExecutor CreateExecutor(int index)
    {
        PtraceExecutor executor = new(index, _cpus[index % _cpus.Length], Volatile.Read(ref _first));
        _ = Interlocked.CompareExchange(ref _first, executor, null);
        return executor;
    }

    private static int[] AllowedCpus()
    {
        byte[] mask = new byte[128];
        int length = HostCalls.SchedGetaffinity(0, mask).OrThrow("read the CPU affinity").Int;
        var cpus = new System.Collections.Generic.List<int>();
        for (int cpu = 0; cpu < length * 8; cpu++)
        {
            if ((mask[cpu / 8] & (1 << (cpu % 8))) != 0)
            {
                cpus.Add(cpu);
            }
        }

        return cpus.ToArray();
    }
}
