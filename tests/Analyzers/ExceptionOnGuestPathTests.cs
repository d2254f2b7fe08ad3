// SPDX-License-Identifier: Apache-2.0
using CVisor.Analyzers.Tests.Support;

namespace CVisor.Analyzers.Tests;

public sealed class ExceptionOnGuestPathTests
{
    private const string Bad = """
        class C
        {
            void Statement(long n) { if (n < 0) { [|throw new ArgumentException("n");|] } }
            int Expression(int? n) => n ?? [|throw new InvalidOperationException()|];
            void Check(int n) => [|ArgumentOutOfRangeException.ThrowIfNegative(n)|];
            void Host(HostResult r) { _ = [|r.OrThrow("open")|]; }
        }
        """;

    [Theory]
    [InlineData("kernel/Core/")]
    [InlineData("kernel/FileSystems/")]
    [InlineData("kernel/Sockets/")]
    [InlineData("kernel/Syscalls/")]
    public async Task Reports_what_throws(string area) => await new Snippet<ExceptionOnGuestPathAnalyzer>(Bad) { Area = area }.Check();

    [Theory]
    [InlineData("kernel/Host/")]
    [InlineData("runsc/Commands/")]
    public async Task Elsewhere_exceptions_are_allowed(string area) =>
        await new Snippet<ExceptionOnGuestPathAnalyzer>(Bad.Replace("[|", "").Replace("|]", "")) { Area = area }.Check();

    [Fact]
    public async Task Accepts_start_up_bugs_and_passing_on() => await new Snippet<ExceptionOnGuestPathAnalyzer>("""
        using System.Diagnostics;
        static class Bug { public static Exception Unreachable(string what) => new UnreachableException(what); }
        class C
        {
            [StartUp("reads the command line")]
            public C(int n) { if (n < 0) { throw new ArgumentException("n"); } }

            [StartUp("maps the memory file")]
            static int Size { get { throw new InvalidOperationException(); } }

            int Kind(int n) => n switch { 0 => 1, _ => throw new UnreachableException() };
            int Other(int n) => n == 0 ? 1 : throw Bug.Unreachable("n");
            void PassOn() { try { _ = Kind(0); } catch (Exception) { throw; } }
            void Null(object o) => ArgumentNullException.ThrowIfNull(o);
        }

        [StartUp("runs before the first task")]
        class Boot { void Load() => throw new InvalidOperationException(); }
        """).Check();
}
