// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Loader;
using CVisor.Core.Seccomp;
using CVisor.Core.Signals;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Core.Vfs;
using CVisor.FileSystems.HostStreams;
using CVisor.Runsc.Control;
using CoreLimit = CVisor.Core.Tasks.ResourceLimit;

namespace CVisor.Runsc.Boot;

/// <summary>What runsc asks of the sentry: processes of the container.</summary>
/// <remarks>Called on the control server's thread; ends of processes are told from workers. <c>_lock</c> guards the records and is held over nothing else.</remarks>
internal sealed class SandboxService(Kernel kernel, BootConfig config, MountNamespace mounts, FilterProgram? filter, SentryLog log) : ISandboxService
{
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly Dictionary<int, ProcessRecord> _records = [];
    [GuardedBy(nameof(_lock))]
    private ProcessRecord? _root;

    /// <summary>A process that runsc started.</summary>
    private sealed class ProcessRecord
    {
        internal ThreadGroup? Process;
        internal bool HasEnded;
        internal int Status;
        internal readonly List<Action<ControlReply>> Waiters = [];
        internal readonly ManualResetEventSlim Shown = new(false);
        internal TerminalBridge? Terminal;
    }

    /// <inheritdoc/>
    public ControlReply StartRoot()
    {
        ProcessRecord root = new();
        lock (_lock)
        {
            if (_root is not null)
            {
                return ControlReply.Failed(ControlErrorKind.WrongState, "the container has been started already");
            }

            _root = root;
        }

        List<(int HostFd, int GuestFd)> descriptors = [];
        for (int i = 0; i < config.Fds.Stdio.Length; i++)
        {
            descriptors.Add((config.Fds.Stdio[i], i));
        }

        foreach (PassedFd passed in config.Fds.Passed)
        {
            descriptors.Add((passed.HostFd, passed.GuestFd));
        }

        return Start(config.Process, descriptors, root, isFirst: true);
    }

    /// <inheritdoc/>
    public ControlReply Execute(ExecuteRequest request, int[] descriptors)
    {
        List<(int HostFd, int GuestFd)> pairs = [];
        for (int i = 0; i < descriptors.Length; i++)
        {
            pairs.Add((descriptors[i], request.GuestFds[i]));
        }

        return Start(request.Process, pairs, new ProcessRecord());
    }

    /// <inheritdoc/>
    public ControlReply Signal(SignalRequest request)
    {
        if (request.Signal is < 0 or > 64)
        {
            return ControlReply.Failed(ControlErrorKind.Invalid, $"there is no signal {request.Signal}");
        }

        // The host's terminal changed its size; ours follows, and tells its foreground process group itself.
        if (request is { Signal: SignalNumber.SIGWINCH, Target: SignalTarget.Foreground } && TerminalOf(request.Pid) is { } resized)
        {
            resized.UpdateSize();
            return ControlReply.Done;
        }

        List<ThreadGroup> targets = [];
        int pid = request.Pid == 0 ? 1 : request.Pid;
        foreach (ThreadGroup process in kernel.Tasks.Processes(kernel.Tasks.RootPids))
        {
            bool isTarget = request.Target switch
            {
                SignalTarget.All => true,
                SignalTarget.Group => process.ProcessGroup.Id.Global == pid,
                SignalTarget.Foreground => IsForeground(process, pid),
                _ => process.Pid == pid,
            };
            if (isTarget)
            {
                targets.Add(process);
            }
        }

        if (targets.Count == 0)
        {
            return ControlReply.Failed(ControlErrorKind.NoSuchProcess, $"process {pid} does not exist");
        }

        foreach (ThreadGroup target in targets)
        {
            if (request.Signal != 0)
            {
                // From outside the PID namespace: init is not spared (SIGNAL_UNKILLABLE holds for its own kind only).
                _ = target.Send(SignalInfo.FromKernel(request.Signal), force: true);
            }
        }

        return ControlReply.Done;
    }

