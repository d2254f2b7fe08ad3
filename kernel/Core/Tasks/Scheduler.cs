// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Platforms;

namespace CVisor.Core.Tasks;

/// <summary>The workers of a kernel and who runs what.</summary>
/// <remarks>A task has a home worker, since a platform may be thread-affine; a new process goes to the worker with the fewest tasks.</remarks>
public sealed class Scheduler
{
    private readonly Worker[] _workers;

    internal Scheduler(Kernel kernel, IPlatform platform, int workerCount)
    {
        _workers = new Worker[workerCount];
        for (int i = 0; i < workerCount; i++)
        {
            _workers[i] = new Worker(kernel, platform, i);
        }
    }

    /// <summary>The workers.</summary>
    internal ReadOnlySpan<Worker> Workers => _workers;

    /// <summary>What tasks used on a processor, as /proc/stat tells: the worker of that number is the processor.</summary>
    public Time.ProcessorTime TimeOf(int processor) =>
        processor < _workers.Length ? new Time.ProcessorTime(_workers[processor].UserNs, _workers[processor].SystemNs) : default;

    /// <summary>Starts the host threads. The first executor is ready on return; the others follow when needed.</summary>
    internal void Start() => _workers[0].Start();

    /// <summary>Lets a task's home worker run it soon.</summary>
    [NoAlloc]
    internal void Enqueue(Task task) => _workers[task.HomeWorker].Enqueue(task);

    /// <summary>Chooses the home of a new process: where it is made, unless another worker has less to do.</summary>
    internal int ChooseHome(int current)
    {
        int best = current;
        for (int i = 0; i < _workers.Length; i++)
        {
            if (_workers[i].TaskCount < _workers[best].TaskCount)
            {
                best = i;
            }
        }

        return best;
    }

    /// <summary>Runs an action on the first worker's thread, for work that needs an executor but no task (making the first process).</summary>
    internal void RunOnFirst(Action<IExecutor> action) => _workers[0].Post(action);

    /// <summary>Stops all workers.</summary>
    internal void Stop()
    {
        foreach (Worker worker in _workers)
        {
            worker.Stop();
        }
    }
}

/// <summary>A host thread that runs tasks: takes one that has something to do, drives it until it runs guest code, waits or ends, and goes on to another.</summary>
internal sealed class Worker
{
    [ThreadStatic]
    private static Worker? t_current;

    private readonly Kernel _kernel;
    private readonly IPlatform _platform;
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly Queue<Task> _queue = new();
    [GuardedBy(nameof(_lock))]
    private readonly Queue<Action<IExecutor>> _actions = new();
    [GuardedBy(nameof(_lock))]
    private bool _isStarted;
    private IExecutor? _executor;
    private int _taskCount;
    private volatile bool _isStopping;

    internal Worker(Kernel kernel, IPlatform platform, int index)
    {
        _kernel = kernel;
        _platform = platform;
        Index = index;
    }

    internal int Index { get; }

    /// <summary>The worker of the calling thread, if it is one.</summary>
    internal static Worker? Current => t_current;

    /// <summary>The executor; only on the worker's own thread.</summary>
    internal IExecutor Executor => _executor!;

    /// <summary>What the tasks that live here used in guest code, in nanoseconds; only this worker's thread adds to it.</summary>
    internal long UserNs { get; set; }

    /// <summary>What they used in the kernel, in nanoseconds.</summary>
    internal long SystemNs { get; set; }

    /// <summary>Tasks that live here.</summary>
    internal int TaskCount => Volatile.Read(ref _taskCount);

    internal void CountTask(int delta) => _ = Interlocked.Add(ref _taskCount, delta);

    internal void Enqueue(Task task)
    {
        lock (_lock)
        {
            _queue.Enqueue(task);
            if (!_isStarted)
            {
                StartLocked();
                return;
            }
        }

        if (t_current != this)
        {
            _executor?.Kick();
        }
    }

    internal void Post(Action<IExecutor> action)
    {
        lock (_lock)
        {
            _actions.Enqueue(action);
            if (!_isStarted)
            {
                StartLocked();
                return;
            }
        }

        _executor?.Kick();
    }

    internal void Start()
    {
        lock (_lock)
        {
            if (!_isStarted)
            {
                StartLocked();
            }
        }
    }

    internal void Stop()
    {
        _isStopping = true;
        _executor?.Kick();
    }

    [RequiresLock(nameof(_lock))]
    private void StartLocked()
    {
        _isStarted = true;
        new Thread(Run, 1 << 20) { IsBackground = true, Name = "worker" }.Start();
    }

    private void Run()
    {
        t_current = this;
        try
        {
            IExecutor executor = _platform.CreateExecutor(Index);
            Volatile.Write(ref _executor, executor);
            while (!_isStopping)
            {
                if (TryTake(out Task? task, out Action<IExecutor>? action))
                {
                    action?.Invoke(executor);
                    if (task is not null)
                    {
                        Resume(task, executor);
                    }

                    if (executor.Wait(WaitMode.Poll) is { } early)
                    {
                        OnBack(early, executor);
                    }
                }
                else if (executor.Wait(WaitMode.Block) is { } back)
                {
                    OnBack(back, executor);
                }
            }

            executor.Dispose();
        }
        catch (Host.HostException failure) when (_executor is null)
        {
            _kernel.ReportStartFailure(failure.Message);
        }
        catch (Exception bug) when (_kernel.ReportBug(bug, Task.Current))
        {
            // The kernel ends the sandbox with a message; this worker does nothing more.
        }
    }

    private bool TryTake(out Task? task, out Action<IExecutor>? action)
    {
        lock (_lock)
        {
            bool any = _actions.TryDequeue(out action);
            return _queue.TryDequeue(out task) || any;
        }
    }

    private static void OnBack(GuestContext context, IExecutor executor)
    {
        if (context.Owner is not Task task)
        {
            return;
        }

        task.SetRunState(Task.RunState.InKernel);
        Task.Current = task;
        task.OnGuestExit(executor);
        Task.Current = null;
    }

    private static void Resume(Task task, IExecutor executor)
    {
        if (!task.TryMove(Task.RunState.Queued, Task.RunState.InKernel))
        {
            return;
        }

        if (task.Context is { } context && !executor.Owns(context))
        {
            executor.Import(context);
        }

        Task.Current = task;
        task.OnResume(executor);
        Task.Current = null;
    }
}
