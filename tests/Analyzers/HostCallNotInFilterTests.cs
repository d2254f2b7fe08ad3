// SPDX-License-Identifier: Apache-2.0
using CVisor.Analyzers.Tests.Support;

namespace CVisor.Analyzers.Tests;

public sealed class HostCallNotInFilterTests
{
    private const string Spec = """
        # SPDX-License-Identifier: Apache-2.0
        syscalls:
          io:
            write: {x86_64: 1}

        filters:
          # What every process does.
          runtime:
            fragment: true
            calls:
              futex: {why: "Locks, e.g. , answer: of nobody."}
              write: {why: "Refused.", answer: ENOSYS}

          sentry:
            include: runtime
            calls:
              # Files.
              read: {why: "every file", when: {fd: {only: O_A}}}
              mmap:
                why: "Refused too."
                answer: EPERM
          gofer:
            include: [runtime]
            calls:
              close: {why: x}
              fsync:
                why: y
              dup: {why: z, answer: allow}
        ninep:
          openat: {}
        """;

    private const string Declarations = """

        static class H
        {
            [HostCall("read")] public static void Read() { }
            [HostCall("futex")] public static void Futex() { }
            [HostCall("close")] public static void Close() { }
            [HostCall("fsync")] public static void Fsync() { }
            [HostCall("dup")] public static void Dup() { }
            [HostCall("write")] public static void Write() { }
            [HostCall("openat"), HostCall("read")] public static void Two() { }
            [HostCall("mmap")] public static int Mapped => 1;
            public static void Nothing() { }
        }
        class Opened { [HostCall("openat")] public Opened() { } }
        """;

    private static Snippet<HostCallNotInFilterAnalyzer> In(string source, string role = "sentry") => new(source + Declarations) { Role = role, Spec = Spec };

    [Fact]
    public async Task Reports_calls_without_a_rule()
    {
        IReadOnlyList<string> messages = await In("""
            class C
            {
                void M() { H.Read(); H.Futex(); H.Nothing(); [|H.Close()|]; [|H.Write()|]; }
                void N() { [|H.Two()|]; _ = [|H.Mapped|]; _ = [|new Opened()|]; }
                Action Delegate() => [|H.Write|];
            }
            """).Check();
        messages[0].ShouldBe("The filter of role 'sentry' in syscalls.yaml has no rule for 'close': the host would end the process here. Add a rule, or mark the member [BeforeFilter].");
    }

    [Fact]
    public async Task Each_role_has_its_own_filter() =>
        await In("class C { void M() { H.Close(); H.Fsync(); H.Dup(); H.Futex(); [|H.Read()|]; } }", "gofer").Check();

    [Fact]
    public async Task Attributes_override_the_projects_role() => await In("""
        [ProcessRole("gofer")] class G { void M() { H.Close(); [|H.Read()|]; } [ProcessRole("sentry")] void N() { H.Read(); } }
        class C { void M() { H.Read(); } }
        """).Check();

    [Fact]
    public async Task An_assembly_attribute_is_a_role_too() =>
        await In("[assembly: ProcessRole(\"gofer\")] class C { void M() { H.Close(); [|H.Read()|]; } }", "").Check();

    [Fact]
    public async Task Before_the_filter_anything_goes() => await In("""
        class C { [BeforeFilter("start")] void M() { H.Write(); Action a = () => H.Close(); } }
        [BeforeFilter("start")] class D { int M => H.Mapped; }
        """).Check();

    [Theory]
    [InlineData("", Spec)]
    [InlineData("sentry", null)]
    [InlineData("sentry", "filters: {}\n")]
    public async Task Without_a_role_or_filters_nothing_is_checked(string role, string? spec) =>
        await new Snippet<HostCallNotInFilterAnalyzer>("class C { void M() { H.Write(); } }" + Declarations) { Role = role, Spec = spec }.Check();
}
