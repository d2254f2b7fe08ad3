// SPDX-License-Identifier: Apache-2.0
using CVisor.Analyzers.Tests.Support;

namespace CVisor.Analyzers.Tests;

public sealed class UnsafeOutsideUnsafeFileTests
{
    private const string Bad = "public static [|unsafe|] class C { static int* Null() { [|unsafe|] { return null; } } }";
    private const string Good = "public static unsafe class C { static int* Null() { unsafe { return null; } } }";

    [Theory]
    [InlineData("kernel/Host/", "C.cs")]
    [InlineData("kernel/Core/", "C.Unsafe.cs")]
    [InlineData("kernel/HostFile/", "C.Unsafe.cs")]
    public async Task Reports_the_keyword(string area, string file) =>
        await new Snippet<UnsafeOutsideUnsafeFileAnalyzer>(Bad) { Area = area, File = file }.Check();

    [Theory]
    [InlineData("kernel/Host/")]
    [InlineData("platforms/Ptrace/")]
    public async Task Accepts_it_in_its_place(string area) =>
        await new Snippet<UnsafeOutsideUnsafeFileAnalyzer>(Good) { Area = area, File = "C.Unsafe.cs" }.Check();
}
