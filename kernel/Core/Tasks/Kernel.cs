// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Core.Memory;
using CVisor.Core.Time;
using CVisor.Platforms;

namespace CVisor.Core.Tasks;

/// <summary>One application kernel: everything that the guests of a sandbox share.</summary>
/// <remarks>Lock order over all of kernel/: see docs/architecture.md. The kernel knows no platform, no file system and no system call: they are given to it.</remarks>
public sealed partial class Kernel
{
    private readonly ManualResetEventSlim _ended = new(false);
    private string? _bug;
    private volatile string? _startFailure;

    /// <summary>Makes a kernel; <see cref="Start"/> sets it going.</summary>
    /// <param name="platform">What runs guest code.</param>
    /// <param name="syscalls">What serves system calls.</param>
    /// <param name="memory">Where guest memory comes from.</param>
    /// <param name="workerCount">Host threads that run tasks; about as many as there are cores.</param>
    public Kernel(IPlatform platform, ISyscallTable syscalls, SandboxMemory memory, int workerCount)
    {
        Platform = platform;
        Syscalls = syscalls;
        Memory = memory;
        platform.ExpectAnswers(syscalls.StandingCalls);
        Scheduler = new Scheduler(this, platform, workerCount);
        MemoryWatch = new MemoryWatch(this);
        Load = new LoadAverage(this);
    }

    /// <summary>What runs guest code.</summary>
    public IPlatform Platform { get; }

    /// <summary>What serves system calls.</summary>
    public ISyscallTable Syscalls { get; }

    /// <summary>Guest memory.</summary>
    public SandboxMemory Memory { get; }

    /// <summary>Who runs what.</summary>
    public Scheduler Scheduler { get; }

    /// <summary>Armed timers.</summary>
    public TimerQueue Timers { get; } = new();

    /// <summary>The vDSO that programs get; null for none.</summary>
    public Loader.Vdso? Vdso { get; set; }

    /// <summary>All tasks.</summary>
    public TaskSet Tasks { get; } = new();

    /// <summary>Processors that guests see.</summary>
    public int ProcessorCount { get; set; } = Environment.ProcessorCount;

    /// <summary>Memory that guests see, in bytes; the host's, unless the boot code says less.</summary>
    public ulong TotalMemoryBytes { get; set; } = ReadHostMemory();

    /// <summary>The kernel's log, for dmesg(1).</summary>
    public KernelLog Log { get; } = new();

    /// <summary>Who keeps the guests' memory within the limit.</summary>
    public MemoryWatch MemoryWatch { get; }

    /// <summary>How many tasks want a processor, on average.</summary>
    public LoadAverage Load { get; }

    /// <summary>All futexes.</summary>
    public Futexes.FutexTable Futexes { get; } = new();

    /// <summary>The bug that ended the kernel, for the log; null while there is none.</summary>
    public string? Bug => Volatile.Read(ref _bug);

    /// <summary>Starts the workers.</summary>
    public void Start() => Scheduler.Start();

    /// <summary>Waits until the first worker can run guest code.</summary>
    /// <returns>Null; or why it cannot.</returns>
    public string? WaitUntilReady()
    {
        using ManualResetEventSlim ready = new(false);
        Scheduler.RunOnFirst(_ => ready.Set());
        _ = WaitHandle.WaitAny([ready.WaitHandle, _ended.WaitHandle]);
        return ready.IsSet ? null : _startFailure ?? Bug;
    }

    /// <summary>Ends the kernel because something outside that it needs has failed.</summary>
    /// <param name="reason">One line.</param>
    public void Fail(string reason)
    {
        _ = Interlocked.CompareExchange(ref _bug, reason, null);
        _ended.Set();
    }

    /// <summary>A worker could not begin: the host forbids what the platform needs.</summary>
    internal void ReportStartFailure(string reason)
    {
        _startFailure = reason;
        Fail(reason);
    }

    /// <summary>Waits until the first process has ended or a bug ended the kernel.</summary>
    public void WaitUntilEnded() => _ended.Wait();

    /// <summary>Ends the kernel although no process runs (a container that is deleted before its start).</summary>
    public void End() => _ended.Set();

    private static ulong ReadHostMemory()
    {
        Host.HostSysinfo info = default;
        return Host.HostCalls.Sysinfo(ref info).IsError ? 1UL << 30 : info.TotalRam * Math.Max(1, info.Unit);
    }

    internal void OnProcessEnded(ThreadGroup group)
    {
        if (group.Leader.Id.Namespace == Tasks.RootPids && group.IsInit)
        {
            _ended.Set();
        }
    }

    /// <summary>Takes a bug of ours in: the sandbox ends, with a message.</summary>
    internal bool ReportBug(Exception bug, Task? task)
    {
        _ = Interlocked.CompareExchange(ref _bug, $"internal error while running {task?.ToString() ?? "no task"} (system call {task?.SyscallNumber ?? -1}): {bug}", null);
        _ended.Set();
        return true;
    }

    /// <summary>A call without an implementation was made: counted, so that the compatibility report and the log can name it.</summary>
    public void CountUnimplemented(long number) => _ = number;
}
