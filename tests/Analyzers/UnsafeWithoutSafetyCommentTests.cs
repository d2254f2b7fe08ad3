// SPDX-License-Identifier: Apache-2.0
using CVisor.Analyzers.CodeFixes;
using CVisor.Analyzers.Tests.Support;

namespace CVisor.Analyzers.Tests;

public sealed class UnsafeWithoutSafetyCommentTests
{
    private static Snippet<UnsafeWithoutSafetyCommentAnalyzer> In(string source) => new(source) { Area = "kernel/Host/", File = "C.Unsafe.cs" };

    [Fact]
    public async Task Reports_each_kind_of_operation_once_a_statement() => await In("""
        public unsafe class C
        {
            private delegate* unmanaged<int, int> _call;
            private struct Pair { public int First; }
            void Fixed(Span<byte> s) { [|fixed|] (byte* p = s) { p[0] = 1; *p = 2; } }
            void Block() { [|unsafe|] { int x = 0; int* p = &x; *p = 1; } }
            int Follow(int* p) { return [|*p|]; }
            int Arrow(Pair* p) => [|p->First|];
            int Index(int* p) { int a = [|p[0]|] + p[1]; return a; }
            int Through() { return [|_call(3)|]; }
            void Takes() { [|Follow(null)|]; }
            Span<byte> Span(byte* p) { return [|new Span<byte>(p, 4)|]; }
            ref int Cast(ref long x) => ref [|System.Runtime.CompilerServices.Unsafe.As<long, int>(ref x)|];
        }
        """).Check();

    [Fact]
    public async Task Accepts_a_reason_at_the_statement_the_block_or_the_member() => await In("""
        public unsafe class C
        {
            void Fixed(Span<byte> s)
            {
                // SAFETY: pinned while it is used.
                fixed (byte* p = s)
                {
                    p[0] = 1;
                }
            }

            // SAFETY: the caller hands a pointer to a live int.
            int Follow(int* p) => *p;

            int Around(int* p)
            {
                // SAFETY: p is live,
                // as the caller says.
                if (true)
                {
                    return *p;
                }
            }
        }
        """).Check();

    [Fact]
    public async Task A_reason_covers_its_paragraph_and_no_more() => await In("""
        public unsafe class C
        {
            void Write(int* p)
            {
                // SAFETY: p is the start of a live page.
                *p = 1;
                int n = 4;
                p[n] = 2;

                [|p[2000]|] = 3;
                p[3000] = 4;
            }
        }
        """).Check();

    [Fact]
    public async Task Types_values_and_casts_of_pointers_are_no_operations() => await In("""
        public unsafe class C
        {
            private byte* _p = (byte*)0x1000;
            public nint Address => (nint)_p;
            byte* Add(int n) => _p + n;
            int Size() => sizeof(long);
        }
        """).Check();

    [Fact]
    public async Task An_empty_or_unwritten_reason_is_none() => await In("""
        public unsafe class C
        {
            // SAFETY:
            int A(int* p) => [|*p|];

            // SAFETY: TODO say why this is sound.
            int B(int* p) => [|*p|];
        }
        """).Check();

    [Fact]
    public async Task Fix_adds_the_comment() => await In("""
        public unsafe class C
        {
            int Follow(int* p)
            {
                return [|*p|];
            }
        }
        """).Fix<UnsafeWithoutSafetyCommentCodeFix>("""
        public unsafe class C
        {
            int Follow(int* p)
            {
                // SAFETY: TODO say why this is sound.
                return *p;
            }
        }
        """);
}
