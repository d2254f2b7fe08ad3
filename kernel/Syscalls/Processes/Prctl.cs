// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.Syscalls;

/// <content>prctl, arch_prctl, personality.</content>
public static partial class Handlers
{
    private const int PrSetPdeathsig = 1, PrGetPdeathsig = 2, PrGetDumpable = 3, PrSetDumpable = 4, PrGetUnalign = 5, PrGetKeepcaps = 7, PrSetKeepcaps = 8;
    private const int PrGetTiming = 13, PrSetTiming = 14, PrSetName = 15, PrGetName = 16, PrGetSeccomp = 21, PrSetSeccomp = 22, PrCapbsetRead = 23, PrCapbsetDrop = 24;
    private const int PrGetTsc = 25, PrSetTsc = 26, PrGetSecurebits = 27, PrSetSecurebits = 28, PrSetTimerslack = 29, PrGetTimerslack = 30, PrSetMm = 35;
    private const int PrSetChildSubreaper = 36, PrGetChildSubreaper = 37, PrSetNoNewPrivs = 38, PrGetNoNewPrivs = 39, PrGetTidAddress = 40, PrSetThpDisable = 41;
    private const int PrGetThpDisable = 42, PrCapAmbient = 47, PrSetVma = 0x53564d41, PrSetPtracer = 0x59616d61;
    private const int CapAmbientIsSet = 1, CapAmbientRaise = 2, CapAmbientLower = 3, CapAmbientClearAll = 4;
    private const int NameLength = 16;
    private const ulong TscEnable = 1;
    private const int ArchSetGs = 0x1001, ArchSetFs = 0x1002, ArchGetFs = 0x1003, ArchGetGs = 0x1004;

    /// <summary>prctl(2)</summary>
    public static partial SyscallResult Prctl(Task task, int option, ulong arg2, ulong arg3, ulong arg4, ulong arg5)
    {
        UserCredentials who = task.Credentials;
        bool restIsZero = arg3 == 0 && arg4 == 0 && arg5 == 0;
        switch (option)
        {
            case PrSetPdeathsig:
                if (arg2 > SignalNumber.Last)
                {
                    return Errno.EINVAL;
                }

                task.ParentDeathSignal = (int)arg2;
                return Errno.None;
            case PrGetPdeathsig:
                return task.Memory.CopyOut(new UserPtr(arg2), task.ParentDeathSignal);
            case PrGetDumpable:
                return task.Memory.Dumpable;
            case PrSetDumpable:
                if (arg2 > 1)
                {
                    return Errno.EINVAL;
                }

                task.Memory.Dumpable = (int)arg2;
                return Errno.None;
            case PrGetKeepcaps:
                return (who.SecureBits & SecureBits.KeepCaps) != 0 ? 1 : 0;
            case PrSetKeepcaps:
                if (arg2 > 1)
                {
                    return Errno.EINVAL;
                }

                if ((who.SecureBits & SecureBits.KeepCapsLocked) != 0)
                {
                    return Errno.EPERM;
                }

                task.Credentials = who with { SecureBits = arg2 == 0 ? who.SecureBits & ~SecureBits.KeepCaps : who.SecureBits | SecureBits.KeepCaps };
                return Errno.None;
            case PrGetTiming:
                return 0; // PR_TIMING_STATISTICAL
            case PrSetTiming:
                return arg2 == 0 ? Errno.None : Errno.EINVAL;
            case PrSetName:
                return SetName(task, new UserPtr(arg2));
            case PrGetName:
                return GetName(task, new UserPtr(arg2));
            case PrGetSeccomp:
                return (int)(task.Seccomp?.Mode ?? Core.Seccomp.SeccompMode.Disabled);
            case PrSetSeccomp:
                return arg2 switch
                {
                    1 => task.EnterStrictMode(),
                    2 => Seccomp(task, SetModeFilter, 0, new UserPtr(arg3)),
                    _ => Errno.EINVAL,
                };
            case PrSetPtracer:
                return Errno.None; // Yama's permission, which nobody needs here (yama/ptrace_scope is 0).
            case PrCapbsetRead:
                return arg2 > (ulong)Capability.LastCap ? Errno.EINVAL : who.Bounding.Contains((Capability)(int)arg2) ? 1 : 0;
            case PrCapbsetDrop:
                if (!who.Has(Capability.Setpcap))
                {
                    return Errno.EPERM;
                }

                if (arg2 > (ulong)Capability.LastCap)
                {
                    return Errno.EINVAL;
                }

                task.Credentials = who with { Bounding = who.Bounding & ~CapabilitySet.Of((Capability)(int)arg2) };
                return Errno.None;
            case PrGetTsc:
                return task.Memory.CopyOut(new UserPtr(arg2), (int)TscEnable);
            case PrSetTsc:
                return arg2 == TscEnable ? Errno.None : Errno.EINVAL;
            case PrGetSecurebits:
                return who.SecureBits;
            case PrSetSecurebits:
                return SetSecureBits(task, arg2);
            case PrSetTimerslack:
                task.Attributes.TimerSlackNs = arg2 is 0 or > long.MaxValue ? 50_000 : arg2;
                return Errno.None;
            case PrGetTimerslack:
                return unchecked((long)task.Attributes.TimerSlackNs);
            case PrSetChildSubreaper:
                task.ThreadGroup.IsSubreaper = arg2 != 0;
                return Errno.None;
            case PrGetChildSubreaper:
                return task.Memory.CopyOut(new UserPtr(arg2), task.ThreadGroup.IsSubreaper ? 1 : 0);
            case PrSetNoNewPrivs:
                if (arg2 != 1 || !restIsZero)
                {
                    return Errno.EINVAL;
                }

                task.Credentials = who with { HasNoNewPrivileges = true };
                return Errno.None;
            case PrGetNoNewPrivs:
                return arg2 != 0 || !restIsZero ? Errno.EINVAL : task.HasNoNewPrivileges ? 1 : 0;
            case PrGetTidAddress:
                return task.Memory.CopyOut(new UserPtr(arg2), task.ClearChildTid.Address);
            case PrGetThpDisable:
                return arg2 != 0 || !restIsZero ? Errno.EINVAL : 0;
            case PrSetThpDisable:
                return arg3 != 0 || arg4 != 0 || arg5 != 0 ? Errno.EINVAL : Errno.None;
            case PrCapAmbient:
                return CapAmbient(task, arg2, arg3, arg4 | arg5);
            default:
                return Errno.EINVAL;
        }
    }

