// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Text;

namespace CVisor.Host;

/// <summary>
/// A new process described as a list of system calls: the child runs them one after another in machine code
/// (ChildScript) and never enters managed code; the last one is an execve.
/// </summary>
/// <remarks>
/// Every argument is put into unmanaged memory while the script is built, so that the child needs nothing of the
/// runtime. With CLONE_VM|CLONE_VFORK nothing is copied and this thread waits until the child has executed or died.
/// </remarks>
public sealed unsafe class HostChild : IDisposable
{
    private const int StepQuads = 9, StepBytes = StepQuads * 8, ModeQuad = 7, ResultQuad = 8;
    private const long NotRun = -4096, MustSucceed = 0, MayFail = 1;
    private const ulong CloneVm = 0x100, CloneVfork = 0x4000, SigChld = 17;
    private const int SigSetmask = 2;
    private const int SysRead = 0, SysOpen = 2, SysWrite = 1, SysClose = 3, SysRtSigaction = 13, SysRtSigprocmask = 14, SysDup3 = 292, SysPrctl = 157;
    private const int SysFcntl = 72, SysExecve = 59, SysSetsid = 112, SysChdir = 80, SysSetns = 308, SysCloseRange = 436, SysExit = 60;

    private readonly List<(string What, long[] Quads)> _steps = [];
    private readonly List<nint> _memory = [];
    private long* _script;

    /// <summary>What the step that failed was for; null when none did.</summary>
    public string? FailedStep { get; private set; }

    /// <summary>How the failed step ended.</summary>
    public HostErrno FailedError { get; private set; }

    /// <summary>Appends any system call.</summary>
    /// <param name="what">What it is for, for the message when it fails.</param>
    /// <param name="number">Its number.</param>
    /// <param name="arguments">At most six.</param>
    public HostChild Call(string what, long number, params ReadOnlySpan<long> arguments) => Add(what, MustSucceed, number, arguments);

    /// <summary>Appends a system call that may fail.</summary>
    public HostChild TryCall(string what, long number, params ReadOnlySpan<long> arguments) => Add(what, MayFail, number, arguments);

    /// <summary>Puts a descriptor at a number of the child's; it stays open across execve there.</summary>
    public HostChild PlaceFd(int from, int to) =>
        from == to ? Call("fcntl(F_SETFD)", SysFcntl, to, 2, 0) : Call("dup3", SysDup3, from, to, 0);

    /// <summary>Closes every descriptor from <paramref name="first"/> up.</summary>
    public HostChild CloseFrom(int first) => Call("close_range", SysCloseRange, first, uint.MaxValue, 0);

    /// <summary>Begins a session of its own.</summary>
    public HostChild Setsid() => Call("setsid", SysSetsid);

    /// <summary>Joins a namespace by its descriptor.</summary>
    public HostChild Setns(int fd, int type) => Call("setns", SysSetns, fd, type);

    /// <summary>Changes the working directory.</summary>
    public HostChild Chdir(string path) => Call($"chdir {path}", SysChdir, Text(path));

    /// <summary>prctl(2).</summary>
    public HostChild Prctl(string what, int option, long argument) => Call(what, SysPrctl, option, argument);

    /// <summary>Gives a signal its default action again; ignored signals outlive execve.</summary>
    public HostChild DefaultAction(int signal) => Call("rt_sigaction", SysRtSigaction, signal, Zeroes(32), 0, 8);

    /// <summary>Waits until a byte comes from a pipe; its end instead of a byte ends the child.</summary>
    /// <remarks>A read that returns 0 is not negative, so the caller must kill the child when it gives up.</remarks>
    public HostChild AwaitByte(int fd) => Call("read", SysRead, fd, Zeroes(8), 1);

