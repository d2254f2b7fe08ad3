// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Loader;
using CVisor.Core.Vfs;
using CVisor.Platforms;

namespace CVisor.Core.Tasks;

/// <summary>A process that comes from outside: the container's first, or one that <c>runsc exec</c> starts.</summary>
public sealed class ProcessRequest
{
    /// <summary>The program.</summary>
    public required ProgramRequest Program { get; init; }

    /// <summary>Its descriptors; taken over.</summary>
    public required FdTable Descriptors { get; init; }

    /// <summary>Its root and working directory; taken over.</summary>
    public required FsContext Fs { get; init; }

    /// <summary>Its limits.</summary>
    public ResourceLimits Limits { get; init; } = new();

    /// <summary>Its oom_score_adj.</summary>
    public int OomScoreAdjustment { get; init; }

    /// <summary>A filter of its system calls, and of its children's; null for none.</summary>
    public Seccomp.FilterProgram? Filter { get; init; }

    /// <summary>Its namespaces; null for the kernel's initial ones.</summary>
    public Namespaces.NamespaceSet? Namespaces { get; init; }

    /// <summary>Its controlling terminal, or null.</summary>
    public IControllingTerminal? Terminal { get; init; }

    /// <summary>Called once with the process when all its threads have ended, under the task set's lock: note it and return.</summary>
    public Action<ThreadGroup>? Ended { get; init; }
}

/// <summary>What <see cref="Kernel.CreateProcess"/> came to.</summary>
/// <param name="Process">The process; it runs already.</param>
/// <param name="Error">Why there is none.</param>
public readonly record struct ProcessResult(ThreadGroup? Process, Errno Error);

/// <summary>Processes from outside.</summary>
public sealed partial class Kernel
{
    /// <summary>The namespaces that the sandbox starts in; the boot code sets the host name.</summary>
    public Namespaces.NamespaceSet InitialNamespaces => field ??= CVisor.Core.Namespaces.NamespaceSet.CreateInitial(Tasks.RootPids, InitialNetworkNamespace, "cvisor");

    /// <summary>Creates a process and lets it run. Called on any thread but a worker's.</summary>
    /// <param name="request">What.</param>
    /// <param name="completed">Called on a worker's thread, once.</param>
    public void CreateProcess(ProcessRequest request, Action<ProcessResult> completed) =>
        Scheduler.RunOnFirst(executor =>
        {
            ProcessResult result;
            try
            {
                result = CreateProcessNow(request, executor);
            }
            catch (Exception bug) when (ReportBug(bug, null))
            {
                result = new ProcessResult(null, Errno.EIO); // The kernel has ended; the caller must not wait for ever.
            }

            completed(result);
        });

    private ProcessResult CreateProcessNow(ProcessRequest request, IExecutor executor)
    {
        AddressSpace space = executor.CreateAddressSpace();
        Blocking<LoadResult> loading = ProgramLoader.Load(this, space, request.Program);
        if (!loading.IsCompleted)
        {
            // Only opening a FIFO or a terminal waits, and neither is a program.
            throw new System.Diagnostics.UnreachableException("loading the first program waits");
        }

        LoadResult loaded = loading.Take();
        if (loaded.Program is not { } program)
        {
            return new ProcessResult(null, loaded.Error);
        }

        GuestContext? context = executor.CreateContext(space, null);
        if (context is null)
        {
            program.Memory.RemoveUser();
            return new ProcessResult(null, Errno.EAGAIN);
        }

        _ = Signals.ExtendedState.Reset(context);
        Task? task = Tasks.CreateProcess(this, new ProcessStart
        {
            Context = context,
            Memory = program.Memory,
            Fs = request.Fs,
            Descriptors = request.Descriptors,
            Credentials = request.Program.Credentials,
            Namespaces = request.Namespaces ?? InitialNamespaces,
            Pids = Tasks.RootPids,
            Limits = request.Limits,
            Name = program.Name,
            Ended = request.Ended,
        });
        if (task is null)
        {
            context.Destroy();
            program.Memory.RemoveUser();
            return new ProcessResult(null, Errno.EAGAIN);
        }

        task.ThreadGroup.OomScoreAdjustment = request.OomScoreAdjustment;
        if (request.Terminal is { } terminal)
        {
            Tasks.GiveTerminal(task.ThreadGroup, terminal);
        }

        if (request.Filter is { } filter)
        {
            _ = task.AddFilter(filter, isForAll: false, out _); // It is the first.
        }

        program.Memory.InstallAhead(context, program.Entry, program.StackPointer);
        task.StartProgram(program);
        task.Launch();
        return new ProcessResult(task.ThreadGroup, Errno.None);
    }
}
