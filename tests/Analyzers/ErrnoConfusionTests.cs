// SPDX-License-Identifier: Apache-2.0
using CVisor.Analyzers.CodeFixes;
using CVisor.Analyzers.Tests.Support;

namespace CVisor.Analyzers.Tests;

public sealed class ErrnoConfusionTests
{
    [Fact]
    public async Task Reports_casts_and_comparisons_however_they_are_dressed() => await new Snippet<ErrnoConfusionAnalyzer>("""
        class C
        {
            Errno Direct(HostErrno h) => [|(Errno)h|];
            Errno Through(HostErrno h) => [|(Errno)(int)h|];
            Errno Raw(HostResult r) => [|(Errno)(-r.Raw)|];
            HostErrno Back(Errno e) => [|(HostErrno)e|];
            bool Equal(Errno e, HostErrno h) => [|(int)e == (int)h|];
            bool Other(Errno e, HostResult r) => [|-(long)e != r.Value|];
        }
        """).Check();

    [Fact]
    public async Task Accepts_the_named_conversion_and_each_kind_alone() => await new Snippet<ErrnoConfusionAnalyzer>("""
        class C
        {
            Errno Named(HostErrno h) => h.ToGuest();
            bool Guest(Errno e) => e == Errno.EAGAIN && (int)e == 11;
            bool Host(HostResult r) => r.Error == HostErrno.EINTR && r.Raw == 3;
            Errno FromNumber(int n) => (Errno)n;
            int Add(HostErrno h, Errno e) => (int)h + (int)e;
        }
        """).Check();

    [Fact]
    public async Task Fix_names_the_conversion() => await new Snippet<ErrnoConfusionAnalyzer>("""
        class C { Errno Direct(HostResult r) => (Errno)(int)r.Error; }
        """).Fix<ErrnoConfusionCodeFix>("""
        class C { Errno Direct(HostResult r) => r.Error.ToGuest(); }
        """);
}
