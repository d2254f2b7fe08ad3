// SPDX-License-Identifier: Apache-2.0
using CVisor.Analyzers.Tests.Support;

namespace CVisor.Analyzers.Tests;

public sealed class AllocationTests
{
    private static async Task Check(string members) => await new Snippet<AllocationAnalyzer>($$"""
        using System.Collections.Generic;
        using System.Linq;
        struct S { public int X; }
        record R(int X);
        class C
        {
            private int _field;
            static void Params(params int[] values) { }
            static void Spans(params ReadOnlySpan<int> values) { }
            static void Take(object o) { }
            static void Run(Func<int, int> f) { }
            int Instance(int n) => n + _field;
            static int Static(int n) => n;
            {{members}}
        }
        """).Check();

    [Fact]
    public async Task Reports_every_allocation() => await Check("""
        [NoAlloc] object Creates() => [|new List<int>()|];
        [NoAlloc] int[] Arrays(int n) => [|new int[n]|];
        [NoAlloc] int[] Collections(int n) => [|[n, 2]|];
        [NoAlloc] void ParamsArray(int n) => [|Params(n, n)|];
        [NoAlloc] void Boxing(int n, S s) { Take([|n|]); Take([|s|]); }
        [NoAlloc] int Hash(S s) => [|s.GetHashCode()|];
        [NoAlloc] void Closure(int n) => Run([|x => x + n|]);
        [NoAlloc] void This() => Run([|x => x + _field|]);
        [NoAlloc] void Group() => Run([|Instance|]);
        [NoAlloc] string Interpolated(int n) => [|$"{n}"|];
        [NoAlloc] string Joined(string a) => [|a + "b" + a|];
        [NoAlloc] int Linq(List<int> l) => [|l.Count(static x => x > 0)|];
        [NoAlloc] string Text(int n) => [|n.ToString()|];
        [NoAlloc] IEnumerable<int> Iterates() { [|yield return 1;|] }
        [NoAlloc] void Loops(IEnumerable<int> l) { foreach (int n in [|l|]) { } }
        [NoAlloc] R With(R r) => [|r with { X = 1 }|];
        [NoAlloc] T Generic<T>() where T : new() => [|new T()|];
        [NoAlloc] int Property => [|new int[1]|].Length;
        int Getter { [NoAlloc] get => [|new int[1]|].Length; }
        [NoAlloc] async System.Threading.Tasks.Task [|Async|]() => await System.Threading.Tasks.Task.Yield();
        """);

    [Fact]
    public async Task Accepts_what_does_not_allocate() => await Check("""
        object Unmarked() => new List<int>();
        [NoAlloc] S Struct() => new S { X = 1 };
        [NoAlloc] S Default() => default;
        [NoAlloc] int Stack() { Span<int> s = stackalloc int[4]; return s.Length; }
        [NoAlloc] int Data() { ReadOnlySpan<byte> s = [1, 2, 3]; ReadOnlySpan<byte> u = "ab"u8; return s.Length + u.Length; }
        [NoAlloc] void Cached() { Run(static x => x + 1); Run(x => x + 1); Run(Static); }
        [NoAlloc] void SpanParams(int n) => Spans(n, n);
        [NoAlloc] int Loops(List<int> l, int[] a, Span<int> s) { int n = 0; foreach (int x in l) { n += x; } foreach (int x in a) { n += x; } foreach (int x in s) { n += x; } return n; }
        [NoAlloc] int Throws(int n) => n > 0 ? n : throw new InvalidOperationException($"bad {n}");
        [NoAlloc] string Constant() => "a" + "b" + nameof(C);
        [NoAlloc] int[] Empty() => Array.Empty<int>();
        [NoAlloc] int[] EmptyExpression() => [];
        [NoAlloc] bool Value(int a, int b) => a.Equals(b) && a.GetHashCode() == 1;
        """);

    [Fact]
    public async Task A_line_with_a_reason_is_excused() => await Check("""
        [NoAlloc] void Trailing() { _ = new C(); // ALLOC: once a process
        }
        [NoAlloc] void Above()
        {
            // ALLOC: only when the table grows.
            _ = new C();
            _ = [|new C()|];
        }
        [NoAlloc] void Empty()
        {
            _ = [|new C()|]; // ALLOC:
        }
        """);
}
