// SPDX-License-Identifier: Apache-2.0
using CVisor.Generators.Tests.Driver;

namespace CVisor.Generators.Tests.NineP;

/// <summary>Mistakes in the ninep section are compiler errors at their line and column.</summary>
public sealed class NinePDiagnosticTests
{
    private const string Spec = """
        ninep:
          version: 9P2000.L.test
          limits:
            MaxName: {value: 255, why: short}
          structs:
            qid:
              doc: A file.
              fields:
                path: {type: u64, doc: The inode.}
          messages:
            walk:
              id: 110
              doc: A walk.
              request:
                name: {type: string(MaxName), doc: The name.}
              reply:
                qid: {type: qid, doc: What is there.}
        """;

    [Fact]
    public void A_sound_section_makes_code_without_errors()
    {
        GeneratorRun run = new(Spec, "NineP");
        run.Diagnostics.ShouldBeEmpty();
        run.HintNames().ShouldContain("NineP.Walk.g.cs");
    }

    [Theory]
    [InlineData("type: qid", "type: qids", "/spec/syscalls.yaml(17,21): error CV0301: 'qids' is no field type")]
    [InlineData("id: 110", "id: 111", "/spec/syscalls.yaml(12,11): error CV0301: 'walk': the id of a request is even; its reply has the next")]
    [InlineData("string(MaxName)", "string(MaxNames)", "/spec/syscalls.yaml(15,22): error CV0301: 'MaxNames' in 'string(MaxNames)' is no limit")]
    [InlineData("doc: A walk.", "docs: A walk.", "/spec/syscalls.yaml(13,7): error CV0301: 'docs' is not one of")]
    public void A_mistake_is_reported_at_its_place(string from, string to, string expected)
    {
        GeneratorRun run = new(Spec.Replace(from, to, StringComparison.Ordinal), "NineP");
        run.Diagnostics.Select(d => d.ToString()).ShouldContain(d => d.StartsWith(expected, StringComparison.Ordinal));
    }
}
