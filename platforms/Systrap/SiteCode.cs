// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using static CVisor.Platforms.Systrap.SystrapLayout;

namespace CVisor.Platforms.Systrap;

/// <summary>The instructions around a <c>syscall</c> that can be patched, and the code that a patched site jumps to.</summary>
/// <remarks>
/// The patch is <c>jmp *[0x050fXXXX]</c>: ff 24 25 XX XX 0f 05. Its last two bytes are the <c>syscall</c> instruction, because the jump table lies at an address that
/// has them on top. So behind <c>mov $nr,%eax</c> every instruction still begins where it began: a thread, a signal frame or a jump that comes to the old
/// <c>syscall</c> finds one. The two other forms cover the instruction behind the call; who returns there from before the patch is sent to the copy of it.
/// </remarks>
internal static class SiteCode
{
    /// <summary>Where the jump table lies in every stub; the top half of such an address is the instruction's own bytes.</summary>
    internal const ulong TableAddress = 0x050f_0000;

    /// <summary>The table's length in bytes.</summary>
    internal const ulong TableSize = SitesOffset - TableOffset;

    /// <summary>The most sites of an address space.</summary>
    internal const int SiteCount = (int)(TableSize / 8);

    /// <summary>The patch's length in bytes.</summary>
    internal const int PatchSize = 7;

    /// <summary>What a site's code needs to know lies at its end.</summary>
    private const int DataOffset = 0x60;
    private static ReadOnlySpan<byte> Call => [0x0f, 0x05];

    private static ReadOnlySpan<byte> ClearEax => [0x31, 0xc0];

    /// <summary><c>cmp $imm32,%rax</c>, but for the number: -4096, or -4095 for who compares the other way.</summary>
    private static ReadOnlySpan<byte> Compare => [0x48, 0x3d];

    private const int CompareSize = 6;

    /// <summary>The forms.</summary>
    internal enum Form
    {
        /// <summary>Not one that can be patched.</summary>
        None,

        /// <summary><c>mov $nr,%eax; syscall</c>.</summary>
        Move,

        /// <summary><c>xor %eax,%eax; syscall; cmp $imm,%rax</c>: read(2).</summary>
        Clear,

        /// <summary><c>syscall; cmp $imm,%rax</c>.</summary>
        Bare,
    }

    /// <summary>Recognizes the form of a call that was made.</summary>
    /// <param name="page">The page of code.</param>
    /// <param name="call">Where its <c>syscall</c> lies.</param>
    /// <param name="number">The number that was in rax.</param>
    /// <returns>The form; what it covers lies within the page.</returns>
    internal static Form Recognize(ReadOnlySpan<byte> page, int call, ulong number)
    {
        if (call < 0 || call + Call.Length > page.Length || !page[call..].StartsWith(Call))
        {
            return Form.None;
        }

        if (call >= 7 && page[call - 5] == 0xb8 && BinaryPrimitives.ReadUInt32LittleEndian(page[(call - 4)..]) == number && !IsInside(page[(call - 7)..(call - 5)]))
        {
            return Form.Move;
        }

        if (!page[(call + Call.Length)..].StartsWith(Compare) || call + Call.Length + CompareSize > page.Length)
        {
            return Form.None;
        }

        Form form = number == 0 && call >= 3 && page[(call - 2)..].StartsWith(ClearEax) && (page[call - 3] & 0xf0) != 0x40 ? Form.Clear : Form.Bare;
        return JumpsTo(page, call + Call.Length) || (form == Form.Clear && JumpsTo(page, call)) ? Form.None : form;
    }

    /// <summary>Where a form begins, from its <c>syscall</c>.</summary>
    internal static int Start(Form form) => form switch { Form.Move => -5, Form.Clear => -2, _ => 0 };

    /// <summary>Writes the patch for a site's number.</summary>
    internal static void WritePatch(Span<byte> at, int site)
    {
        at[0] = 0xff;
        at[1] = 0x24;
        at[2] = 0x25;
        BinaryPrimitives.WriteUInt32LittleEndian(at[3..], (uint)TableAddress + ((uint)site * 8));
    }

