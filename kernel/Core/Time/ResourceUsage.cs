// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Core.Time;

/// <summary>Processor time.</summary>
/// <param name="UserNs">In guest code, in nanoseconds.</param>
/// <param name="SystemNs">In the kernel on the guest's behalf, in nanoseconds.</param>
public readonly record struct ProcessorTime(long UserNs, long SystemNs)
{
    /// <summary>Both, in nanoseconds.</summary>
    public long TotalNs => UserNs + SystemNs;

    /// <summary>The sum.</summary>
    public static ProcessorTime operator +(ProcessorTime a, ProcessorTime b) => new(a.UserNs + b.UserNs, a.SystemNs + b.SystemNs);
}

/// <summary>What getrusage(2) tells.</summary>
/// <param name="Time">Processor time.</param>
/// <param name="MaximumResidentBytes">The most memory that was there at once, in bytes.</param>
/// <param name="MinorFaults">Page faults that needed no I/O.</param>
/// <param name="VoluntarySwitches">Waits.</param>
/// <param name="InvoluntarySwitches">Interruptions of guest code.</param>
public readonly record struct ResourceUsage(ProcessorTime Time, ulong MaximumResidentBytes, long MinorFaults, long VoluntarySwitches, long InvoluntarySwitches)
{
    /// <summary>The sum; of the memory the larger.</summary>
    public static ResourceUsage operator +(ResourceUsage a, ResourceUsage b) => new(
        a.Time + b.Time,
        Math.Max(a.MaximumResidentBytes, b.MaximumResidentBytes),
        a.MinorFaults + b.MinorFaults,
        a.VoluntarySwitches + b.VoluntarySwitches,
        a.InvoluntarySwitches + b.InvoluntarySwitches);
}
