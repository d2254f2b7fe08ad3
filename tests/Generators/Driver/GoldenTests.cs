// SPDX-License-Identifier: Apache-2.0
using CVisor.Tests.Support;

namespace CVisor.Generators.Tests.Driver;

/// <summary>The generated text of the fixture spec, one golden an output.</summary>
public sealed class GoldenTests
{
    [Theory]
    [InlineData("Numbers")]
    [InlineData("Handlers")]
    [InlineData("Dispatch")]
    [InlineData("Info")]
    [InlineData("Trace")]
    [InlineData("Filters")]
    public void The_output_is_the_reviewed_one(string output)
        => Golden.Verify(new GeneratorRun(FixtureSpec.Text, output).Source(output), "cs", output);

    [Fact]
    public void A_project_gets_what_it_asks_for_and_nothing_else()
    {
        new GeneratorRun(FixtureSpec.Text, "Numbers,Info").HintNames().ShouldBe(["Info.g.cs", "Numbers.g.cs"]);
        new GeneratorRun(FixtureSpec.Text, "").HintNames().ShouldBeEmpty();
    }

    [Fact]
    public void An_unknown_output_is_reported()
        => new GeneratorRun(FixtureSpec.Text, "Number").Diagnostics.Single().ToString().ShouldContain("CV0009: CVisorGenerate asks for 'Number'");

    [Fact]
    public void The_same_input_gives_the_same_text_in_another_culture()
    {
        string here = new GeneratorRun(FixtureSpec.Text, FixtureSpec.AllOutputs).Source("Trace");
        System.Globalization.CultureInfo before = System.Globalization.CultureInfo.CurrentCulture;
        System.Globalization.CultureInfo odd = (System.Globalization.CultureInfo)System.Globalization.CultureInfo.InvariantCulture.Clone();
        odd.NumberFormat.NegativeSign = "~";
        try
        {
            System.Globalization.CultureInfo.CurrentCulture = odd;
            new GeneratorRun(FixtureSpec.Text, FixtureSpec.AllOutputs).Source("Trace").ShouldBe(here);
        }
        finally
        {
            System.Globalization.CultureInfo.CurrentCulture = before;
        }

        here.ShouldNotContain("\r");
    }
}