    /// <summary>Writes a file, such as /proc/self/uid_map. <paramref name="freeFd"/> must be the child's lowest free descriptor.</summary>
    public HostChild WriteFile(string path, string content, int freeFd)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(content);
        return Call($"open {path}", SysOpen, Text(path), 1, 0)
            .Call($"write {path}", SysWrite, freeFd, Bytes(bytes), bytes.Length)
            .Call($"close {path}", SysClose, freeFd);
    }

    /// <summary>Replaces the child by a program, the last step.</summary>
    /// <param name="path">The program.</param>
    /// <param name="argv">Its arguments, argv[0] included.</param>
    /// <param name="environment">NAME=value strings.</param>
    public HostChild Exec(string path, IReadOnlyList<string> argv, IReadOnlyList<string> environment) =>
        Call("rt_sigprocmask", SysRtSigprocmask, SigSetmask, Zeroes(8), 0, 8)
            .Call($"exec {path}", SysExecve, Text(path), Vector(argv), Vector(environment));

    /// <summary>Replaces the child by a program whose arguments are bytes, the last step.</summary>
    public HostChild ExecBytes(string path, IReadOnlyList<byte[]> argv, IReadOnlyList<byte[]> environment) =>
        Call("rt_sigprocmask", SysRtSigprocmask, SigSetmask, Zeroes(8), 0, 8)
            .Call($"exec {path}", SysExecve, Text(path), Vector(argv), Vector(environment));

    /// <summary>Starts the child in this address space; returns when it has executed its program or failed.</summary>
    /// <param name="cloneFlags">CLONE_NEW* flags.</param>
    /// <returns>The child's PID; or the error of clone or of the failed step (see <see cref="FailedStep"/>), the child reaped.</returns>
    [HostCall("clone")]
    [HostCall("rt_sigprocmask")]
    [HostCall("wait4")]
    public HostResult Spawn(ulong cloneFlags = 0)
    {
        HostResult pid = Clone(cloneFlags | CloneVm | CloneVfork | SigChld);
        if (pid.IsError)
        {
            FailedStep = "clone";
            FailedError = pid.Error;
            return pid;
        }

        // A step that is not the execve and has a negative result, or an execve that returned at all, failed.
        for (int i = 0; i < _steps.Count; i++)
        {
            // SAFETY: Clone made the script, one record a step, and it lives until Dispose.
            long result = _script[(i * StepQuads) + ResultQuad];
            if (result < 0 && result != NotRun && _script[(i * StepQuads) + ModeQuad] == MustSucceed)
            {
                FailedStep = _steps[i].What;
                FailedError = (HostErrno)(-result);
                int status = 0;
                _ = HostCalls.Wait4(pid.Int, ref status, 0);
                return new HostResult(result);
            }
        }

        return pid;
    }

    /// <summary>
    /// Starts the child with a copy of this address space and returns at once, for a script that waits for this process
    /// (<see cref="AwaitByte"/>). A failed step shows only as exit status 127.
    /// </summary>
    [HostCall("clone")]
    [HostCall("rt_sigprocmask")]
    public HostResult SpawnCopied(ulong cloneFlags = 0)
    {
        HostResult pid = Clone(cloneFlags | SigChld);
        if (pid.IsError)
        {
            FailedStep = "clone";
            FailedError = pid.Error;
        }

        return pid;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (nint block in _memory)
        {
            // SAFETY: each block came from NativeMemory.Alloc* and is freed once.
            NativeMemory.Free((void*)block);
        }

        _memory.Clear();
        _script = null;
    }

    private HostResult Clone(ulong flags)
    {
        // The child ends by its last step; should an execve fail in "may fail" mode, the exit below ends it.
        _ = Add("exit", MustSucceed, SysExit, [127]);

        // SAFETY: the block holds one record a step, and lives until Dispose: a copied child has its own copy, a VM-sharing
        // one has executed or exited before clone returns.
        _script = (long*)Allocate(_steps.Count * StepBytes);
        for (int i = 0; i < _steps.Count; i++)
        {
            _steps[i].Quads.CopyTo(new Span<long>(_script + (i * StepQuads), StepQuads));
        }

        // Signals stay blocked in the child until its mask is reset right before execve: a handler of this runtime must
        // not run there.
        ulong all = ulong.MaxValue;
        ulong previous = 0;

        // SAFETY: the masks live on this stack; the script is complete, and its last step does not return.
        _ = HostCode.SyscallFast(SysRtSigprocmask, SigSetmask, (long)&all, (long)&previous, 8, 0, 0);
        var clone = (delegate* unmanaged<ulong, long*, long>)(HostCode.Base + HostCodeX64.ScriptClone);
        HostResult pid = new(clone(flags, _script));
        _ = HostCode.SyscallFast(SysRtSigprocmask, SigSetmask, (long)&previous, 0, 8, 0, 0);
        return pid;
    }

    private HostChild Add(string what, long mode, long number, ReadOnlySpan<long> arguments)
    {
        long[] quads = new long[StepQuads];
        quads[0] = number;
        arguments.CopyTo(quads.AsSpan(1, 6));
        quads[ModeQuad] = mode;
        quads[ResultQuad] = NotRun;
        _steps.Add((what, quads));
        return this;
    }

    private byte* Allocate(int length)
    {
        // SAFETY: freed in Dispose.
        byte* block = (byte*)NativeMemory.AllocZeroed((nuint)Math.Max(length, 1));
        _memory.Add((nint)block);
        return block;
    }

    private long Zeroes(int length) => (long)Allocate(length);

    private long Bytes(ReadOnlySpan<byte> bytes)
    {
        byte* block = Allocate(bytes.Length);

        // SAFETY: the block is that long.
        bytes.CopyTo(new Span<byte>(block, bytes.Length));
        return (long)block;
    }

    private long Text(string text)
    {
        byte* block = Allocate(Encoding.UTF8.GetMaxByteCount(text.Length) + 1);

        // SAFETY: the block is one byte longer.
        _ = Encoding.UTF8.GetBytes(text, new Span<byte>(block, Encoding.UTF8.GetMaxByteCount(text.Length)));
        return (long)block;
    }

    private long Vector(IReadOnlyList<byte[]> texts)
    {
        long* vector = (long*)Allocate((texts.Count + 1) * 8);
        for (int i = 0; i < texts.Count; i++)
        {
            byte* block = Allocate(texts[i].Length + 1);

            // SAFETY: the block is one byte longer, the vector one element longer than the list.
            texts[i].CopyTo(new Span<byte>(block, texts[i].Length));
            vector[i] = (long)block;
        }

        return (long)vector;
    }

    private long Vector(IReadOnlyList<string> texts)
    {
        long* vector = (long*)Allocate((texts.Count + 1) * 8);
        for (int i = 0; i < texts.Count; i++)
        {
            // SAFETY: the vector is one element longer than the list.
            vector[i] = Text(texts[i]);
        }

        return (long)vector;
    }
}
