// SPDX-License-Identifier: Apache-2.0
using CVisor.Analyzers.CodeFixes;
using CVisor.Analyzers.Tests.Support;

namespace CVisor.Analyzers.Tests;

public sealed class GuestNarrowingTests
{
    private static Snippet<GuestNarrowingAnalyzer> In(string source, string area = "kernel/Syscalls/") => new(source) { Area = area };

    private const string Bad = """
        class C
        {
            int Int(ulong n) => [|(int)n|];
            uint UInt(long n) => [|(uint)n|];
            short Short(nint n) => [|(short)n|];
            byte Byte(nuint n) => [|(byte)n|];
            long Sign(ulong n) => [|(long)n|];
            ulong Unsign(long n) => [|(ulong)n|];
            Errno Enum(long n) => [|(Errno)n|];
            int Masked(long n) => [|(int)(n & 0xffffffff)|];
            int Shifted(ulong n) => [|(int)(n >> 31)|];
            void In(ulong n) { int a; unchecked { a = checked([|(int)n|]); } }
        }
        """;

    [Fact]
    public async Task Reports_casts_that_may_throw() => await In(Bad).Check();

    [Fact]
    public async Task Reports_the_range_check_idiom_wherever_a_guest_gets() => await In("""
        class C
        {
            bool IsIn(int n, int[] a) => [|(uint)n|] < (uint)a.Length;
            bool Same(int n, int[] a) => unchecked((uint)n < (uint)a.Length);
            uint Known(int n) { if (n is < 0 or > 4096) { return 0; } return (uint)n; }
        }
        """, "kernel/Core/").Check();

    [Fact]
    public async Task Only_handlers_are_looked_at() => await In(Bad.Replace("[|", "").Replace("|]", ""), "kernel/Core/").Check();

    [Fact]
    public async Task Accepts_what_fits_by_its_form_and_what_is_unchecked() => await In("""
        using System.Collections.Generic;
        class C
        {
            int Unchecked(ulong n) => unchecked((int)n);
            int Masked(ulong n) => (int)(n & 0xfff);
            int SignedMask(long n) => (int)(n & 0x7fffffff);
            uint Shifted(ulong n) => (uint)(n >> 32);
            int Page(ulong n) => (int)(n % 4096);
            int Least(ulong n) => (int)Math.Min(n, 65536UL);
            long Half(ulong n) => (long)(n >> 1);
            long Wide(uint n) => (long)n;
            int Count(List<int> l, byte[] a) => (int)a.LongLength + (int)(long)l.Count;
            const int Constant = (int)5000UL;
            int Narrow(int n) => (short)n;
        }
        """).Check();

    [Fact]
    public async Task A_check_before_the_cast_bounds_it() => await In("""
        class C
        {
            Errno Above(ulong n, out int i) { i = 0; if (n == 3 || n > int.MaxValue) { return Errno.EINVAL; } i = (int)n; return Errno.None; }
            Errno Both(long n, out int i) { i = 0; if (n < 0 || n > 4096) { return Errno.EINVAL; } { i = (int)n; } return Errno.None; }
            Errno Pattern(long n, out int i) { i = 0; if (n is < 0 or >= 4096) { return Errno.EINVAL; } i = (int)n; return Errno.None; }
            int Lengths(ulong n, byte[] a) { while (true) { if (n > (ulong)a.Length) { break; } return (int)n; } return 0; }
            ulong Sign(long n) { if (n <= 0) { return 0; } return (ulong)n; }
            int Room(ulong n, int room) => (int)Math.Min(n, (ulong)room);
            int Choice(ulong n) => n > 4096 ? 0 : (int)n;
            int Either(ulong n, bool big) { if (n > (big ? 4096u : 16u)) { return 0; } return (int)n; }
            int Clamped(long n) => (int)Math.Clamp(n, 0, 1024);
            ulong NotNegative(long n) => (ulong)Math.Max(n, 0);
            int Largest(long n, byte[] a) => (int)Math.Min(Math.Max(n, 0), a.Length);
            int Bit(ulong n) => (int)ulong.TrailingZeroCount(n);
        }
        """).Check();

    [Fact]
    public async Task A_check_that_does_not_hold_is_none() => await In("""
        class C
        {
            int TooHigh(ulong n) { if (n > uint.MaxValue) { return 0; } return [|(int)n|]; }
            int Unsure(ulong n, int room) => [|(int)Math.Min(n, unchecked((ulong)room))|];
            int WrongBranch(ulong n) => n > 10 ? [|(int)n|] : 0;
            int NoLower(long n) { if (n > 10) { return 0; } return [|(int)n|]; }
            int GoesOn(ulong n) { if (n > 10) { Console.Beep(); } return [|(int)n|]; }
            int Another(ulong n, ulong m) { if (m > 10) { return 0; } return [|(int)n|]; }
            int Assigned(ulong n) { if (n > 10) { return 0; } n += 1UL << 40; return [|(int)n|]; }
            int ByReference(ulong n) { if (n > 10) { return 0; } Change(ref n); return [|(int)n|]; }
            int AndOnly(ulong n, bool b) { if (n > 10 && b) { return 0; } return [|(int)n|]; }
            int Largest(long n) => [|(int)Math.Max(n, 0)|];
            int Loop(ulong n) { if (n > 10) { return 0; } while (true) { int i = [|(int)n|]; n *= 2; } }
            static void Change(ref ulong n) => n = ulong.MaxValue;
        }
        """).Check();

    [Fact]
    public async Task Fix_takes_the_low_bits() => await In("class C { int Int(ulong n) => 1 + (int)n; }")
        .Fix<GuestNarrowingCodeFix>("class C { int Int(ulong n) => 1 + unchecked((int)n); }");
}
