// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Arch;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Namespaces;
using CVisor.Core.Signals;
using CVisor.Core.Vfs;
using CVisor.Platforms;

namespace CVisor.Core.Tasks;

/// <summary>CLONE_* (clone(2)); the low byte of the older calls' flags is the exit signal and not part of these.</summary>
[Flags]
public enum CloneFlags : ulong
{
    None = 0,
    VirtualMemory = 0x100,
    Fs = 0x200,
    Files = 0x400,
    SignalHandlers = 0x800,
    PidFd = 0x1000,
    Ptrace = 0x2000,
    Vfork = 0x4000,
    Parent = 0x8000,
    Thread = 0x10000,
    NewMounts = 0x20000,
    SemaphoreUndo = 0x40000,
    SetTls = 0x80000,
    ParentSetTid = 0x100000,
    ChildClearTid = 0x200000,
    Detached = 0x400000,
    Untraced = 0x800000,
    ChildSetTid = 0x1000000,
    NewCgroup = 0x2000000,
    NewUts = 0x4000000,
    NewIpc = 0x8000000,
    NewUser = 0x10000000,
    NewPid = 0x20000000,
    NewNetwork = 0x40000000,
    Io = 0x80000000,
    ClearSignalHandlers = 0x1_0000_0000,
    IntoCgroup = 0x2_0000_0000,
    NewTime = 0x80,

    /// <summary>All kinds of namespaces but time.</summary>
    Namespaces = NewMounts | NewCgroup | NewUts | NewIpc | NewUser | NewPid | NewNetwork,
}

/// <summary>What clone(2), clone3(2), fork(2) and vfork(2) ask for.</summary>
public readonly record struct CloneRequest
{
    /// <summary>What is shared and what is new.</summary>
    public CloneFlags Flags { get; init; }

    /// <summary>What the parent is sent at the child's end; 0 for nothing.</summary>
    public int ExitSignal { get; init; }

    /// <summary>The child's stack pointer; 0 for the parent's.</summary>
    public ulong StackPointer { get; init; }

    /// <summary>The FS base with CLONE_SETTLS.</summary>
    public ulong Tls { get; init; }

    /// <summary>Where the parent's memory gets the child's id with CLONE_PARENT_SETTID.</summary>
    public UserPtr ParentTid { get; init; }

    /// <summary>Where the child's memory gets it with CLONE_CHILD_SETTID, and is cleared with CLONE_CHILD_CLEARTID.</summary>
    public UserPtr ChildTid { get; init; }

    /// <summary>Where the descriptor goes with CLONE_PIDFD.</summary>
    public UserPtr PidFd { get; init; }

    /// <summary>The numbers that the child is to have, from its own PID namespace outwards; null or short for whatever is free (clone3's set_tid).</summary>
    public int[]? Numbers { get; init; }
}

/// <summary>Making tasks (copy_process() of kernel/fork.c).</summary>
public sealed partial class Task
{
    private bool _exceedsProcesses;

    private bool _isUnstarted;
    private bool _finishesFork;
    private UserPtr _childSetTid;

    /// <summary>Lets a task that <see cref="TaskSet.CreateProcess"/> made run.</summary>
    public void Launch() => Kernel.Scheduler.Enqueue(this);

    /// <summary>Makes a task that goes on where this one is. The task itself only, in a system call.</summary>
    /// <returns>The child's id as this task sees it, or an error.</returns>
    public async Blocking<SyscallResult> Clone(CloneRequest request)
    {
        Errno error = Validate(request);
        if (error != Errno.None)
        {
            return error;
        }

        error = CreateChild(request, out Task? child, out VforkWait? vfork);
        if (error != Errno.None)
        {
            return error;
        }

        int tid = child!.Id.NumberIn(PidNamespace);
        TraceEvent what = ForkEvent(request);
        ulong message = Tracer is { } tracer ? (ulong)child.Id.NumberIn(tracer.PidNamespace) : 0;
        child.Launch();
        if (what != TraceEvent.None)
        {
            _ = await StopForEvent(what, message);
        }

        if (vfork is not null)
        {
            while (!vfork.IsDone && await Block(kind: BlockKind.Killable) != BlockOutcome.Interrupted)
            {
                PrepareToWait();
            }

            _ = await StopForEvent(TraceEvent.VforkDone, message);
        }

        return tid;
    }

