// SPDX-License-Identifier: Apache-2.0
using CVisor.Host;
using CVisor.Runsc.Control;

namespace CVisor.Runsc.Sandbox;

/// <summary>The rights the gofer keeps: those over files, as a container's root has them.</summary>
internal static class GoferPrivileges
{
    private const int PrSetPdeathsig = 1, PrSetNoNewPrivs = 38, SigKill = 9;
    private const uint CapVersion3 = 0x20080522;

    /// <summary>CHOWN, DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER, FSETID, SETGID, SETUID, MKNOD, SETFCAP: gVisor's gofer keeps the same file rights.</summary>
    private const ulong FileCapabilities = (1UL << 0) | (1UL << 1) | (1UL << 2) | (1UL << 3) | (1UL << 4) | (1UL << 6) | (1UL << 7) | (1UL << 27) | (1UL << 31);

    /// <summary>Drops everything else, in every thread.</summary>
    public static void Drop(BootJail jail)
    {
        EveryThread.Run(static () =>
        {
            HostCalls.Prctl(PrSetNoNewPrivs, 1, 0, 0, 0).OrThrow("prctl(PR_SET_NO_NEW_PRIVS)");
            ProcessJail.LimitBoundingSet(FileCapabilities);
            HostCapHeader header = new() { Version = CapVersion3 };
            HostCapData has = default;
            HostCalls.Capget(ref header, ref has).OrThrow("capget");
            HostCapData kept = new()
            {
                EffectiveLow = has.PermittedLow & (uint)FileCapabilities,
                PermittedLow = has.PermittedLow & (uint)FileCapabilities,
            };
            HostCalls.Capset(ref header, ref kept).OrThrow("capset");
        });
        if (jail.DieWithParent)
        {
            HostCalls.Prctl(PrSetPdeathsig, SigKill, 0, 0, 0).OrThrow("prctl(PR_SET_PDEATHSIG)");
        }
    }
}