    /// <inheritdoc/>
    public void Wait(int pid, Action<ControlReply> completed)
    {
        ControlReply reply;
        lock (_lock)
        {
            ProcessRecord? record = pid == 0 ? _root : _records.GetValueOrDefault(pid);
            if (record is null)
            {
                reply = ControlReply.Failed(ControlErrorKind.NoSuchProcess, $"process {pid} was not started by runsc, or has been waited for");
            }
            else if (record.HasEnded)
            {
                reply = new ControlReply { WaitStatus = record.Status };
                if (record != _root)
                {
                    _ = _records.Remove(pid);
                }
            }
            else
            {
                record.Waiters.Add(completed);
                return;
            }
        }

        completed(reply);
    }

    /// <inheritdoc/>
    public ControlReply Processes()
    {
        List<ProcessInfo> list = [];
        foreach (ThreadGroup process in kernel.Tasks.Processes(kernel.Tasks.RootPids))
        {
            Task leader = process.Leader;
            list.Add(new ProcessInfo
            {
                Uid = leader.Credentials.EffectiveUid,
                Pid = process.Pid,
                Ppid = process.Parent?.Pid ?? 0,
                Threads = process.LiveThreads,
                StartTimeSeconds = (KernelClock.RealtimeNs - (KernelClock.MonotonicNs - process.StartNs)) / 1_000_000_000,
                Command = GuestText.ToText(leader.Name),
                CpuTimeNs = leader.ProcessorTime.TotalNs,
            });
        }

        return new ControlReply { Processes = [.. list] };
    }

    /// <inheritdoc/>
    public ControlReply State()
    {
        SandboxPhase phase;
        lock (_lock)
        {
            phase = _root is null ? SandboxPhase.Created : _root.HasEnded ? SandboxPhase.Stopped : SandboxPhase.Running;
        }

        return new ControlReply { State = new SandboxStateInfo(phase, kernel.Tasks.Processes(kernel.Tasks.RootPids).Count) };
    }

    /// <inheritdoc/>
    public ControlReply Destroy()
    {
        ControlReply killed = Signal(new SignalRequest { Signal = 9, Target = SignalTarget.All });
        if (killed.Error is { Kind: ControlErrorKind.NoSuchProcess })
        {
            kernel.End();
        }

        return ControlReply.Done;
    }

    /// <summary>Answers the waits that are due, once the first process has ended: its end kills every other process.</summary>
    /// <returns>The sandbox process's exit status.</returns>
    internal int Finish()
    {
        const int KilledStatus = 9;
        int status;
        ProcessRecord? root;
        List<Action<ControlReply>> waiters = [];
        lock (_lock)
        {
            root = _root;
            status = root?.Status ?? 0;
            foreach (ProcessRecord record in _records.Values)
            {
                waiters.AddRange(record.Waiters);
                record.Waiters.Clear();
            }
        }

        foreach (Action<ControlReply> waiter in waiters)
        {
            waiter(new ControlReply { WaitStatus = KilledStatus });
        }

        // A terminal that nobody reads does not keep the sandbox from ending.
        _ = root is not { HasEnded: true } || root.Shown.Wait(TimeSpan.FromSeconds(2));

        return (status & 0x7f) != 0 ? 128 + (status & 0x7f) : (status >> 8) & 0xff;
    }

