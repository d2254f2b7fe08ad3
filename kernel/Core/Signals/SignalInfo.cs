// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Host;

namespace CVisor.Core.Signals;

/// <summary>siginfo_t (sigaction(2)): the part of its 128 bytes that any kind of signal uses; the rest is zero.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(48)]
public struct SignalInfo
{
    /// <summary>The size of siginfo_t in guest memory in bytes.</summary>
    public const int GuestSize = 128;

    /// <summary>si_code: sent by kill(2).</summary>
    public const int SI_USER = 0;

    /// <summary>si_code: sent by the kernel.</summary>
    public const int SI_KERNEL = 0x80;

    /// <summary>si_code: sent by sigqueue(3).</summary>
    public const int SI_QUEUE = -1;

    /// <summary>si_code: a POSIX timer expired.</summary>
    public const int SI_TIMER = -2;

    /// <summary>si_code: sent by tkill(2) or tgkill(2).</summary>
    public const int SI_TKILL = -6;

    /// <summary>si_code of SIGCHLD: the child exited.</summary>
    public const int CLD_EXITED = 1;

    /// <summary>si_code of SIGCHLD: a signal ended the child.</summary>
    public const int CLD_KILLED = 2;

    /// <summary>si_code of SIGCHLD: a signal ended the child and a core was dumped.</summary>
    public const int CLD_DUMPED = 3;

    /// <summary>si_code of SIGCHLD: a traced task stopped for its tracer.</summary>
    public const int CLD_TRAPPED = 4;

    /// <summary>si_code of SIGCHLD: the child stopped.</summary>
    public const int CLD_STOPPED = 5;

    /// <summary>si_code of SIGCHLD: the child goes on.</summary>
    public const int CLD_CONTINUED = 6;

    /// <summary>si_signo.</summary>
    public int Signal;

    /// <summary>si_errno.</summary>
    public int Errno;

    /// <summary>si_code.</summary>
    public int Code;

    private readonly int _pad;
    private ulong _field0;
    private ulong _field1;
    private ulong _field2;
    private ulong _field3;

    /// <summary>si_addr, or si_call_addr of SIGSYS.</summary>
    public ulong Address
    {
        readonly get => _field0;
        set => _field0 = value;
    }

    /// <summary>si_pid; si_timerid of a timer's signal.</summary>
    public int Pid
    {
        readonly get => unchecked((int)_field0);
        set => _field0 = (_field0 & 0xffff_ffff_0000_0000) | unchecked((uint)value);
    }

    /// <summary>si_uid; si_overrun of a timer's signal.</summary>
    public uint Uid
    {
        readonly get => unchecked((uint)(_field0 >> 32));
        set => _field0 = (_field0 & 0xffff_ffff) | ((ulong)value << 32);
    }

    /// <summary>si_value.</summary>
    public ulong Value
    {
        readonly get => _field1;
        set => _field1 = value;
    }

    /// <summary>si_status of SIGCHLD; si_fd of SIGIO (its si_band is <see cref="Address"/>); si_syscall of SIGSYS.</summary>
    public int Status
    {
        readonly get => unchecked((int)_field1);
        set => _field1 = (_field1 & 0xffff_ffff_0000_0000) | unchecked((uint)value);
    }

    /// <summary>si_arch of SIGSYS.</summary>
    public uint Architecture
    {
        readonly get => unchecked((uint)(_field1 >> 32));
        set => _field1 = (_field1 & 0xffff_ffff) | ((ulong)value << 32);
    }

    /// <summary>si_utime of SIGCHLD in clock ticks.</summary>
    public long UserTicks
    {
        readonly get => unchecked((long)_field2);
        set => _field2 = unchecked((ulong)value);
    }

    /// <summary>si_stime of SIGCHLD in clock ticks.</summary>
    public long SystemTicks
    {
        readonly get => unchecked((long)_field3);
        set => _field3 = unchecked((ulong)value);
    }

    /// <summary>Whether the kernel itself made it, rather than a process with kill(2) or the like.</summary>
    public readonly bool IsFromKernel => Code > 0;

    /// <summary>A signal from the kernel without details.</summary>
    public static SignalInfo FromKernel(int signal) => new() { Signal = signal, Code = SI_KERNEL };

    /// <summary>A signal from a process.</summary>
    /// <param name="signal">The signal.</param>
    /// <param name="code">SI_USER, SI_TKILL or SI_QUEUE.</param>
    /// <param name="pid">The sender's PID as the receiver sees it.</param>
    /// <param name="uid">The sender's real user.</param>
    public static SignalInfo FromProcess(int signal, int code, int pid, uint uid) => new() { Signal = signal, Code = code, Pid = pid, Uid = uid };

    /// <summary>Reads a guest's siginfo_t.</summary>
    public static Errno CopyIn(MemoryManager memory, UserPtr source, out SignalInfo info) => memory.CopyIn(source, out info);

    /// <summary>Stores all 128 bytes.</summary>
    public readonly void Write(Span<byte> destination)
    {
        destination[..GuestSize].Clear();
        Blit.Write(destination, in this);
    }

    /// <summary>Writes a siginfo_t to the guest.</summary>
    public readonly Errno CopyOut(MemoryManager memory, UserPtr destination)
    {
        Span<byte> bytes = stackalloc byte[GuestSize];
        Write(bytes);
        return memory.CopyOut(destination, bytes);
    }
}
