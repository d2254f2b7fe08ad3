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
}

/// <summary>What <see cref="Kernel.CreateProcess"/> came to.</summary>
/// <param name="Process">The process; it runs already.</param>
/// <param name="Error">Why there is none.</param>
public readonly record struct ProcessResult(ThreadGroup? Process, Errno Error);

/// <summary>Processes from outside.</summary>
public sealed partial class Kernel
{
    /// <summary>Creates a process and lets it run. Called on any thread but a worker's.</summary>
    /// <param name="request">What.</param>
    /// <param name="completed">Called on a worker's thread, once.</param>
    public void CreateProcess(ProcessRequest request, Action<ProcessResult> completed) =>
        Scheduler.RunOnFirst(executor => completed(CreateProcessNow(request, executor)));

    private ProcessResult CreateProcessNow(ProcessRequest request, IExecutor executor)
    {
        AddressSpace space = executor.CreateAddressSpace();
        Blocking<LoadResult> loading = ProgramLoader.Load(this, space, request.Program);
        if (!loading.IsCompleted)
        {
            // Only opening a FIFO or a terminal waits, and neither is a program.
            throw new InvalidOperationException("loading the first program waits");
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

        Task task = CreateFirstTask(request, program, context);
        task.HomeWorker = 0;
        task.StartProgram(program);
        Scheduler.Workers[0].CountTask(1);
        Scheduler.Enqueue(task);
        return new ProcessResult(task.ThreadGroup, Errno.None);
    }

    private Task CreateFirstTask(ProcessRequest request, LoadedProgram program, GuestContext context)
    {
        int tid = Tasks.NextTid();
        ThreadGroup group = new(this, tid);
        return new Task(this, group, tid, context, program.Memory, request.Fs, request.Descriptors, request.Program.Credentials, program.Name);
    }
}