    private ControlReply Start(ProcessSpec spec, List<(int HostFd, int GuestFd)> descriptors, ProcessRecord record, bool isFirst = false)
    {
        UserCredentials credentials = ProcessBuilder.CredentialsOf(spec);
        VfsPath root = new(mounts.Root, mounts.Root.Root);
        Errno error = ProcessBuilder.EnterDirectory(spec, root, out VfsPath directory);
        if (error != Errno.None)
        {
            return ControlReply.Failed(ControlErrorKind.Invalid, $"working directory {GuestText.ToText(spec.Cwd)}: {error}");
        }

        FsContext fs = new(root, directory, spec.Umask < 0 ? 0x12u : (uint)spec.Umask);
        directory.Unreference();
        error = ProcessBuilder.FindProgram(spec, credentials, fs, out string path, out FileDescription? file);
        if (error != Errno.None)
        {
            fs.RemoveUser();
            return NotRunnable(spec, error);
        }

        FdTable table = new();
        record.Terminal = spec.Terminal ? ConsoleTerminal.Start(root, credentials, descriptors, table) : null;
        StandardStreams.Install(descriptors, table);
        if (isFirst && record.Terminal is { } console && ConsoleTerminal.MountConsole(mounts, root, console.Terminal) is var refused and not Errno.None)
        {
            log.Info($"there is no /dev/console: {refused}");
        }

        ResourceLimits limits = new();
        foreach (Control.ResourceLimit limit in spec.Rlimits)
        {
            if (limit.Resource is >= 0 and < (int)Resource.Count)
            {
                limits[(Resource)limit.Resource] = new CoreLimit(limit.Soft, limit.Hard);
            }
        }

        ProcessResult result = default;
        using ManualResetEventSlim ready = new(false);
        kernel.CreateProcess(
            new ProcessRequest
            {
                Program = new ProgramRequest
                {
                    File = file!,
                    Path = path,
                    Arguments = spec.Args,
                    Environment = ProcessBuilder.EnvironmentOf(spec, root),
                    OpenProgram = interpreter => ProcessBuilder.OpenProgram(credentials, fs, interpreter, out FileDescription? opened) is var failed && failed != Errno.None ? (OpenResult)failed : (OpenResult)opened!,
                    Credentials = credentials,
                },
                Descriptors = table,
                Fs = fs,
                Limits = limits,
                Filter = filter,
                OomScoreAdjustment = spec.OomScoreAdj,
                Terminal = record.Terminal?.Terminal,
                Ended = process => OnEnded(process, record),
            },
            created =>
            {
                result = created;
                if (created.Process is { } process)
                {
                    lock (_lock)
                    {
                        record.Process = process;
                        _records[process.Pid] = record;
                    }
                }

                ready.Set();
            });
        ready.Wait();
        if (result.Error != Errno.None)
        {
            table.RemoveUser(null);
            fs.RemoveUser();
            record.Terminal?.Finish(static () => { });
            return NotRunnable(spec, result.Error);
        }

        log.Debug($"started process {result.Process!.Pid}: {string.Join(' ', spec.Args)}");
        return new ControlReply { Pid = result.Process.Pid };
    }

    private void OnEnded(ThreadGroup process, ProcessRecord record)
    {
        Action<ControlReply>[] waiters;
        lock (_lock)
        {
            record.HasEnded = true;
            record.Status = process.ExitStatus;
            waiters = [.. record.Waiters];
            record.Waiters.Clear();
            if (waiters.Length > 0 && record != _root)
            {
                _ = _records.Remove(process.Pid);
            }
        }

        // Whoever waits hears of the end after the last output.
        if (record.Terminal is { } terminal)
        {
            terminal.Finish(Answer);
        }
        else
        {
            Answer();
        }

        void Answer()
        {
            record.Shown.Set();
            foreach (Action<ControlReply> waiter in waiters)
            {
                waiter(new ControlReply { WaitStatus = record.Status });
            }
        }
    }

    private TerminalBridge? TerminalOf(int pid)
    {
        lock (_lock)
        {
            return (pid is 0 or 1 ? _root : _records.GetValueOrDefault(pid))?.Terminal;
        }
    }

    private bool IsForeground(ThreadGroup process, int pid)
    {
        ThreadGroup? target = kernel.Tasks.FindProcess(kernel.Tasks.RootPids, pid);
        return target?.Session.Foreground is { } foreground ? process.ProcessGroup == foreground : process.Pid == pid;
    }

    private static ControlReply NotRunnable(ProcessSpec spec, Errno error)
    {
        string name = GuestText.ToText(spec.Args[0]);
        return error switch
        {
            Errno.ENOENT when !spec.Args[0].Contains('/', StringComparison.Ordinal) => ControlReply.Failed(ControlErrorKind.ExecutableNotFound, $"exec: \"{name}\": executable file not found in $PATH"),
            Errno.ENOENT => ControlReply.Failed(ControlErrorKind.ExecutableNotFound, $"exec: \"{name}\": no such file or directory"),
            Errno.EACCES or Errno.EISDIR => ControlReply.Failed(ControlErrorKind.NotExecutable, $"exec: \"{name}\": permission denied"),
            Errno.ENOEXEC => ControlReply.Failed(ControlErrorKind.NotExecutable, $"exec: \"{name}\": exec format error"),
            _ => ControlReply.Failed(ControlErrorKind.Internal, $"exec: \"{name}\": {error}"),
        };
    }
}
