// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using CVisor.Abi;
using CVisor.Abi.Arch;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Host;

namespace CVisor.Syscalls.Support;

/// <summary>A stopped tracee's registers as ptrace(2) shows them (struct user of sys/user.h).</summary>
internal static class TracedRegisters
{
    /// <summary>struct user_fpregs_struct in bytes: the part of the extended state that FXSAVE stores.</summary>
    internal const int LegacyFloatBytes = 512;

    private const ulong UserBytes = 912, DebugOffset = 848;
    private const uint AuditArchX64 = 0xc000_003e;

    /// <summary>PTRACE_PEEKUSER; false for an address outside struct user.</summary>
    internal static bool TryPeek(Task target, ulong offset, out ulong word)
    {
        word = 0;
        if ((offset & 7) != 0 || offset >= UserBytes)
        {
            return false;
        }

        ReadOnlySpan<byte> registers = Blit.AsBytes(ref target.Registers);
        if (offset < (ulong)registers.Length)
        {
            word = BinaryPrimitives.ReadUInt64LittleEndian(registers[(int)offset..]);
        }

        return true; // The rest, debug registers among it, is zero.
    }

    /// <summary>PTRACE_POKEUSER; false for what cannot be set. There are no hardware break points.</summary>
    internal static bool TryPoke(Task tracer, Task target, ulong offset, ulong word)
    {
        if ((offset & 7) != 0 || offset >= UserBytes)
        {
            return false;
        }

        X64Registers registers = target.Registers;
        Span<byte> bytes = Blit.AsBytes(ref registers);
        if (offset >= (ulong)bytes.Length)
        {
            return word == 0 && offset >= DebugOffset;
        }

        BinaryPrimitives.WriteUInt64LittleEndian(bytes[(int)offset..], word);
        return TryReplace(tracer, target, registers);
    }

    /// <summary>Replaces the registers, but for what the kernel keeps: segments, and flags that are not the user's.</summary>
    internal static bool TryReplace(Task tracer, Task target, in X64Registers wanted)
    {
        ulong end = tracer.Kernel.Platform.MaximumAddress;
        if (wanted.FsBase >= end || wanted.GsBase >= end)
        {
            return false;
        }

        ref X64Registers registers = ref target.Registers;
        X64Registers before = registers;
        registers = wanted;
        (registers.Cs, registers.Ss, registers.Ds, registers.Es, registers.Fs, registers.Gs) = (before.Cs, before.Ss, before.Ds, before.Es, before.Fs, before.Gs);
        registers.Eflags = (wanted.Eflags & X64Registers.UserEflags) | X64Registers.FixedEflags;
        return true;
    }

    /// <summary>Says in an XSAVE header that the parts that were just written hold something.</summary>
    internal static void MarkPresent(Span<byte> area, int written)
    {
        const ulong LegacyParts = 3;
        if (area.Length >= LegacyFloatBytes + sizeof(ulong) && written <= LegacyFloatBytes)
        {
            Span<byte> header = area[LegacyFloatBytes..];
            BinaryPrimitives.WriteUInt64LittleEndian(header, BinaryPrimitives.ReadUInt64LittleEndian(header) | LegacyParts);
        }
    }

    /// <summary>PTRACE_GET_SYSCALL_INFO: struct ptrace_syscall_info, cut to what the tracer has room for.</summary>
    /// <returns>The size of what there is, in bytes.</returns>
    internal static SyscallResult DescribeCall(Task tracer, Task target, TracePoint point, ulong message, ulong room, UserPtr destination)
    {
        const int HeadBytes = 24, EntryBytes = 80, ExitBytes = 33, SeccompBytes = 84;
        Span<byte> info = stackalloc byte[88];
        info.Clear();
        X64Registers registers = target.Registers;
        info[0] = (byte)point;
        BinaryPrimitives.WriteUInt32LittleEndian(info[4..], AuditArchX64);
        BinaryPrimitives.WriteUInt64LittleEndian(info[8..], registers.Rip);
        BinaryPrimitives.WriteUInt64LittleEndian(info[16..], registers.Rsp);
        int length = HeadBytes;
        switch (point)
        {
            case TracePoint.Entry or TracePoint.Seccomp:
                ReadOnlySpan<ulong> words = [registers.OrigRax, registers.Rdi, registers.Rsi, registers.Rdx, registers.R10, registers.R8, registers.R9];
                for (int i = 0; i < words.Length; i++)
                {
                    BinaryPrimitives.WriteUInt64LittleEndian(info[(HeadBytes + (i * sizeof(ulong)))..], words[i]);
                }

                length = EntryBytes;
                if (point == TracePoint.Seccomp)
                {
                    BinaryPrimitives.WriteUInt32LittleEndian(info[EntryBytes..], unchecked((uint)message));
                    length = SeccompBytes;
                }

                break;
            case TracePoint.Exit:
                BinaryPrimitives.WriteUInt64LittleEndian(info[HeadBytes..], registers.Rax);
                info[HeadBytes + sizeof(ulong)] = unchecked((long)registers.Rax) is < 0 and >= -4095 ? (byte)1 : (byte)0;
                length = ExitBytes;
                break;
        }

        Errno error = tracer.Memory.CopyOut(destination, info[..(int)Math.Min(room, (ulong)length)]);
        return error != Errno.None ? error : length;
    }
}
