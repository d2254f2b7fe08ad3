// SPDX-License-Identifier: Apache-2.0
using CVisor.Generators.Shared;
using Microsoft.CodeAnalysis;

namespace CVisor.Generators.Tests.Driver;

/// <summary>Which steps run again after which change.</summary>
public sealed class RunReasonTests
{
    private static readonly string[] s_models =
    [
        StepNames.Model(OutputNames.Numbers), StepNames.Model(OutputNames.Handlers), StepNames.Model(OutputNames.Dispatch),
        StepNames.Model(OutputNames.Info), StepNames.Model(OutputNames.Trace), StepNames.Model(OutputNames.Filters),
    ];

    private readonly GeneratorRun _run = new(FixtureSpec.Text, FixtureSpec.AllOutputs);

    [Fact]
    public void The_first_run_is_new()
    {
        foreach (string step in s_models)
        {
            _run.Reasons(step).ShouldBe([IncrementalStepRunReason.New], step);
        }
    }

    [Fact]
    public void An_edit_of_source_code_runs_nothing()
    {
        _run.AddSource("class Unrelated;");
        _run.Reasons(StepNames.Text).ShouldAllBe(r => r == IncrementalStepRunReason.Cached || r == IncrementalStepRunReason.Unchanged);
        _run.Reasons(StepNames.Spec).ShouldBe([IncrementalStepRunReason.Cached]);
        foreach (string step in s_models)
        {
            _run.Reasons(step).ShouldBe([IncrementalStepRunReason.Cached], step);
        }

        _run.OutputReasons().ShouldAllBe(r => r == IncrementalStepRunReason.Cached);
    }

    [Fact]
    public void A_comment_in_the_spec_renders_nothing()
    {
        _run.ChangeSpec("# A comment above everything moves every row.\n" + FixtureSpec.Text);
        _run.Reasons(StepNames.Text).ShouldContain(IncrementalStepRunReason.Modified);
        _run.Reasons(StepNames.Spec).ShouldBe([IncrementalStepRunReason.Cached]);
        foreach (string step in s_models)
        {
            _run.Reasons(step).ShouldBe([IncrementalStepRunReason.Cached], step);
        }
    }

    [Fact]
    public void A_note_renders_nothing_but_what_shows_notes()
    {
        _run.ChangeSpec(FixtureSpec.Text.Replace("no leases", "neither leases nor seals", StringComparison.Ordinal));
        _run.Reasons(StepNames.Spec).ShouldBe([IncrementalStepRunReason.Modified]);
        foreach (string step in s_models)
        {
            _run.Reasons(step).ShouldAllBe(r => r == IncrementalStepRunReason.Unchanged || r == IncrementalStepRunReason.Cached, step);
        }
    }

    [Fact]
    public void A_changed_number_renders_what_shows_numbers()
    {
        _run.ChangeSpec(FixtureSpec.Text.Replace("lseek: {x86_64: 8", "lseek: {x86_64: 9", StringComparison.Ordinal));
        Reason(OutputNames.Numbers).ShouldBe(IncrementalStepRunReason.Modified);
        Reason(OutputNames.Dispatch).ShouldBe(IncrementalStepRunReason.Modified);
        Reason(OutputNames.Info).ShouldBe(IncrementalStepRunReason.Modified);
        Reason(OutputNames.Handlers).ShouldBe(IncrementalStepRunReason.Unchanged);
        Reason(OutputNames.Filters).ShouldBe(IncrementalStepRunReason.Cached);
        _run.Source(OutputNames.Numbers).ShouldContain("Lseek = 9");
    }

    [Fact]
    public void A_changed_rule_renders_the_filters_only()
    {
        _run.ChangeSpec(FixtureSpec.Text.Replace("max: 10", "max: 11", StringComparison.Ordinal));
        Reason(OutputNames.Filters).ShouldBe(IncrementalStepRunReason.Modified);
        foreach (string output in (string[])[OutputNames.Numbers, OutputNames.Handlers, OutputNames.Dispatch, OutputNames.Info, OutputNames.Trace])
        {
            Reason(output).ShouldBe(IncrementalStepRunReason.Unchanged, output);
        }
    }

    private IncrementalStepRunReason Reason(string output) => _run.Reasons(StepNames.Model(output)).ShouldHaveSingleItem();
}
