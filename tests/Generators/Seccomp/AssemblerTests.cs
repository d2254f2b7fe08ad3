// SPDX-License-Identifier: Apache-2.0
using CVisor.Generators.Seccomp.Emit;
using CVisor.Generators.Seccomp.Ir;
using CVisor.Generators.Seccomp.Optimize;
using CVisor.Generators.Shared;
using CVisor.Schema.Model;

namespace CVisor.Generators.Tests.Seccomp;

public sealed class AssemblerTests
{
    private static readonly FilterVerdict s_kill = new(FilterAction.KillProcess, "");
    private static readonly FilterVerdict s_trap = new(FilterAction.Trap, "");

    /// <summary>Far more rules than a conditional jump reaches: every one still decides right.</summary>
    [Fact]
    public void Long_programs_jump_over_what_a_branch_cannot_reach()
    {
        List<CallFilter> calls = [];
        for (int number = 0; number < 400; number += 2)
        {
            FilterCondition condition = new(number % 6, "a", true, FilterTest.OneOf, ulong.MaxValue, new([(ulong)number << 20, ((ulong)number << 33) + 1]));
            calls.Add(new CallFilter("c", number, "", new([new FilterAlternative(new([condition]))]), FilterVerdict.Allow, number % 4 == 0 ? s_kill : s_trap));
        }

        RoleFilterSpec role = new("long", s_kill, null, new([.. calls]));
        List<Instruction> program = Assembler.Assemble(ProgramBuilder.Build(role));
        program.Count.ShouldBeGreaterThan(700);
        ulong[] words = Reference.Words(program);
        foreach (CallFilter call in calls)
        {
            foreach (ulong value in Samples.Around(call.Alternatives[0].Conditions[0]).Take(8))
            {
                SeccompCall sample = SeccompCall.Of((uint)call.Number, [.. Enumerable.Repeat(value, 6)]);
                BpfMachine.Run(words, sample).ShouldBe(Reference.Answer(role, sample), sample.ToString());
                SeccompCall next = sample with { Number = sample.Number + 1 };
                BpfMachine.Run(words, next).ShouldBe(BpfMachine.KillProcess);
            }
        }
    }

    [Fact]
    public void A_program_too_long_for_the_kernel_is_refused()
    {
        IEnumerable<ulong> values = Enumerable.Range(0, 5000).Select(i => (ulong)i * 3);
        FilterCondition condition = new(0, "a", false, FilterTest.OneOf, ulong.MaxValue, new([.. values]));
        CallFilter call = new("c", 1, "", new([new FilterAlternative(new([condition]))]), FilterVerdict.Allow, s_kill);
        Should.Throw<InvalidOperationException>(() => Assembler.Assemble(ProgramBuilder.Build(new RoleFilterSpec("r", s_kill, null, new([call])))))
            .Message.ShouldContain("4096");
    }

    [Fact]
    public void Neighbouring_ranges_with_one_answer_become_one()
    {
        NodePool pool = new();
        FilterNode allow = pool.Return(FilterVerdict.Allow);
        FilterNode kill = pool.Return(s_kill);
        List<NumberRange> merged = MergeRanges.Run([new(0, kill), new(5, allow), new(6, kill), new(6, allow), new(7, allow), new(9, kill)]);
        merged.Select(r => (r.Start, r.Node)).ShouldBe([(0u, kill), (5u, allow), (9u, kill)]);
    }

    [Fact]
    public void A_word_that_is_held_is_not_loaded_again()
    {
        NodePool pool = new();
        FilterNode allow = pool.Return(FilterVerdict.Allow);
        FilterNode kill = pool.Return(s_kill);
        FilterNode second = pool.Load(16, pool.Branch(BranchTest.Equal, 2, allow, kill));
        FilterNode root = pool.Load(16, pool.Branch(BranchTest.Equal, 1, allow, second));
        Count(RemoveRedundantLoads.Run(pool, root), Instruction.Load).ShouldBe(1);

        FilterNode masked = pool.Load(16, pool.And(1, pool.Branch(BranchTest.Equal, 1, allow, second)));
        Count(RemoveRedundantLoads.Run(pool, masked), Instruction.Load).ShouldBe(2, "the mask destroyed the word");
    }

    [Fact]
    public void A_branch_with_one_way_out_goes_away_with_its_load()
    {
        NodePool pool = new();
        FilterNode kill = pool.Return(s_kill);
        FilterNode root = pool.Load(16, pool.And(3, pool.Branch(BranchTest.Equal, 1, kill, kill)));
        CollapseBranches.Run(pool, root).ShouldBeSameAs(kill);
    }

    private static int Count(FilterNode root, ushort code) => Assembler.Assemble(root).Count(i => i.Code == code);
}