    private Errno Validate(in CloneRequest request)
    {
        CloneFlags flags = request.Flags;
        bool isThread = Has(CloneFlags.Thread);
        bool isInvalid =
            (Has(CloneFlags.Fs) && (Has(CloneFlags.NewMounts) || Has(CloneFlags.NewUser))) ||
            (isThread && !Has(CloneFlags.SignalHandlers)) ||
            (Has(CloneFlags.SignalHandlers) && (!Has(CloneFlags.VirtualMemory) || Has(CloneFlags.ClearSignalHandlers))) ||
            (isThread && (Has(CloneFlags.NewUser) || Has(CloneFlags.NewPid) || Has(CloneFlags.PidFd) || Namespaces.PidForChildren != PidNamespace)) ||
            (Has(CloneFlags.Parent) && ThreadGroup.IsInit) ||
            (Has(CloneFlags.PidFd) && Has(CloneFlags.Detached)) ||
            Has(CloneFlags.IntoCgroup) ||
            (Has(CloneFlags.NewIpc) && Has(CloneFlags.SemaphoreUndo)) ||
            (Has(CloneFlags.NewPid) && Namespaces.PidForChildren.Level + 1 >= PidNamespace.MaximumLevel) ||
            (Has(CloneFlags.SetTls) && request.Tls >= Kernel.Platform.MaximumAddress);
        if (isInvalid)
        {
            // CLONE_SETTLS with an address that no guest may use is EPERM, as arch_prctl(2) says it.
            return Has(CloneFlags.SetTls) && request.Tls >= Kernel.Platform.MaximumAddress ? Errno.EPERM : Errno.EINVAL;
        }

        if (ThreadGroup.Kernel.Tasks.ThreadCount >= TaskSet.MaximumThreads || Attributes.ForbidsChildren || HasTooManyProcesses())
        {
            return Errno.EAGAIN;
        }

        _exceedsProcesses = false;

        bool needsAdmin = (flags & CloneFlags.Namespaces & ~CloneFlags.NewUser) != 0 && !Has(CloneFlags.NewUser);
        return needsAdmin && !Credentials.Has(Capability.SysAdmin) ? Errno.EPERM : Errno.None;

        bool Has(CloneFlags flag) => (flags & flag) != 0;
    }

    private Errno CreateChild(in CloneRequest request, out Task? child, out VforkWait? vfork)
    {
        CloneFlags flags = request.Flags;
        child = null;
        vfork = null;
        UserCredentials credentials = Credentials;
        if ((flags & CloneFlags.NewUser) != 0)
        {
            Errno error = credentials.EnterNewNamespace(out credentials);
            if (error != Errno.None)
            {
                return error;
            }
        }

        Errno memoryError = CreateHardware(flags, out MemoryManager? memory, out GuestContext? context);
        if (memoryError != Errno.None)
        {
            return memoryError;
        }

        ref X64Registers registers = ref context!.Registers;
        registers = Registers;
        registers.Rax = 0;
        if (request.StackPointer != 0)
        {
            registers.Rsp = request.StackPointer;
        }

        if ((flags & CloneFlags.SetTls) != 0)
        {
            registers.FsBase = request.Tls;
        }

        NamespaceSet namespaces = Namespaces.With((NamespaceKind)(ulong)(flags & CloneFlags.Namespaces), credentials.UserNamespace);
        int home = HomeWorker;
        if ((flags & CloneFlags.VirtualMemory) == 0)
        {
            int other = Kernel.Scheduler.ChooseHome(HomeWorker);
            if (other != home && Worker.Current!.Executor.TryExport(context))
            {
                home = other;
            }
        }

        FsContext fs = (flags & CloneFlags.Fs) != 0 ? Fs : Fs.Clone();
        if ((flags & CloneFlags.NewMounts) != 0)
        {
            _ = fs.Mounts.Clone(fs, credentials.UserNamespace);
        }

        FdTable descriptors = (flags & CloneFlags.Files) != 0 ? Descriptors : Descriptors.Clone();
        if (fs == Fs)
        {
            fs.AddUser();
        }

        if (descriptors == Descriptors)
        {
            descriptors.AddUser();
        }

        Errno result = Errno.None;
        lock (Kernel.Tasks.Lock)
        {
            ProcessId? id = null;
            result = ThreadGroup.IsExiting ? Errno.EAGAIN : namespaces.PidForChildren.AllocateLocked(request.Numbers, out id);
            if (id is not null)
            {
                child = AddChildLocked(request, id, context, memory!, fs, descriptors, credentials, namespaces, home);
            }
        }

        if (child is null)
        {
            descriptors.RemoveUser(null);
            fs.RemoveUser();
            context.Destroy();
            memory!.RemoveUser();
            return result;
        }

        if (child.ThreadGroup != ThreadGroup)
        {
            child.ThreadGroup.ApplyCpuLimit();
        }

        return Finish(request, child, out vfork);
    }

