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
    public async Task Fix_takes_the_low_bits() => await In("class C { int Int(ulong n) => 1 + (int)n; }")
        .Fix<GuestNarrowingCodeFix>("class C { int Int(ulong n) => 1 + unchecked((int)n); }");
}
