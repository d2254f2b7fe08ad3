// SPDX-License-Identifier: Apache-2.0
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi.Arch;
using CVisor.Host;
using static CVisor.Platforms.Ptrace.PtraceConstants;

namespace CVisor.Platforms.Ptrace;

/// <summary>The tracer of one worker: releases stub threads, and waits for whichever stops first.</summary>
/// <remarks>
/// One host thread only, save <see cref="Kick"/> and <see cref="Post"/>. That thread sleeps in wait4(2) while guest code runs, so a kick needs a
/// tracee of its own to stop: the bell, a stub that does nothing but wait for a signal. With no context released the thread sleeps on a futex instead.
/// Files: this one holds the life of stubs and contexts; PtraceExecutor.Stops.cs what comes back; PtraceExecutor.Inject.cs calls run in a stub.
/// </remarks>
internal sealed partial class PtraceExecutor : IExecutor
{
    private readonly Dictionary<int, PtraceContext> _contexts = [];
    private readonly Queue<PtraceContext> _ready = new();
    private readonly ConcurrentQueue<Action> _posted = new();
    private readonly SemaphoreSlim _idleSignal = new(0);
    private readonly int _cpu;
    private readonly int _zygote;
    private readonly int _bell;
    private int _releasedCount;
    private int _kicked;
    private int _sleep;

    /// <summary>
    /// The flags of a new stub process. It is its maker's child, never ours (no CLONE_PARENT): wait4(2) reports the stops of a child of the calling
    /// thread even when another thread of this process traces it, so a worker would take the stops of stubs that moved to another one.
    /// Its maker ignores SIGCHLD, so the host forgets it as soon as its tracer has seen its end.
    /// </summary>
    private const long NewProcess = CLONE_FILES | SIGCHLD;

    private const int Awake = 0, AsleepIdle = 1, AsleepInWait = 2;

    /// <summary>Makes the tracer of the calling thread.</summary>
    /// <param name="index">Which worker this is.</param>
    /// <param name="cpu">The CPU to stay on.</param>
    /// <param name="first">The first executor, whose first stub this one's comes from; null for the first itself.</param>
    internal PtraceExecutor(int index, int cpu, PtraceExecutor? first)
    {
        Index = index;
        _cpu = cpu;
        PinSelf();
        _zygote = first is null ? StartZygote() : TakeZygote(first);
        _bell = CloneStub(_zygote, NewProcess, out _);
        StartBell();
    }

    /// <summary>Which worker this is.</summary>
    internal int Index { get; }

    /// <inheritdoc/>
    public AddressSpace CreateAddressSpace()
    {
        int pid = CloneStub(_zygote, NewProcess, out HostErrno error);
        if (pid < 0)
        {
            throw new HostException("clone a stub process", error);
        }

        return Adopt(pid);
    }

    /// <inheritdoc/>
    public AddressSpace? ForkAddressSpace(GuestContext parent, int mappings, out bool isEmpty)
    {
        isEmpty = false;
        int pid = CloneStub(((PtraceContext)parent).Tid, NewProcess, out _);
        return pid < 0 ? null : Adopt(pid);
    }

    /// <inheritdoc/>
    public GuestContext? CreateContext(AddressSpace space, GuestContext? sibling)
    {
        PtraceAddressSpace stub = (PtraceAddressSpace)space;
        if (stub.TryTakeIdle(out PtraceContext? idle))
        {
            return idle;
        }

        if (sibling is null)
        {
            return null;
        }

        int tid = CloneStub(((PtraceContext)sibling).Tid, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD, out _);
        return tid < 0 ? null : AddContext(stub, tid);
    }

    /// <inheritdoc/>
    public bool Owns(GuestContext context) => ((PtraceContext)context).Home == this;

    /// <inheritdoc/>
    public void Kick()
    {
        if (Interlocked.Exchange(ref _kicked, 1) != 0)
        {
            return;
        }

        switch (Interlocked.Exchange(ref _sleep, Awake))
        {
            case AsleepIdle:
                _ = _idleSignal.Release();
                break;
            case AsleepInWait:
                _ = HostCalls.Tgkill(_bell, _bell, SIGUSR1);
                break;
        }
    }

    /// <summary>Runs an action on this executor's thread soon. Thread-safe.</summary>
    internal void Post(Action action)
    {
        _posted.Enqueue(action);
        Kick();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ = HostCalls.Kill(_bell, SIGKILL);
        _ = HostCalls.Kill(_zygote, SIGKILL);
    }

    private PtraceAddressSpace Adopt(int pid)
    {
        PtraceAddressSpace space = new(this, pid);
        space.Retire(AddContext(space, pid));
        return space;
    }

