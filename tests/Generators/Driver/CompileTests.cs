// SPDX-License-Identifier: Apache-2.0
using System.Reflection;
using System.Runtime.Loader;
using CVisor.Tests.Support;
using Microsoft.CodeAnalysis;

namespace CVisor.Generators.Tests.Driver;

/// <summary>Generated code with stand-ins for the kernel's types: it compiles, runs, and says what is missing.</summary>
public sealed class CompileTests
{
    private static readonly string s_kernel = Fixture("Kernel.cs");
    private static readonly string s_handlers = Fixture("Handlers.cs");

    [Fact]
    public void Dispatch_decodes_registers_and_calls_the_handler()
    {
        Call("read", 0, 3, 0x1000, 16).ShouldBe("read fd=3 buf=0x1000 count=16");
        Call("negative descriptor", 8, 0xffff_ffff, ulong.MaxValue).ShouldBe("lseek fd=-1 offset=-1");
        Call("upper half of an int", 8, 0x1_0000_0002, 5).ShouldBe("lseek fd=2 offset=5");
        Call("unsigned", 2, 0x10, 0, 0x1_ffff_ffff).ShouldBe("open path=0x10 flags=0 mode=4294967295");
    }

    [Fact]
    public void Calls_without_a_handler_answer_their_errno_and_are_counted()
    {
        Call("row without errno", 56).ShouldBe("ENOSYS counted=56");
        Call("row with errno", 172).ShouldBe("EPERM counted=172");
        Call("no row", 999).ShouldBe("ENOSYS counted=999");
        Call("negative", -1).ShouldBe("ENOSYS counted=-1");
    }

    [Fact]
    public void Standing_answers_are_those_of_the_handlers() => Invoke("standing answers", "Answers").ShouldBe("102=-5 186=7 ");

    [Fact]
    public void A_row_without_a_handler_is_an_error_that_names_it()
    {
        string handlers = s_handlers.Replace("Lseek(", "LseekElsewhere(", StringComparison.Ordinal).Replace("static partial global::CVisor.Core.Tasks.SyscallResult LseekElsewhere", "static global::CVisor.Core.Tasks.SyscallResult LseekElsewhere", StringComparison.Ordinal);
        GeneratorRun run = new(FixtureSpec.Text, "Handlers,Dispatch", s_kernel, handlers);
        Errors(run).ShouldHaveSingleItem().ShouldSatisfyAllConditions(e => e.ShouldContain("CS8795"), e => e.ShouldContain("Handlers.Lseek(Task, int, long)"));
    }

    [Fact]
    public void A_handler_of_a_row_that_is_not_supported_is_an_error()
    {
        string handlers = s_handlers.Replace("public static partial class Handlers\n{", "public static partial class Handlers\n{\n    public static partial global::CVisor.Core.Tasks.SyscallResult Iopl(global::CVisor.Core.Tasks.Task task, int level) => default;", StringComparison.Ordinal);
        Errors(new GeneratorRun(FixtureSpec.Text, "Handlers,Dispatch", s_kernel, handlers)).ShouldHaveSingleItem().ShouldContain("CS0759");
    }

    private static string Call(string why, int number, params ulong[] registers) => Invoke(why, "Run", number, registers.Concat(new ulong[6 - registers.Length]).ToArray());

    private static string Invoke(string why, string method, params object[] arguments)
    {
        GeneratorRun run = new(FixtureSpec.Text, "Numbers,Handlers,Dispatch,Info", s_kernel, s_handlers);
        Errors(run).ShouldBeEmpty(why);
        using MemoryStream image = new();
        run.Output.Emit(image).Success.ShouldBeTrue(why);
        image.Position = 0;
        AssemblyLoadContext context = new("fixture", isCollectible: true);
        try
        {
            Assembly assembly = context.LoadFromStream(image);
            MethodInfo entry = assembly.GetType("CVisor.Fixture.Entry")!.GetMethod(method)!;
            return (string)entry.Invoke(null, arguments)!;
        }
        finally
        {
            context.Unload();
        }
    }

    private static string[] Errors(GeneratorRun run)
        => [.. run.Output.GetDiagnostics().Where(d => d.Severity == DiagnosticSeverity.Error || d.Id is "CS8826").Select(d => d.ToString())];

    private static string Fixture(string name) => File.ReadAllText(Path.Combine(RepositoryPaths.Root, "tests/Generators/Fixture", name)).ReplaceLineEndings("\n");
}
