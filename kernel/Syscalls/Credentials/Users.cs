// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;

namespace CVisor.Syscalls;

/// <content>getuid, geteuid, getresuid, setuid, setreuid, setresuid, setfsuid and the same for groups.</content>
public static partial class Handlers
{
    private const uint NoId = uint.MaxValue;

    /// <summary>getuid(2)</summary>
    public static partial SyscallResult Getuid(Task task) => task.Credentials.UserNamespace.ToGuestUid(task.Credentials.RealUid);

    /// <summary>geteuid(2)</summary>
    public static partial SyscallResult Geteuid(Task task) => task.Credentials.UserNamespace.ToGuestUid(task.Credentials.EffectiveUid);

    /// <summary>getgid(2)</summary>
    public static partial SyscallResult Getgid(Task task) => task.Credentials.UserNamespace.ToGuestGid(task.Credentials.RealGid);

    /// <summary>getegid(2)</summary>
    public static partial SyscallResult Getegid(Task task) => task.Credentials.UserNamespace.ToGuestGid(task.Credentials.EffectiveGid);

    /// <summary>getresuid(2)</summary>
    public static partial SyscallResult Getresuid(Task task, UserPtr ruid, UserPtr euid, UserPtr suid)
    {
        UserCredentials who = task.Credentials;
        UserNamespace ns = who.UserNamespace;
        return CopyOutIds(task, ruid, ns.ToGuestUid(who.RealUid), euid, ns.ToGuestUid(who.EffectiveUid), suid, ns.ToGuestUid(who.SavedUid));
    }

    /// <summary>getresgid(2)</summary>
    public static partial SyscallResult Getresgid(Task task, UserPtr rgid, UserPtr egid, UserPtr sgid)
    {
        UserCredentials who = task.Credentials;
        UserNamespace ns = who.UserNamespace;
        return CopyOutIds(task, rgid, ns.ToGuestGid(who.RealGid), egid, ns.ToGuestGid(who.EffectiveGid), sgid, ns.ToGuestGid(who.SavedGid));
    }

    /// <summary>setuid(2)</summary>
    public static partial SyscallResult Setuid(Task task, uint uid)
    {
        UserCredentials who = task.Credentials;
        return who.UserNamespace.TryFromGuestUid(uid, out uint wanted) ? Change(task, who.SetUid(wanted, out UserCredentials changed), changed) : Errno.EINVAL;
    }

    /// <summary>setreuid(2)</summary>
    public static partial SyscallResult Setreuid(Task task, uint ruid, uint euid)
    {
        UserCredentials who = task.Credentials;
        return TryUid(who, ruid, out uint? real) && TryUid(who, euid, out uint? effective)
            ? Change(task, who.SetReUid(real, effective, out UserCredentials changed), changed)
            : Errno.EINVAL;
    }

    /// <summary>setresuid(2)</summary>
    public static partial SyscallResult Setresuid(Task task, uint ruid, uint euid, uint suid)
    {
        UserCredentials who = task.Credentials;
        return TryUid(who, ruid, out uint? real) && TryUid(who, euid, out uint? effective) && TryUid(who, suid, out uint? saved)
            ? Change(task, who.SetResUid(real, effective, saved, out UserCredentials changed), changed)
            : Errno.EINVAL;
    }

    /// <summary>setfsuid(2)</summary>
    public static partial SyscallResult Setfsuid(Task task, uint uid)
    {
        UserCredentials who = task.Credentials;
        uint old = who.UserNamespace.ToGuestUid(who.FileUid);
        if (who.UserNamespace.TryFromGuestUid(uid, out uint wanted))
        {
            task.Credentials = who.SetFileUid(wanted);
        }

        return old;
    }

    /// <summary>setgid(2)</summary>
    public static partial SyscallResult Setgid(Task task, uint gid)
    {
        UserCredentials who = task.Credentials;
        return who.UserNamespace.TryFromGuestGid(gid, out uint wanted) ? Change(task, who.SetGid(wanted, out UserCredentials changed), changed) : Errno.EINVAL;
    }

    /// <summary>setregid(2)</summary>
    public static partial SyscallResult Setregid(Task task, uint rgid, uint egid)
    {
        UserCredentials who = task.Credentials;
        return TryGid(who, rgid, out uint? real) && TryGid(who, egid, out uint? effective)
            ? Change(task, who.SetReGid(real, effective, out UserCredentials changed), changed)
            : Errno.EINVAL;
    }

    /// <summary>setresgid(2)</summary>
    public static partial SyscallResult Setresgid(Task task, uint rgid, uint egid, uint sgid)
    {
        UserCredentials who = task.Credentials;
        return TryGid(who, rgid, out uint? real) && TryGid(who, egid, out uint? effective) && TryGid(who, sgid, out uint? saved)
            ? Change(task, who.SetResGid(real, effective, saved, out UserCredentials changed), changed)
            : Errno.EINVAL;
    }

    /// <summary>setfsgid(2)</summary>
    public static partial SyscallResult Setfsgid(Task task, uint gid)
    {
        UserCredentials who = task.Credentials;
        uint old = who.UserNamespace.ToGuestGid(who.FileGid);
        if (who.UserNamespace.TryFromGuestGid(gid, out uint wanted))
        {
            task.Credentials = who.SetFileGid(wanted);
        }

        return old;
    }

    private static Errno Change(Task task, Errno error, UserCredentials changed)
    {
        if (error == Errno.None)
        {
            UserCredentials before = task.Credentials;
            task.ChangeUser(changed);
            if (before.EffectiveUid != changed.EffectiveUid || before.EffectiveGid != changed.EffectiveGid || before.FileUid != changed.FileUid || before.FileGid != changed.FileGid)
            {
                // As commit_creds(): who changed hands is not to be looked into by whom it was.
                task.Memory.Dumpable = 0;
                task.ParentDeathSignal = 0;
            }
        }

        return error;
    }

    private static Errno CopyOutIds(Task task, UserPtr a, uint first, UserPtr b, uint second, UserPtr c, uint third)
    {
        Errno error = task.Memory.CopyOut(a, first);
        if (error == Errno.None)
        {
            error = task.Memory.CopyOut(b, second);
        }

        return error == Errno.None ? task.Memory.CopyOut(c, third) : error;
    }

    private static bool TryUid(UserCredentials who, uint guest, out uint? uid)
    {
        uid = null;
        if (guest == NoId)
        {
            return true;
        }

        bool found = who.UserNamespace.TryFromGuestUid(guest, out uint id);
        uid = id;
        return found;
    }

    private static bool TryGid(UserCredentials who, uint guest, out uint? gid)
    {
        gid = null;
        if (guest == NoId)
        {
            return true;
        }

        bool found = who.UserNamespace.TryFromGuestGid(guest, out uint id);
        gid = id;
        return found;
    }
}
