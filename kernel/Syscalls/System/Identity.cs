// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Namespaces;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Core.Vfs;
using CVisor.Host;

namespace CVisor.Syscalls;

/// <content>uname, sethostname, setdomainname, sysinfo, syslog, getrandom.</content>
public static partial class Handlers
{
    private const int UtsFieldSize = 65, UtsFields = 6, UtsNameMaximum = 64;
    private const int LogClose = 0, LogOpen = 1, LogRead = 2, LogReadAll = 3, LogReadClear = 4, LogConsoleLevel = 8, LogSizeUnread = 9, LogSizeBuffer = 10;
    private const uint RandomNonBlock = 1, RandomRandom = 2, RandomInsecure = 4;
    private const int RandomMaximum = 33_554_431;

    /// <summary>uname(2)</summary>
    public static partial SyscallResult Uname(Task task, UserPtr buf)
    {
        Span<byte> name = stackalloc byte[UtsFieldSize * UtsFields];
        name.Clear();
        UtsNamespace uts = task.Namespaces.Uts;
        Put(name, 0, KernelVersion.SystemName);
        Put(name, 1, uts.HostName);
        Put(name, 2, KernelVersion.Release);
        Put(name, 3, KernelVersion.Version);
        Put(name, 4, KernelVersion.Machine);
        Put(name, 5, uts.DomainName);
        return task.Memory.CopyOut(buf, name);

        static void Put(Span<byte> name, int field, string text) => _ = KernelString.ToBytes(text, name[(field * UtsFieldSize)..]);
    }

    /// <summary>sethostname(2)</summary>
    public static partial SyscallResult Sethostname(Task task, UserPtr name, ulong len)
    {
        Errno error = ReadUtsName(task, name, len, out string text);
        if (error == Errno.None)
        {
            task.Namespaces.Uts.HostName = text;
        }

        return error;
    }

    /// <summary>setdomainname(2)</summary>
    public static partial SyscallResult Setdomainname(Task task, UserPtr name, ulong len)
    {
        Errno error = ReadUtsName(task, name, len, out string text);
        if (error == Errno.None)
        {
            task.Namespaces.Uts.DomainName = text;
        }

        return error;
    }

    /// <summary>reboot(2) as in a container: the first process of the caller's PID namespace ends by a signal (reboot_pid_ns()).</summary>
    public static partial SyscallResult Reboot(Task task, int magic, int magic2, uint cmd, UserPtr arg)
    {
        const uint Magic = 0xfee1dead, Restart = 0x01234567, RestartWithCommand = 0xa1b2c3d4, Halt = 0xcdef0123, PowerOff = 0x4321fedc;
        if (!task.Credentials.Has(Capability.SysBoot, task.PidNamespace.Owner!))
        {
            return Errno.EPERM;
        }

        if (unchecked((uint)magic) != Magic || magic2 is not (672274793 or 85072278 or 369367448 or 537993216))
        {
            return Errno.EINVAL;
        }

        int signal = cmd switch
        {
            Restart or RestartWithCommand => SignalNumber.SIGHUP,
            Halt or PowerOff => SignalNumber.SIGINT,
            _ => 0,
        };
        if (signal == 0 || task.PidNamespace.Init is not { } init)
        {
            return Errno.EINVAL;
        }

        init.EndBySignal(signal);
        return Errno.None;
    }

    /// <summary>sysinfo(2)</summary>
    public static partial SyscallResult Sysinfo(Task task, UserPtr info)
    {
        ulong total = task.Kernel.TotalMemoryBytes;
        ulong used = Math.Min(total, unchecked((ulong)task.Kernel.Memory.UsedBytes));
        (double one, double five, double fifteen) = task.Kernel.Load.Read();
        return task.Memory.CopyOut(info, new GuestSysinfo
        {
            Load1 = ScaleLoad(one),
            Load5 = ScaleLoad(five),
            Load15 = ScaleLoad(fifteen),
            Uptime = (KernelClock.MonotonicNs - KernelClock.BootNs) / KernelClock.NsPerSecond,
            TotalRam = total,
            FreeRam = total - used,
            Processes = (ushort)Math.Min(ushort.MaxValue, task.Kernel.Tasks.ThreadCount),
            Unit = 1,
        });
    }

    /// <summary>A load as sysinfo(2) has it: times 1 &lt;&lt; SI_LOAD_SHIFT.</summary>
    private static ulong ScaleLoad(double load) => (ulong)(load * 65536);

    /// <summary>syslog(2)</summary>
    public static partial SyscallResult Syslog(Task task, int type, UserPtr buf, int len)
    {
        switch (type)
        {
            case LogReadAll or LogReadClear:
                if (buf.IsNull || len < 0)
                {
                    return Errno.EINVAL;
                }

                byte[] text = task.Kernel.Log.Read(len);
                Errno error = task.Memory.CopyOut(buf, text);
                return error == Errno.None ? text.Length : error;
            case LogRead:
                return 0; // Nothing new ever comes.
            case LogSizeUnread:
                return 0;
            case LogSizeBuffer:
                return KernelLog.BufferBytes;
            case LogClose or LogOpen or (> LogReadClear and < LogSizeUnread):
                return type == LogConsoleLevel && len is < 1 or > 8 ? Errno.EINVAL : Errno.None;
            default:
                return Errno.EINVAL;
        }
    }

    /// <summary>getrandom(2)</summary>
    public static partial SyscallResult Getrandom(Task task, UserPtr buf, ulong buflen, uint flags)
    {
        if ((flags & ~(RandomNonBlock | RandomRandom | RandomInsecure)) != 0 || (flags & (RandomRandom | RandomInsecure)) == (RandomRandom | RandomInsecure))
        {
            return Errno.EINVAL;
        }

        int length = (int)Math.Min(buflen, RandomMaximum);
        Span<byte> piece = stackalloc byte[256];
        for (int done = 0; done < length;)
        {
            Span<byte> bytes = piece[..Math.Min(piece.Length, length - done)];
            HostResult filled = HostCalls.Getrandom(bytes, 0);
            if (filled.IsError)
            {
                return filled.Error.ToGuest();
            }

            int copied = task.Memory.CopyOutPartial(buf.Offset((ulong)done), bytes[..filled.Int]);
            done += copied;
            if (copied < filled.Int)
            {
                return done == 0 ? Errno.EFAULT : done;
            }
        }

        return length;
    }

    private static Errno ReadUtsName(Task task, UserPtr name, ulong length, out string text)
    {
        text = "";
        if (!task.Credentials.Has(Capability.SysAdmin, task.Namespaces.Uts.Owner!))
        {
            return Errno.EPERM;
        }

        if (length > UtsNameMaximum)
        {
            return Errno.EINVAL;
        }

        Span<byte> bytes = stackalloc byte[UtsNameMaximum];
        bytes = bytes[..(int)length];
        Errno error = task.Memory.CopyIn(name, bytes);
        int end = bytes.IndexOf((byte)0);
        text = KernelString.FromBytes(end < 0 ? bytes : bytes[..end]);
        return error;
    }

    /// <summary>struct sysinfo.</summary>
    [StructLayout(LayoutKind.Sequential)]
    [AbiStruct(112)]
    private struct GuestSysinfo
    {
        internal long Uptime;
        internal ulong Load1, Load5, Load15;
        internal ulong TotalRam, FreeRam, SharedRam, BufferRam, TotalSwap, FreeSwap;
        internal ushort Processes, Pad;
        internal uint Pad2;
        internal ulong TotalHigh, FreeHigh;
        internal uint Unit, Pad3;
    }
}
