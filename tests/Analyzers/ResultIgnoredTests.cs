// SPDX-License-Identifier: Apache-2.0
using CVisor.Analyzers.CodeFixes;
using CVisor.Analyzers.Tests.Support;

namespace CVisor.Analyzers.Tests;

public sealed class ResultIgnoredTests
{
    private const string Declarations = """

        [MustUse] struct Outcome { }
        [MustUse] struct Outcome<T> { }
        class D
        {
            public Errno Guest() => default;
            public HostResult Host() => default;
            public HostErrno Error() => default;
            public Outcome Own() => default;
            public Outcome<int> Generic() => default;
            [MustUse] public bool Method() => true;
            public int Count() => 0;
            public void Nothing() { }
            public async System.Threading.Tasks.Task<Errno> Later() => default;
        }
        """;

    [Fact]
    public async Task Reports_errors_nobody_looks_at() => await new Snippet<ResultIgnoredAnalyzer>("""
        class C
        {
            async System.Threading.Tasks.Task M(D d, D? maybe)
            {
                [|d.Guest();|]
                [|d.Host();|]
                [|d.Error();|]
                [|d.Own();|]
                [|d.Generic();|]
                [|d.Method();|]
                [|maybe?.Guest();|]
                [|await d.Later();|]
            }
        }
        """ + Declarations).Check();

    [Fact]
    public async Task Accepts_a_discard_a_use_and_other_results() => await new Snippet<ResultIgnoredAnalyzer>("""
        class C
        {
            Errno M(D d)
            {
                _ = d.Guest();
                d.Count();
                d.Nothing();
                d.Host().OrThrow("start");
                if (d.Host().IsError) { return d.Guest(); }
                Errno e = d.Guest();
                return e;
            }
        }
        """ + Declarations).Check();

    [Fact]
    public async Task Fix_discards_in_the_open() => await new Snippet<ResultIgnoredAnalyzer>("""
        class C
        {
            void M()
            {
                // Best effort.
                HostCalls.Close(3);
            }
        }
        """).Fix<ResultIgnoredCodeFix>("""
        class C
        {
            void M()
            {
                // Best effort.
                _ = HostCalls.Close(3);
            }
        }
        """);
}
