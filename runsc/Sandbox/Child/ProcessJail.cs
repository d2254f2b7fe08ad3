// SPDX-License-Identifier: Apache-2.0
using CVisor.Host;
using CVisor.Runsc.Control;

namespace CVisor.Runsc.Sandbox;

/// <summary>
/// What a new process of ours does to itself, in its own namespaces, before it serves anybody: an empty root, another
/// identity, no capabilities.
/// </summary>
public static class ProcessJail
{
    private const ulong MsRdonly = 1, MsNosuid = 2, MsNodev = 4, MsNoexec = 8, MsRemount = 32, MsRec = 0x4000, MsPrivate = 0x40000;
    private const int MntDetach = 2, PrSetPdeathsig = 1, PrSetDumpable = 4, PrCapbsetDrop = 24, PrSetNoNewPrivs = 38, SigKill = 9;
    private const uint CapVersion3 = 0x20080522;

    /// <summary>Replaces the root of this mount namespace by an empty, read-only directory.</summary>
    public static void EnterEmptyRoot()
    {
        HostCalls.Mount("none\0"u8, "/\0"u8, "\0"u8, MsRec | MsPrivate, "\0"u8).OrThrow("make the mounts private");

        // /proc is a directory on every host that gets here (runsc was executed through it).
        HostCalls.Mount("none\0"u8, "/proc\0"u8, "tmpfs\0"u8, MsNosuid | MsNodev | MsNoexec, "size=4k,mode=0555\0"u8).OrThrow("mount the empty root");
        HostCalls.Chdir("/proc\0"u8).OrThrow("chdir to the empty root");
        HostCalls.PivotRoot(".\0"u8, ".\0"u8).OrThrow("pivot_root");
        HostCalls.Umount2(".\0"u8, MntDetach).OrThrow("let go of the host's root");
        HostCalls.Chdir("/\0"u8).OrThrow("chdir /");
        HostCalls.Mount("none\0"u8, "/\0"u8, "\0"u8, MsRemount | MsRdonly | MsNosuid | MsNodev | MsNoexec, "\0"u8).OrThrow("make the empty root read-only");
    }

    /// <summary>Changes the identity, drops every capability and forbids new privileges, in every thread of the process.</summary>
    public static void DropPrivileges(BootJail jail)
    {
        // Raw calls act on one thread; the runtime has this one and the finalizer's.
        EveryThread.Run(() => DropInThisThread(jail.Uid, jail.Gid));

        // A change of identity clears the parent-death signal, so it comes last.
        HostCalls.Prctl(PrSetDumpable, 1, 0, 0, 0).OrThrow("prctl(PR_SET_DUMPABLE)");
        if (jail.DieWithParent)
        {
            HostCalls.Prctl(PrSetPdeathsig, SigKill, 0, 0, 0).OrThrow("prctl(PR_SET_PDEATHSIG)");
        }
    }

    /// <summary>Empties the calling thread's bounding set but for some capabilities; to be called while CAP_SETPCAP is held.</summary>
    internal static void LimitBoundingSet(ulong kept)
    {
        for (int capability = 0; capability < 64; capability++)
        {
            // EINVAL is the end of those that the host knows.
            if ((kept & (1UL << capability)) == 0 && HostCalls.Prctl(PrCapbsetDrop, (ulong)capability, 0, 0, 0).Error == HostErrno.EINVAL)
            {
                break;
            }
        }
    }

    private static void DropInThisThread(long uid, long gid)
    {
        LimitBoundingSet(kept: 0);
        if (gid >= 0)
        {
            HostCalls.Setgroups(0, 0).OrThrow("setgroups");
            HostCalls.Setresgid((uint)gid, (uint)gid, (uint)gid).OrThrow("setresgid");
        }

        if (uid >= 0)
        {
            HostCalls.Setresuid((uint)uid, (uint)uid, (uint)uid).OrThrow("setresuid");
        }

        HostCalls.Prctl(PrSetNoNewPrivs, 1, 0, 0, 0).OrThrow("prctl(PR_SET_NO_NEW_PRIVS)");
        HostCapHeader header = new() { Version = CapVersion3 };
        HostCapData none = default;
        HostCalls.Capset(ref header, ref none).OrThrow("capset");
    }
}
