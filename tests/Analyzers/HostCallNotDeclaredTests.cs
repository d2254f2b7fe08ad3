// SPDX-License-Identifier: Apache-2.0
using CVisor.Analyzers.Tests.Support;

namespace CVisor.Analyzers.Tests;

public sealed class HostCallNotDeclaredTests
{
    private const string Declarations = """

        static class H
        {
            [HostCall("read")] public static void Read() { }
            [HostCall("close")] public static void Close() { }
        }
        unsafe static class HostCode
        {
            public static readonly delegate* unmanaged<long, long> Syscall;
            public static readonly delegate* unmanaged<long, long> Copy;
        }
        """;

    private static Snippet<HostCallNotDeclaredAnalyzer> In(string source, string area = "kernel/Host/") => new(source + Declarations) { Area = area };

    private const string Bad = """
        public unsafe class C
        {
            public void [|Direct|]() => H.Read();
            public void [|Through|]() { Private(); }
            private void Private() { H.Read(); H.Close(); }
            [HostCall("read")] public void [|Half|]() => Private();
            public int [|Property|] { get { H.Read(); return 1; } }
            public void [|Raw|]() => HostCode.Syscall(3);
            public void [|RawThrough|]() => PrivateRaw();
            private void PrivateRaw() => HostCode.Syscall(3);
        }
        """;

    [Fact]
    public async Task Reports_public_members_with_hidden_calls()
    {
        IReadOnlyList<string> messages = await In(Bad.Replace("int [|Property|] { get {", "int Property { [|get|] {")).Check();
        messages[1].ShouldBe("'Through' makes host calls that it does not declare: add [HostCall] for close, read");
    }

    [Fact]
    public async Task Only_the_host_project_is_looked_at() => await In(Bad.Replace("[|", "").Replace("|]", ""), "platforms/Common/").Check();

    [Fact]
    public async Task Accepts_marks_and_what_is_not_public() => await In("""
        public unsafe class C
        {
            [HostCall("read"), HostCall("close")] public void Both() { Private(); Private(); }
            private void Private() { H.Read(); H.Close(); Private(); }
            [HostCall("read")] public int Property { get { H.Read(); return 1; } }
            [HostCall("getpid")] public void Raw() => HostCode.Syscall(39);
            [HostCall("getpid")] public void RawThrough() => Marked();
            [HostCall("getpid")] private void Marked() => HostCode.Syscall(39);
            public void Copies() => HostCode.Copy(3);
        }
        class Internal { public void M() => H.Read(); }
        """).Check();
}
