// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Core.Credentials;

/// <summary>Who a task is (credentials(7), capabilities(7)). Immutable: a change makes a new one, so that a reader needs no lock.</summary>
public sealed partial record UserCredentials
{
    /// <summary>The superuser with every capability, in the initial user namespace.</summary>
    public static UserCredentials Root { get; } = new()
    {
        Permitted = CapabilitySet.All,
        Effective = CapabilitySet.All,
        Bounding = CapabilitySet.All,
    };

    /// <summary>Real user.</summary>
    public uint RealUid { get; init; }

    /// <summary>Effective user.</summary>
    public uint EffectiveUid { get; init; }

    /// <summary>Saved user.</summary>
    public uint SavedUid { get; init; }

    /// <summary>User for file access.</summary>
    public uint FileUid { get; init; }

    /// <summary>Real group.</summary>
    public uint RealGid { get; init; }

    /// <summary>Effective group.</summary>
    public uint EffectiveGid { get; init; }

    /// <summary>Saved group.</summary>
    public uint SavedGid { get; init; }

    /// <summary>Group for file access.</summary>
    public uint FileGid { get; init; }

    /// <summary>Supplementary groups.</summary>
    public System.Collections.Immutable.ImmutableArray<uint> Groups { get; init; } = [];

    /// <summary>Permitted capabilities.</summary>
    public CapabilitySet Permitted { get; init; }

    /// <summary>Effective capabilities.</summary>
    public CapabilitySet Effective { get; init; }

    /// <summary>Inheritable capabilities.</summary>
    public CapabilitySet Inheritable { get; init; }

    /// <summary>The bounding set.</summary>
    public CapabilitySet Bounding { get; init; } = CapabilitySet.All;

    /// <summary>Ambient capabilities.</summary>
    public CapabilitySet Ambient { get; init; }

    /// <summary>SECBIT_* flags.</summary>
    public uint SecureBits { get; init; }

    /// <summary>Whether execve(2) grants nothing (PR_SET_NO_NEW_PRIVS).</summary>
    public bool HasNoNewPrivileges { get; init; }

    /// <summary>The user namespace in which the capabilities hold.</summary>
    public UserNamespace UserNamespace { get; init; } = UserNamespace.Initial;

    /// <summary>Whether the effective set has the capability, in the task's own user namespace.</summary>
    public bool Has(Capability capability) => Effective.Contains(capability);

    /// <summary>Whether the task has the capability towards objects of another user namespace: in it, or as an ancestor's owner (cap_capable()).</summary>
    public bool Has(Capability capability, UserNamespace target)
    {
        for (UserNamespace? ns = target; ns is not null; ns = ns.Parent)
        {
            if (ns == UserNamespace)
            {
                return Effective.Contains(capability);
            }

            if (ns.Parent == UserNamespace && ns.OwnerUid == EffectiveUid)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether the file-access group or a supplementary group is this one.</summary>
    public bool IsInGroup(uint gid) => gid == FileGid || Groups.Contains(gid);
}

/// <summary>A set of capabilities, one bit each.</summary>
/// <param name="Bits">The bits, by capability number.</param>
public readonly record struct CapabilitySet(ulong Bits)
{
    /// <summary>Every capability that this kernel knows (0..40).</summary>
    public static CapabilitySet All => new((1UL << ((int)Capability.LastCap + 1)) - 1);

    /// <summary>What setfsuid(2) gives and takes (CAP_FS_MASK).</summary>
    public static CapabilitySet FileSystem => Of(Capability.Chown) | Of(Capability.Mknod) | Of(Capability.DacOverride) | Of(Capability.DacReadSearch) |
        Of(Capability.Fowner) | Of(Capability.Fsetid) | Of(Capability.LinuxImmutable) | Of(Capability.MacOverride);

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty => Bits == 0;

    /// <summary>The set of one capability.</summary>
    public static CapabilitySet Of(Capability capability) => new(1UL << (int)capability);

    /// <summary>Whether the capability is in the set.</summary>
    public bool Contains(Capability capability) => (Bits & (1UL << (int)capability)) != 0;

    /// <summary>Both.</summary>
    public static CapabilitySet operator |(CapabilitySet a, CapabilitySet b) => new(a.Bits | b.Bits);

    /// <summary>What is in both.</summary>
    public static CapabilitySet operator &(CapabilitySet a, CapabilitySet b) => new(a.Bits & b.Bits);

    /// <summary>All others.</summary>
    public static CapabilitySet operator ~(CapabilitySet a) => new(~a.Bits & All.Bits);
}

/// <summary>Capabilities by Linux's numbers (linux/capability.h).</summary>
public enum Capability
{
    Chown = 0, DacOverride = 1, DacReadSearch = 2, Fowner = 3, Fsetid = 4, Kill = 5, Setgid = 6, Setuid = 7, Setpcap = 8,
    LinuxImmutable = 9, NetBindService = 10, NetBroadcast = 11, NetAdmin = 12, NetRaw = 13, IpcLock = 14, IpcOwner = 15,
    SysModule = 16, SysRawio = 17, SysChroot = 18, SysPtrace = 19, SysPacct = 20, SysAdmin = 21, SysBoot = 22, SysNice = 23,
    SysResource = 24, SysTime = 25, SysTtyConfig = 26, Mknod = 27, Lease = 28, AuditWrite = 29, AuditControl = 30, Setfcap = 31,
    MacOverride = 32, MacAdmin = 33, Syslog = 34, WakeAlarm = 35, BlockSuspend = 36, AuditRead = 37, Perfmon = 38, Bpf = 39,
    CheckpointRestore = 40, LastCap = 40,
}
