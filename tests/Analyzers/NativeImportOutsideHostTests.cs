// SPDX-License-Identifier: Apache-2.0
using CVisor.Analyzers.Tests.Support;

namespace CVisor.Analyzers.Tests;

public sealed class NativeImportOutsideHostTests
{
    private const string Source = """
        using System.Runtime.InteropServices;
        public unsafe partial class C
        {
            [ [|DllImport("c")|] ] static extern int getpid();
            [ [|LibraryImport("c")|] ] internal static partial int getppid();
            [ [|UnmanagedCallersOnly|] ] static void Called() { }
            private [|delegate* unmanaged<int>|] _native;
            private delegate*<int> _managed;
            nint Load() => [|NativeLibrary.Load("c")|];
            Action Wrap(nint p) => [|Marshal.GetDelegateForFunctionPointer<Action>(p)|];
            [Obsolete] int Size() => Marshal.SizeOf<int>();
        }
        """;

    [Theory]
    [InlineData("kernel/Core/")]
    [InlineData("platforms/Ptrace/")]
    [InlineData("runsc/Sandbox/")]
    public async Task Reports_every_way_to_native_code(string area) =>
        await new Snippet<NativeImportOutsideHostAnalyzer>(Source) { Area = area }.Check();

    [Fact]
    public async Task Accepts_them_in_the_host_project() =>
        await new Snippet<NativeImportOutsideHostAnalyzer>(Source.Replace("[|", "").Replace("|]", "")) { Area = "kernel/Host/" }.Check();
}
