// SPDX-License-Identifier: Apache-2.0
using CVisor.Schema.Model;

namespace CVisor.Generators.Tests.Schema;

/// <summary>What must hold of the repository's own spec beyond what the generators check.</summary>
public sealed class RepositorySpecTests
{
    [Fact]
    public void It_has_no_faults() => RepositorySpec.Parsed.Diagnostics.ShouldBeEmpty();

    [Fact]
    public void The_x86_64_table_is_complete()
        => Numbers(r => r.X64).ShouldBe([.. Enumerable.Range(0, 335), .. Enumerable.Range(424, 44)]);

    [Fact]
    public void The_aarch64_table_is_complete()
        => Numbers(r => r.Arm64).ShouldBe([.. Enumerable.Range(0, 244), .. Enumerable.Range(260, 35), .. Enumerable.Range(424, 44)]);

    private static int[] Numbers(Func<SyscallRow, int?> number)
        => [.. RepositorySpec.Parsed.Spec.Families.SelectMany(f => f.Rows).Select(number).OfType<int>().Order()];
}
