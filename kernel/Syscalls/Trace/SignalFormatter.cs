// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Syscalls.Trace;

/// <summary>Prints siginfo_t (include/uapi/asm-generic/siginfo.h).</summary>
internal static class SignalFormatter
{
    /// <summary>sizeof(siginfo_t).</summary>
    public const int InfoSize = 128;

    private const int CodeOffset = 8;
    private const int UnionOffset = 16;

    /// <summary>Prints the parts of the union that the signal number and code say are there.</summary>
    public static void PrintInfo(TraceWriter writer, ReadOnlySpan<byte> bytes)
    {
        ulong signal = ValueFormatter.Load(bytes, 4);
        int code = unchecked((int)ValueFormatter.Load(bytes[CodeOffset..], 4));
        ReadOnlySpan<byte> union = bytes[UnionOffset..];
        writer.Text("{signo=");
        ValueFormatter.PrintSignal(writer, signal);
        writer.Text(", code=").Decimal((long)code);

        // From the kernel (code > 0) a fault tells its address; SIGILL SIGTRAP SIGBUS SIGFPE SIGSEGV.
        if (code > 0 && signal is 4 or 5 or 7 or 8 or 11)
        {
            writer.Text(", addr=").Hex(ValueFormatter.Load(union, 8));
        }
        else
        {
            writer.Text(", pid=").Decimal(ValueFormatter.Load(union, 4)).Text(", uid=").Decimal(ValueFormatter.Load(union[4..], 4));
            bool isChild = signal == 17;
            writer.Text(isChild ? ", status=" : ", value=").Hex(ValueFormatter.Load(union[8..], isChild ? 4 : 8));
        }

        writer.Text("}");
    }
}
