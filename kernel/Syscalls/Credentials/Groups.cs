// SPDX-License-Identifier: Apache-2.0
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Host;

namespace CVisor.Syscalls;

/// <content>getgroups, setgroups, capget, capset.</content>
public static partial class Handlers
{
    private const int MaximumGroups = 65536;
    private const uint CapVersion1 = 0x19980330, CapVersion2 = 0x20071026, CapVersion3 = 0x20080522;

    /// <summary>getgroups(2)</summary>
    public static partial SyscallResult Getgroups(Task task, int size, UserPtr list)
    {
        ImmutableArray<uint> groups = task.Credentials.Groups;
        if (size < 0)
        {
            return Errno.EINVAL;
        }

        if (size != 0)
        {
            if (size < groups.Length)
            {
                return Errno.EINVAL;
            }

            uint[] visible = new uint[groups.Length];
            for (int i = 0; i < visible.Length; i++)
            {
                visible[i] = task.Credentials.UserNamespace.ToGuestGid(groups[i]);
            }

            Errno error = task.Memory.CopyOut(list, Blit.AsBytes<uint>(visible.AsSpan()));
            if (error != Errno.None)
            {
                return error;
            }
        }

        return groups.Length;
    }

    /// <summary>setgroups(2)</summary>
    public static partial SyscallResult Setgroups(Task task, ulong size, UserPtr list)
    {
        UserCredentials who = task.Credentials;
        if (!who.Has(Capability.Setgid) || who.UserNamespace.DeniesSetgroups || who.UserNamespace.GidMap.IsEmpty)
        {
            return Errno.EPERM;
        }

        if (size > MaximumGroups)
        {
            return Errno.EINVAL;
        }

        uint[] wanted = new uint[size];
        Errno error = task.Memory.CopyIn(list, Blit.AsBytes<uint>(wanted.AsSpan()));
        if (error != Errno.None)
        {
            return error;
        }

        for (int i = 0; i < wanted.Length; i++)
        {
            if (!who.UserNamespace.TryFromGuestGid(wanted[i], out wanted[i]))
            {
                return Errno.EINVAL;
            }
        }

        Array.Sort(wanted);
        task.Credentials = who with { Groups = [.. wanted] };
        return Errno.None;
    }

    /// <summary>capget(2)</summary>
    public static partial SyscallResult Capget(Task task, UserPtr hdrp, UserPtr datap)
    {
        Errno error = ReadCapabilityHeader(task, hdrp, out CapabilityHeader header, out int words);
        if (error != Errno.None)
        {
            return error == Errno.EINVAL && datap.IsNull ? Errno.None : error; // A version query.
        }

        if (header.Pid < 0)
        {
            return Errno.EINVAL;
        }

        Task? target = header.Pid == 0 ? task : task.Kernel.Tasks.FindTask(task.PidNamespace, header.Pid);
        if (target is null)
        {
            return Errno.ESRCH;
        }

        UserCredentials who = target.Credentials;
        Span<CapabilityData> data =
        [
            new CapabilityData { Effective = Low(who.Effective), Permitted = Low(who.Permitted), Inheritable = Low(who.Inheritable) },
            new CapabilityData { Effective = High(who.Effective), Permitted = High(who.Permitted), Inheritable = High(who.Inheritable) },
        ];
        return datap.IsNull ? Errno.None : task.Memory.CopyOut(datap, Blit.AsBytes(data[..words]));

        static uint Low(CapabilitySet set) => unchecked((uint)set.Bits);

        static uint High(CapabilitySet set) => unchecked((uint)(set.Bits >> 32));
    }

    /// <summary>capset(2)</summary>
    public static partial SyscallResult Capset(Task task, UserPtr hdrp, UserPtr datap)
    {
        Errno error = ReadCapabilityHeader(task, hdrp, out CapabilityHeader header, out int words);
        if (error != Errno.None)
        {
            return error;
        }

        if (header.Pid != 0 && header.Pid != task.Id.Local)
        {
            return Errno.EPERM;
        }

        Span<CapabilityData> data = stackalloc CapabilityData[2];
        data.Clear();
        error = task.Memory.CopyIn(datap, Blit.AsBytes(data[..words]));
        if (error != Errno.None)
        {
            return error;
        }

        error = task.Credentials.SetCapabilities(
            Join(data[0].Effective, data[1].Effective),
            Join(data[0].Permitted, data[1].Permitted),
            Join(data[0].Inheritable, data[1].Inheritable),
            out UserCredentials changed);
        task.Credentials = changed;
        return error;

        static CapabilitySet Join(uint low, uint high) => new CapabilitySet(low | ((ulong)high << 32)) & CapabilitySet.All;
    }

    private static Errno ReadCapabilityHeader(Task task, UserPtr source, out CapabilityHeader header, out int words)
    {
        words = 0;
        Errno error = task.Memory.CopyIn(source, out header);
        if (error != Errno.None)
        {
            return error;
        }

        words = header.Version switch
        {
            CapVersion1 => 1,
            CapVersion2 or CapVersion3 => 2,
            _ => 0,
        };
        if (words != 0)
        {
            return Errno.None;
        }

        error = task.Memory.CopyOut(source, CapVersion3);
        return error == Errno.None ? Errno.EINVAL : error;
    }

    /// <summary>struct __user_cap_header_struct.</summary>
    [StructLayout(LayoutKind.Sequential)]
    [AbiStruct(8)]
    private struct CapabilityHeader
    {
        internal uint Version;
        internal int Pid;
    }

    /// <summary>struct __user_cap_data_struct.</summary>
    [StructLayout(LayoutKind.Sequential)]
    [AbiStruct(12)]
    private struct CapabilityData
    {
        internal uint Effective, Permitted, Inheritable;
    }
}
