// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace CVisor.Host.Filters;

/// <summary>What happens when this process's own filter refuses a host call: one line that names the call, and the end.</summary>
/// <remarks>
/// A filter answers "trap", so SIGSYS comes and the call is not made. The handler is machine code (TrapHandler in
/// generators/MachineCode/HostCode.cs): the refused call may have been the runtime's, so nothing managed can run there.
/// All it needs is laid out here beforehand.
/// </remarks>
public static unsafe class FilterTrap
{
    private const int StatusOffset = 0, CountOffset = 8, FirstFdOffset = 16, SecondFdOffset = 24, PrefixOffset = 32, NamesOffset = 160;
    private const int PrefixBytes = 120, EntryBytes = 32, NameBytes = 24;

    /// <summary>Numbers with an entry of their own; Linux has fewer calls on x86_64.</summary>
    private const int NameCount = 512;

    private static byte[]? s_report;

    /// <summary>Prepares the report and takes SIGSYS. Called once, before the filter is installed.</summary>
    /// <param name="prefix">The line up to the call's name, at most 120 bytes.</param>
    /// <param name="status">The exit status.</param>
    /// <param name="firstFd">Where the line goes; -1 for nowhere.</param>
    /// <param name="secondFd">Where it goes besides.</param>
    /// <param name="name">Names a call by its number; null when it has none.</param>
    [HostCall("rt_sigaction")]
    public static void Install(string prefix, int status, int firstFd, int secondFd, Func<int, string?> name)
    {
        byte[] report = GC.AllocateArray<byte>(NamesOffset + ((NameCount + 1) * EntryBytes), pinned: true);
        BinaryPrimitives.WriteInt64LittleEndian(report.AsSpan(StatusOffset), status);
        BinaryPrimitives.WriteInt64LittleEndian(report.AsSpan(CountOffset), NameCount);
        BinaryPrimitives.WriteInt64LittleEndian(report.AsSpan(FirstFdOffset), firstFd);
        BinaryPrimitives.WriteInt64LittleEndian(report.AsSpan(SecondFdOffset), secondFd == firstFd ? -1 : secondFd);
        Put(report.AsSpan(PrefixOffset), prefix, PrefixBytes);
        for (int number = 0; number < NameCount; number++)
        {
            Put(report.AsSpan(NamesOffset + (number * EntryBytes)), name(number) ?? number.ToString(CultureInfo.InvariantCulture), NameBytes);
        }

        Put(report.AsSpan(NamesOffset + (NameCount * EntryBytes)), "of unknown number", NameBytes);
        s_report = report;

        // SAFETY: the array is pinned and, by the static field, alive for good; its layout is the handler's.
        fixed (byte* p = report)
        {
            HostCode.HandleTraps(p);
        }
    }

    private static void Put(Span<byte> entry, string text, int maximum)
    {
        int length = Math.Min(text.Length, maximum);
        BinaryPrimitives.WriteInt64LittleEndian(entry, length);
        _ = Encoding.ASCII.GetBytes(text.AsSpan(0, length), entry[8..]);
    }
}