    /// <summary>Writes a site's code.</summary>
    /// <param name="code">Where, <see cref="SiteSize"/> bytes.</param>
    /// <param name="address">Its address in the stub.</param>
    /// <param name="callEntry">The address of call_entry in the stub.</param>
    /// <param name="form">The form.</param>
    /// <param name="number">The call's number, for <see cref="Form.Move"/>.</param>
    /// <param name="returnAddress">Where the guest believes that it goes on: behind its <c>syscall</c>.</param>
    /// <param name="behind">What lies there.</param>
    internal static void Write(Span<byte> code, ulong address, ulong callEntry, Form form, uint number, ulong returnAddress, ReadOnlySpan<byte> behind)
    {
        code.Fill(0xf4); // hlt
        int at = 0;
        if (form == Form.Move)
        {
            at += Put(code[at..], [0xb8, (byte)(number & 0xff), (byte)((number >> 8) & 0xff), (byte)((number >> 16) & 0xff), (byte)(number >> 24)]);
        }
        else if (form == Form.Clear)
        {
            at += Put(code[at..], ClearEax);
        }

        at += Put(code[at..], [
            0x49, 0x89, 0xc3, // mov r11, rax
            0x9f, 0x0f, 0x90, 0xc0, // lahf; seto al
            0x49, 0x93, // xchg r11, rax
            0xf3, 0x48, 0x0f, 0xae, 0xc9, // rdgsbase rcx
            0x48, 0x3b, 0x49, Self, // cmp rcx, [rcx + Self]
            0x75, 16, // jne: the guest has a GS of its own
            0x4c, 0x89, 0x59, LowFlags, // mov [rcx + LowFlags], r11
            0x4c, 0x8d, 0x1d]); // lea r11, [rip + data]
        at += Put32(code[at..], DataOffset - (at + 4));
        code[at++] = 0xe9; // jmp call_entry
        at += Put32(code[at..], unchecked((int)(callEntry - (address + (ulong)at + 4))));
        _ = Put(code[at..], [
            0x49, 0x93, // xchg r11, rax
            0x04, 0x7f, 0x9e, // add al, 127; sahf
            0x4c, 0x89, 0xd8, // mov rax, r11
            0x0f, 0x05]); // syscall: a trap
        int tail = SiteTail;
        tail += form == Form.Move ? 0 : Put(code[tail..], behind[..CompareSize]);
        tail += Put(code[tail..], [0xff, 0x25]); // jmp [rip + data + 16]
        _ = Put32(code[tail..], DataOffset + 16 - (tail + 4));
        BinaryPrimitives.WriteUInt64LittleEndian(code[DataOffset..], returnAddress);
        BinaryPrimitives.WriteUInt64LittleEndian(code[(DataOffset + 8)..], form == Form.Move ? returnAddress : address + SiteTail);
        BinaryPrimitives.WriteUInt64LittleEndian(code[(DataOffset + 16)..], returnAddress + CompareSize);
    }

    /// <summary>Where the guest believes to go on, from a site's code.</summary>
    internal static ulong ReturnAddress(ReadOnlySpan<byte> code) => BinaryPrimitives.ReadUInt64LittleEndian(code[DataOffset..]);

    /// <summary>Where a thread that would return to that address has to go.</summary>
    internal static ulong ResumeAddress(ReadOnlySpan<byte> code) => BinaryPrimitives.ReadUInt64LittleEndian(code[(DataOffset + 8)..]);

    /// <summary>Whether what precedes a b8 makes it a part of an instruction that began earlier: a prefix, or a store of a constant with b8 for its displacement.</summary>
    private static bool IsInside(ReadOnlySpan<byte> before) =>
        (before[1] & 0xf0) == 0x40 || before[1] is 0x66 or 0x67 || (before[0] is 0xc7 or 0xc6 or 0x81 or 0x69 && (before[1] & 0xc0) == 0x40);

    /// <summary>Whether anything in the page could be a jump to a place; what only looks like one counts too.</summary>
    private static bool JumpsTo(ReadOnlySpan<byte> page, int place)
    {
        for (int at = 0; at + 2 <= page.Length; at++)
        {
            long target = page[at] switch
            {
                0xeb or (>= 0x70 and <= 0x7f) or (>= 0xe0 and <= 0xe3) => at + 2 + unchecked((sbyte)page[at + 1]),
                0xe9 or 0xe8 when at + 5 <= page.Length => at + 5L + BinaryPrimitives.ReadInt32LittleEndian(page[(at + 1)..]),
                0x0f when (page[at + 1] & 0xf0) == 0x80 && at + 6 <= page.Length => at + 6L + BinaryPrimitives.ReadInt32LittleEndian(page[(at + 2)..]),
                _ => -1,
            };
            if (target == place)
            {
                return true;
            }
        }

        return false;
    }

    private static int Put(Span<byte> to, ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(to);
        return bytes.Length;
    }

    private static int Put32(Span<byte> to, int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(to, value);
        return sizeof(int);
    }
}
