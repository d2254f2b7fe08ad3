// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Signals;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Host;

namespace CVisor.FileSystems.Signalfd;

/// <summary>struct signalfd_siginfo.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(128)]
internal struct SignalfdInfo
{
    internal uint Signal;
    internal int Errno;
    internal int Code;
    internal uint Pid;
    internal uint Uid;
    internal int Fd;
    internal uint TimerId;
    internal uint Band;
    internal uint Overrun;
    internal uint TrapNumber;
    internal int Status;
    internal int Int;
    internal ulong Pointer;
    internal ulong UserTime;
    internal ulong SystemTime;
    internal ulong Address;
    internal ushort AddressLeastSignificantBit;
    internal ushort Pad1;
    internal int Syscall;
    internal ulong CallAddress;
    internal uint Architecture;
    private readonly uint _pad2;
    private readonly ulong _pad3;
    private readonly ulong _pad4;
    private readonly ulong _pad5;
}

/// <summary>Signals read from a descriptor (signalfd(2)): those of whoever reads, as on Linux.</summary>
public sealed class SignalfdDescription : FileDescription
{
    private const int InfoBytes = 128;
    private ulong _mask;

    /// <summary>Makes a signalfd.</summary>
    /// <param name="mask">What it takes; SIGKILL and SIGSTOP are left out.</param>
    /// <param name="flags">O_NONBLOCK.</param>
    public SignalfdDescription(SignalSet mask, OpenFlags flags)
        : base(default, flags | OpenFlags.ReadWrite) => Mask = mask;

    /// <summary>What it takes.</summary>
    public SignalSet Mask
    {
        get => new(Volatile.Read(ref _mask));
        set
        {
            Volatile.Write(ref _mask, (value & ~SignalSet.Unblockable).Bits);
            Queue?.Notify(PollEvents.AllIn);
        }
    }

    /// <inheritdoc/>
    public override Inode Inode => AnonymousFileSystem.SharedInode;

    /// <summary>The queue of the process that asks: each sees its own signals.</summary>
    public override WaitQueue? Queue => Task.Current?.ThreadGroup.SignalEvents;

    /// <inheritdoc/>
    public override string AnonymousName => "anon_inode:[signalfd]";

    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination)
    {
        if (destination.Remaining < InfoBytes)
        {
            return Errno.EINVAL;
        }

        long total = 0;
        while (destination.Remaining >= InfoBytes && task is not null && task.TryTakeSignal(Mask, out SignalInfo signal))
        {
            SignalfdInfo info = Translate(signal);
            Errno error = destination.CopyOut(Blit.AsReadOnlyBytes(in info), out _);
            if (error != Errno.None)
            {
                return total > 0 ? total : error;
            }

            total += InfoBytes;
        }

        return total > 0 ? total : Errno.EAGAIN;
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask) =>
        Task.Current is { } task && !(task.PendingSignalSet & Mask).IsEmpty ? mask & PollEvents.AllIn : PollEvents.None;

    /// <summary>What a signal tells depends on who sent it (signalfd_copyinfo()).</summary>
    private static SignalfdInfo Translate(in SignalInfo signal)
    {
        SignalfdInfo info = new() { Signal = unchecked((uint)signal.Signal), Errno = signal.Errno, Code = signal.Code };
        bool isFault = signal.IsFromKernel && signal.Signal is (SignalNumber.SIGSEGV or SignalNumber.SIGBUS or SignalNumber.SIGILL or SignalNumber.SIGFPE or SignalNumber.SIGTRAP);
        if (isFault)
        {
            info.Address = signal.Address;
        }
        else if (signal.Code == SignalInfo.SI_TIMER)
        {
            // The timer's number and its overruns stand where others have sender and user.
            info.TimerId = unchecked((uint)signal.Pid);
            info.Overrun = signal.Uid;
            info.Pointer = signal.Value;
            info.Int = unchecked((int)signal.Value);
        }
        else
        {
            info.Pid = unchecked((uint)signal.Pid);
            info.Uid = signal.Uid;
            if (signal.Signal == SignalNumber.SIGCHLD && signal.IsFromKernel)
            {
                info.Status = signal.Status;
                info.UserTime = unchecked((ulong)signal.UserTicks);
                info.SystemTime = unchecked((ulong)signal.SystemTicks);
            }
            else if (signal.Code < 0)
            {
                info.Pointer = signal.Value;
                info.Int = unchecked((int)signal.Value);
            }
        }

        return info;
    }
}
