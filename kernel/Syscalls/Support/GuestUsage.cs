// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Core.Time;

namespace CVisor.Syscalls;

/// <summary>struct rusage.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(144)]
internal struct GuestUsage
{
    internal long UserSeconds, UserMicroseconds, SystemSeconds, SystemMicroseconds;
    internal long MaximumResidentKib, SharedMemory, UnsharedData, UnsharedStack, MinorFaults, MajorFaults, Swaps;
    internal long BlocksIn, BlocksOut, MessagesSent, MessagesReceived, Signals, VoluntarySwitches, InvoluntarySwitches;

    private const long NsPerMicrosecond = 1000, MicrosecondsPerSecond = 1_000_000;

    internal static GuestUsage From(in ResourceUsage usage)
    {
        (long userSeconds, long user) = Math.DivRem(usage.Time.UserNs / NsPerMicrosecond, MicrosecondsPerSecond);
        (long systemSeconds, long system) = Math.DivRem(usage.Time.SystemNs / NsPerMicrosecond, MicrosecondsPerSecond);
        return new GuestUsage
        {
            UserSeconds = userSeconds,
            UserMicroseconds = user,
            SystemSeconds = systemSeconds,
            SystemMicroseconds = system,
            MaximumResidentKib = (long)(usage.MaximumResidentBytes >> 10),
            MinorFaults = usage.MinorFaults,
            VoluntarySwitches = usage.VoluntarySwitches,
            InvoluntarySwitches = usage.InvoluntarySwitches,
        };
    }
}
