// SPDX-License-Identifier: Apache-2.0
using CVisor.Generators.NineP;
using CVisor.Generators.Tests.Driver;
using CVisor.Tests.Support;
using Microsoft.CodeAnalysis;

namespace CVisor.Generators.Tests.NineP;

/// <summary>The generated text of a small protocol that has a field of every kind, and when its steps run.</summary>
public sealed class NinePGoldenTests
{
    private const string Spec = """
        ninep:
          version: 9P2000.L.test
          limits:
            MaxName: {value: 255, why: A name.}
            MaxData: {value: 65536, why: A transfer.}
            MaxList: {value: 16, why: A list.}
          structs:
            qid:
              doc: A file.
              fields:
                type: {type: u8, doc: The type.}
                path: {type: u64, doc: The inode.}
            entry:
              doc: An entry.
              fields:
                qid: {type: qid, doc: The file.}
                name: {type: string(MaxName), doc: The name.}
          messages:
            lerror:
              id: 6
              doc: A failure.
              reply_only: true
              reply: {ecode: {type: u32, doc: Why.}}
            every_kind:
              id: 200
              doc: A message with everything.
              extension: "To be seen <here> & there."
              fds: 1
              request:
                small: {type: u8, doc: A byte.}
                half: {type: u16, doc: Two bytes.}
                when: {type: i64, doc: A time.}
                names: {type: "list(string(MaxName), MaxList)", doc: Names.}
                numbers: {type: "list(u32, MaxList)", doc: Numbers.}
                files: {type: "list(qid, MaxList)", doc: Files.}
                name: {type: string(MaxName), doc: A name.}
              reply:
                count: {type: u32, doc: A count.}
                entries: {type: "packed(entry, MaxData)", doc: Entries.}
            put:
              id: 202
              doc: Moves data.
              request:
                fid: {type: u32, doc: The file.}
                data: {type: data(MaxData), doc: The bytes.}
        """;

    [Theory]
    [InlineData("NineP.Limits")]
    [InlineData("NineP.MessageType")]
    [InlineData("NineP.Dispatch")]
    [InlineData("NineP.Struct.Qid")]
    [InlineData("NineP.Struct.Entry")]
    [InlineData("NineP.Lerror")]
    [InlineData("NineP.EveryKind")]
    [InlineData("NineP.Put")]
    public void The_output_is_the_reviewed_one(string output) =>
        Golden.Verify(new GeneratorRun(Spec, "NineP").Source(output), "cs", output);

    [Fact]
    public void A_change_elsewhere_in_the_spec_makes_nothing_anew()
    {
        GeneratorRun run = new("other: 1\n" + Spec, "NineP");
        run.ChangeSpec("# a comment moves every line\nother: 2\n" + Spec);
        run.Reasons(NinePGenerator.ModelStep).ShouldAllBe(reason => reason == IncrementalStepRunReason.Cached || reason == IncrementalStepRunReason.Unchanged);
        run.OutputReasons().ShouldAllBe(reason => reason == IncrementalStepRunReason.Cached || reason == IncrementalStepRunReason.Unchanged);
    }

    [Fact]
    public void A_change_of_the_sources_parses_nothing_anew()
    {
        GeneratorRun run = new(Spec, "NineP");
        run.AddSource("class Unrelated;");
        run.Reasons(NinePGenerator.ParseStep).ShouldBe([IncrementalStepRunReason.Cached]);
    }

    [Fact]
    public void A_change_of_a_limit_is_seen()
    {
        GeneratorRun run = new(Spec, "NineP");
        run.ChangeSpec(Spec.Replace("value: 255", "value: 200"));
        run.Reasons(NinePGenerator.ModelStep).ShouldBe([IncrementalStepRunReason.Modified]);
        run.Source("NineP.Limits").ShouldContain("MaxName = 200;");
    }
}