    /// <summary>arch_prctl(2)</summary>
    public static partial SyscallResult ArchPrctl(Task task, int code, UserPtr addr)
    {
        switch (code)
        {
            case ArchSetFs or ArchSetGs:
                if (addr.Address >= task.Kernel.Platform.MaximumAddress)
                {
                    return Errno.EPERM;
                }

                if (code == ArchSetFs)
                {
                    task.Registers.FsBase = addr.Address;
                }
                else
                {
                    task.Registers.GsBase = addr.Address;
                }

                return Errno.None;
            case ArchGetFs:
                return task.Memory.CopyOut(addr, task.Registers.FsBase);
            case ArchGetGs:
                return task.Memory.CopyOut(addr, task.Registers.GsBase);
            default:
                return Errno.EINVAL;
        }
    }

    /// <summary>personality(2)</summary>
    public static partial SyscallResult Personality(Task task, ulong persona)
    {
        const uint Query = 0xffff_ffff;
        uint old = task.Attributes.Personality;
        uint wanted = unchecked((uint)persona); // As Linux: the lower half counts.
        if (wanted != Query)
        {
            task.Attributes.Personality = wanted;
        }

        return old;
    }

    private static SyscallResult SetName(Task task, UserPtr source)
    {
        Span<byte> bytes = stackalloc byte[NameLength];
        int length = task.Memory.CopyInPartial(source, bytes[..(NameLength - 1)]);
        int end = bytes[..length].IndexOf((byte)0);
        if (end < 0 && length < NameLength - 1)
        {
            return Errno.EFAULT;
        }

        task.Name = KernelString.FromBytes(bytes[..(end < 0 ? length : end)]);
        return Errno.None;
    }

    private static SyscallResult GetName(Task task, UserPtr destination)
    {
        Span<byte> bytes = stackalloc byte[NameLength];
        bytes.Clear();
        _ = KernelString.ToBytes(task.Name, bytes);
        return task.Memory.CopyOut(destination, bytes);
    }

    private static Errno SetSecureBits(Task task, ulong wanted)
    {
        UserCredentials who = task.Credentials;
        uint current = who.SecureBits;
        uint locked = (current & SecureBits.Locks) >> 1;
        bool isRefused =
            (locked & (current ^ wanted)) != 0 ||
            (current & SecureBits.Locks & ~wanted) != 0 ||
            (wanted & ~(ulong)SecureBits.All) != 0 ||
            !who.Has(Capability.Setpcap);
        if (isRefused)
        {
            return Errno.EPERM;
        }

        task.Credentials = who with { SecureBits = unchecked((uint)wanted) }; // Known bits only.
        return Errno.None;
    }

    private static SyscallResult CapAmbient(Task task, ulong operation, ulong capability, ulong rest)
    {
        UserCredentials who = task.Credentials;
        if (operation == CapAmbientClearAll)
        {
            if ((capability | rest) != 0)
            {
                return Errno.EINVAL;
            }

            task.Credentials = who with { Ambient = default };
            return Errno.None;
        }

        if (rest != 0 || capability > (ulong)Capability.LastCap)
        {
            return Errno.EINVAL;
        }

        CapabilitySet one = CapabilitySet.Of((Capability)(int)capability);
        switch (operation)
        {
            case CapAmbientIsSet:
                return (who.Ambient & one).IsEmpty ? 0 : 1;
            case CapAmbientLower:
                task.Credentials = who with { Ambient = who.Ambient & ~one };
                return Errno.None;
            case CapAmbientRaise:
                if ((who.Permitted & who.Inheritable & one).IsEmpty || (who.SecureBits & SecureBits.NoAmbientRaise) != 0)
                {
                    return Errno.EPERM;
                }

                task.Credentials = who with { Ambient = who.Ambient | one };
                return Errno.None;
            default:
                return Errno.EINVAL;
        }
    }
}