    [RequiresLock("TaskSet.Lock")]
    private Task AddChildLocked(
        in CloneRequest request, ProcessId id, GuestContext context, MemoryManager memory, FsContext fs, FdTable descriptors, UserCredentials credentials, NamespaceSet namespaces, int home)
    {
        CloneFlags flags = request.Flags;
        bool isThread = (flags & CloneFlags.Thread) != 0;
        ThreadGroup group = isThread ? ThreadGroup : new ThreadGroup(Kernel, HandlersFor(flags), ThreadGroup.Limits.Clone())
        {
            ExitSignal = (flags & CloneFlags.Parent) != 0 ? ThreadGroup.ExitSignal : request.ExitSignal,
        };
        Task child = new(Kernel, group, id, context, memory, fs, descriptors, credentials, namespaces, Name)
        {
            HomeWorker = home,
            SignalMask = SignalMask,
            SignalStack = (flags & (CloneFlags.VirtualMemory | CloneFlags.Vfork)) == CloneFlags.VirtualMemory ? SignalStack.None : SignalStack,
            ClearChildTid = (flags & CloneFlags.ChildClearTid) != 0 ? request.ChildTid : default,
            _childSetTid = (flags & CloneFlags.ChildSetTid) != 0 ? request.ChildTid : default,
            _isUnstarted = true,
            _finishesFork = (flags & CloneFlags.VirtualMemory) == 0,
            Attributes = Attributes.Clone(),
        };
        child.InheritSeccompLocked(this);
        child.InheritTraceLocked(this, request);
        if (isThread)
        {
            group.Threads.Add(child);
            group.LiveThreads++;
        }
        else
        {
            group.AddFirstLocked(child, (flags & CloneFlags.Parent) != 0 ? ThreadGroup.ParentThread : this);
            group.JoinLocked(ThreadGroup.ProcessGroup);
            group.HasLeftTerminal = ThreadGroup.HasLeftTerminal;
        }

        Kernel.Tasks.Register(child);
        child.Wake(Wakeups.Signal); // So that it looks at what its start still needs before it runs guest code.
        return child;
    }

    /// <summary>Takes over credentials with another real user: when that one has more threads than RLIMIT_NPROC allows, the next execve(2) looks again (flag_nproc_exceeded()).</summary>
    public void ChangeUser(UserCredentials changed)
    {
        if (changed.RealUid != Credentials.RealUid)
        {
            _exceedsProcesses = changed.RealUid != 0 && ExceedsProcesses(changed.RealUid);
        }

        Credentials = changed;
    }

    /// <summary>Whether execve(2) must fail with EAGAIN: the limit was exceeded when the user changed, and it still is.</summary>
    public bool MayNotExecute() => _exceedsProcesses && (_exceedsProcesses = ExceedsProcesses(Credentials.RealUid));