    private PtraceContext AddContext(PtraceAddressSpace space, int tid)
    {
        PtraceContext context = new(space, tid) { Home = this };
        _contexts.Add(tid, context);
        space.Contexts.Add(context);
        return context;
    }

    private void PinSelf()
    {
        Span<byte> mask = stackalloc byte[128];
        mask.Clear();
        mask[_cpu / 8] = (byte)(1 << (_cpu % 8));

        // A container's cpuset may forbid it; then hand-over is slower and nothing else changes.
        _ = HostCalls.SchedSetaffinity(0, mask);
    }

    /// <summary>Starts the first stub: a copy of this process that drops everything but the stub page, from which every other stub is cloned.</summary>
    private static int StartZygote()
    {
        _ = StubPage.Address;
        long[] steps = GC.AllocateArray<long>(ChildScript.StepWords * 66, pinned: true);
        ChildScript.Set(steps, 0, ignoreFailure: false, SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
        for (int i = 1; i < 66; i++)
        {
            ChildScript.Set(steps, i, ignoreFailure: true, SYS_pause);
        }

        int pid = ChildScript.Clone(CLONE_FILES, steps).OrThrow("clone the first stub process").Int;
        _ = HostCalls.Ptrace(PTRACE_SEIZE, pid, 0, TraceOptions).OrThrow("trace the first stub process (is ptrace forbidden here?)");
        _ = HostCalls.Ptrace(PTRACE_INTERRUPT, pid, 0, 0).OrThrow("stop the first stub process");
        AwaitStop(pid);
        if (!Tracee.GetRseq(pid, out ulong rseq, out uint rseqSize, out uint rseqSignature).IsError && rseq != 0)
        {
            // The registration came along with the copy, and its memory is about to go.
            Require(InjectRaw(pid, SYS_rseq, unchecked((long)rseq), rseqSize, RSEQ_FLAG_UNREGISTER, rseqSignature), "unregister rseq in the stub");
        }

        Require(InjectRaw(pid, SYS_rt_sigaction, SIGCHLD, unchecked((long)StubPage.IgnoreAction), 0, 8), "let the stub's children go");
        Require(InjectRaw(pid, SYS_munmap, 0, unchecked((long)StubPage.Address)), "empty the stub's address space");
        ulong behind = StubPage.Address + StubPage.Length;
        if (behind < StubPage.EndOfUserSpace)
        {
            Require(InjectRaw(pid, SYS_munmap, unchecked((long)behind), unchecked((long)(StubPage.EndOfUserSpace - behind))), "empty the stub's address space");
        }

        Require(InjectRaw(pid, SYS_prctl, PR_SET_NO_NEW_PRIVS, 1), "restrict the stub");
        Require(InjectRaw(pid, SYS_seccomp, 1, 0, unchecked((long)StubPage.FilterProgram)), "install the stub's filter");
        return pid;
    }

    /// <summary>
    /// Gets the first stub of a later executor from the first executor: a copy of this process would bring the Sentry's own
    /// seccomp filter along, which forbids what stubs do. The new stub sleeps untraced between its two tracers.
    /// </summary>
    private static int TakeZygote(PtraceExecutor first)
    {
        int pid = -1;
        HostErrno error = HostErrno.None;
        using ManualResetEventSlim given = new(false);
        first.Post(() =>
        {
            pid = first.GiveZygote(out error);
            given.Set();
        });
        given.Wait();
        if (pid < 0)
        {
            throw new HostException("clone the first stub process of a worker", error);
        }

        _ = HostCalls.Ptrace(PTRACE_SEIZE, pid, 0, TraceOptions).OrThrow("trace the first stub process of a worker");
        _ = HostCalls.Ptrace(PTRACE_INTERRUPT, pid, 0, 0).OrThrow("stop the first stub process of a worker");
        AwaitStop(pid);
        return pid;
    }

    private int GiveZygote(out HostErrno error)
    {
        int pid = CloneStub(_zygote, NewProcess, out error);
        if (pid < 0)
        {
            return -1;
        }

        X64Registers registers = StubRegisters(SYS_pause);
        HostResult left = Tracee.SetRegisters(pid, ref registers);
        if (!left.IsError)
        {
            left = HostCalls.Ptrace(PTRACE_DETACH, pid, 0, 0);
        }

        error = left.Error;
        return left.IsError ? -1 : pid;
    }

    private static void Require(long result, string what) => _ = new HostResult(result).OrThrow(what);

    private void StartBell()
    {
        X64Registers registers = StubRegisters(SYS_pause);
        _ = Tracee.SetRegisters(_bell, ref registers).OrThrow("start the bell");
        _ = HostCalls.Ptrace(PTRACE_CONT, _bell, 0, 0).OrThrow("start the bell");
    }
}
