// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Core.Loader;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Pipes;
using CVisor.Host;
using CVisor.Host.Filters;
using CVisor.Platforms;
using CVisor.Platforms.Ptrace;
using CVisor.Platforms.Systrap;
using CVisor.Runsc.Control;
using CVisor.Syscalls;
using CVisor.Syscalls.Trace;

namespace CVisor.Runsc.Boot;

/// <summary>The kernel of one sandbox, wired together: platform, memory, file systems, system calls, control socket.</summary>
internal sealed class Sentry
{
    private const int Failure = 128, StandardError = 2;

    private readonly BootConfig _config;
    private readonly SentryLog _log;
    private readonly Kernel _kernel;
    private readonly SandboxService _service;
    private readonly int _goferWatch = -1;

    internal Sentry(BootConfig config, SentryLog log)
    {
        _config = config;
        _log = log;
        int processors = Math.Max(1, config.CpuCount > 0 ? config.CpuCount : Environment.ProcessorCount);

        // A systrap worker looks at what it released from a processor of its own, beside that of the guest.
        int workers = config.Flags.Platform == "systrap" ? Math.Max(1, processors / 2) : processors;
        IPlatform platform = config.Flags.Platform switch
        {
            "ptrace" => new PtracePlatform(),
            "systrap" => new SystrapPlatform(workers),
            string other => throw new BootException($"platform {other} is not part of this build; use --platform=ptrace"),
        };
        SyscallTracer? tracer = config.Flags.Strace ? new SyscallTracer(line => log.Info(line.ToString()), config.Flags.StraceLogSizeBytes, config.Flags.StraceSyscalls) : null;
        _kernel = new Kernel(platform, new LinuxSyscallTable(tracer), SandboxMemory.Create(), workers);
        _kernel.Vdso = Vdso.Create(_kernel.Memory, _kernel.Timers);
        _kernel.ProcessorCount = processors;
        if (config.TotalMemoryBytes > 0)
        {
            _kernel.TotalMemoryBytes = Math.Min((ulong)config.TotalMemoryBytes, _kernel.TotalMemoryBytes);
        }

        // Some is for ourselves: the host counts what the sandbox's own processes use against the same limit.
        const ulong OwnBytes = 64UL << 20;
        ulong own = Math.Min(_kernel.TotalMemoryBytes / 8, OwnBytes);
        _kernel.MemoryWatch.Limit(_kernel.TotalMemoryBytes - own, own / 8);
        _kernel.Start();
        SpecialFiles.Fifo = FifoFiles.Open;
        MountNamespace mounts = MountBuilder.Build(_kernel, config, log);
        ContainerSettings.Apply(_kernel, config, mounts, log);
        _service = new SandboxService(_kernel, config, mounts, config.Seccomp is { } rules ? SeccompCompiler.Compile(rules) : null, log);
        if (config.Fds.GoferSockets.Length > 0)
        {
            // A descriptor of our own: the guest may unmount what the first one serves.
            _goferWatch = HostCalls.Dup(config.Fds.GoferSockets[0]).OrThrow("watch the gofer").Int;
        }

        if (_kernel.WaitUntilReady() is { } problem)
        {
            throw new BootException(problem);
        }

        Confine();
    }

    /// <summary>Installs the Sentry's own filter, on every thread: from here on it makes the host calls that syscalls.yaml lists and no others.</summary>
    /// <remarks>No guest has run yet. Threads made later inherit it; stubs do not, since they all come from the first executor's.</remarks>
    [BeforeFilter("installs it")]
    private void Confine()
    {
        FilterTrap.Install("runsc: the sandbox ended: its filter forbids the host call ", Failure, StandardError, _config.Fds.PanicLog >= 0 ? _config.Fds.PanicLog : _config.Fds.DebugLog, SyscallInfo.Name);
        HostResult installed = SeccompInstaller.Install(RoleFilters.Sentry);
        if (installed.IsError)
        {
            throw new BootException($"cannot install the sandbox's seccomp filter: {installed.Error}");
        }
    }

    /// <summary>Runs until the first process has ended, and leaves its status behind.</summary>
    /// <returns>The sandbox process's exit status.</returns>
    internal int Run()
    {
        int status = RunToEnd();
        EndRecord.Write(_config.Fds.ExitStatus, status);
        return status;
    }

    private int RunToEnd()
    {
        ControlServer server = new(_config.Fds.Control, _service, _goferWatch, () => _kernel.Fail("the gofer process ended, and the container's files with it"));
        if (_config.Fds.Control >= 0)
        {
            new Thread(() => _log.Debug($"control socket closed: {server.Serve()}"), 256 * 1024) { IsBackground = true, Name = "control" }.Start();
        }

        if (!StartReport.Send(_config.Fds.Start, new StartReport { Ready = true }))
        {
            return Failure; // runsc was killed while it started us.
        }

        if (_config.StartAtOnce)
        {
            ControlReply started = _service.StartRoot();
            _ = StartReport.Send(_config.Fds.Start, started.Error is { } error ? new StartReport { Error = error } : new StartReport { Started = true });
            if (started.Error is not null)
            {
                _log.Error(started.Error.Message);
                return Failure;
            }
        }

        _ = HostCalls.Close(_config.Fds.Start);
        _kernel.WaitUntilEnded();
        if (_kernel.Bug is { } bug)
        {
            _log.Error(bug);

            // Not by the console classes: they set a terminal up first, which the filter forbids.
            _ = HostIo.WriteAll(StandardError, System.Text.Encoding.UTF8.GetBytes("runsc: the sandbox ended: " + bug + "\n"));
            return Failure;
        }

        server.Quiesce();
        return _service.Finish();
    }
}