    private bool ExceedsProcesses(uint user)
    {
        ulong limit = ThreadGroup.Limits[Resource.Processes].Soft;
        return limit < TaskSet.MaximumThreads && Kernel.Tasks.HasThreads(user, limit + 1);
    }

    /// <summary>RLIMIT_NPROC: whether the real user has as many threads as it may. Root and who may exceed limits do not count.</summary>
    private bool HasTooManyProcesses()
    {
        ulong limit = ThreadGroup.Limits[Resource.Processes].Soft;
        uint user = Credentials.RealUid;
        return limit < TaskSet.MaximumThreads && user != 0 && !Credentials.Has(Capability.SysResource, UserNamespace.Initial) &&
            !Credentials.Has(Capability.SysAdmin, UserNamespace.Initial) && Kernel.Tasks.HasThreads(user, limit);
    }

    private SignalHandlers HandlersFor(CloneFlags flags) =>
        (flags & CloneFlags.SignalHandlers) != 0 ? ThreadGroup.Handlers
        : (flags & CloneFlags.ClearSignalHandlers) != 0 ? ThreadGroup.Handlers.WithoutHandlers()
        : ThreadGroup.Handlers.Clone();

    /// <summary>Makes the address space, or shares it, and the hardware thread.</summary>
    private Errno CreateHardware(CloneFlags flags, out MemoryManager? memory, out GuestContext? context)
    {
        GuestContext own = Context!;
        IExecutor executor = Worker.Current!.Executor;
        bool shares = (flags & CloneFlags.VirtualMemory) != 0;
        context = null;
        if (shares)
        {
            Memory.AddUser();
            memory = Memory;
        }
        else
        {
            memory = Memory.Fork(own, executor);
            if (memory is null)
            {
                return Errno.ENOMEM;
            }
        }

        context = executor.CreateContext(memory.Space, shares ? own : null);
        if (context is null)
        {
            memory.RemoveUser();
            memory = null;
            return Errno.EAGAIN;
        }

        if (shares)
        {
            // A thread that was used before has its last user's state. (A fresh process's thread is a copy already.)
            _ = ExtendedState.Copy(own, context);
        }

        return Errno.None;
    }

    /// <summary>What needs no lock: telling both sides the id.</summary>
    private Errno Finish(in CloneRequest request, Task child, out VforkWait? vfork)
    {
        vfork = null;
        if ((request.Flags & CloneFlags.PidFd) != 0)
        {
            PidFd description = new(child.ThreadGroup, OpenFlags.ReadWrite);
            Errno error = Descriptors.Install(description, closeOnExec: true, FileLimit, out int fd);
            if (error == Errno.None)
            {
                error = Memory.CopyOut(request.PidFd, fd);
            }
            else
            {
                description.Unreference();
            }

            if (error != Errno.None)
            {
                // Too late to undo the child's birth: it ends before its first instruction, unseen.
                lock (Kernel.Tasks.Lock)
                {
                    child.ThreadGroup.ExitSignal = 0;
                    child.ThreadGroup.BeginExitLocked(SignalNumber.SIGKILL);
                    child.ThreadGroup.DisownLocked();
                }

                child.Launch();
                return error;
            }
        }

        if ((request.Flags & CloneFlags.ParentSetTid) != 0)
        {
            _ = Memory.CopyOut(request.ParentTid, child.Id.NumberIn(PidNamespace));
        }

        if ((request.Flags & CloneFlags.Vfork) != 0)
        {
            vfork = new VforkWait(this);
            child.Vfork = vfork;
            PrepareToWait();
        }

        return Errno.None;
    }

    /// <summary>The part of a task's birth that it does itself, with its own memory at hand (schedule_tail()).</summary>
    private void FinishStart()
    {
        if (!_isUnstarted)
        {
            return;
        }

        _isUnstarted = false;
        if (_finishesFork)
        {
            Memory.FinishFork(Context!);
        }

        if (!_childSetTid.IsNull)
        {
            _ = Memory.CopyOut(_childSetTid, Id.Local);
        }
    }
}
