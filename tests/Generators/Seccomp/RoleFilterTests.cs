// SPDX-License-Identifier: Apache-2.0
using CVisor.Generators.Seccomp.Emit;
using CVisor.Generators.Seccomp.Ir;
using CVisor.Host.Filters;
using CVisor.Schema.Model;
using CVisor.Tests.Support;

namespace CVisor.Generators.Tests.Seccomp;

/// <summary>The programs of the repository's roles against the rules they come from.</summary>
public sealed class RoleFilterTests
{
    public static readonly TheoryData<string> Roles = new("sentry", "gofer", "stub");

    [Theory]
    [MemberData(nameof(Roles))]
    public void The_program_is_the_reviewed_one(string name)
        => Golden.Verify(Disassembler.Print(Assembler.Assemble(ProgramBuilder.Build(RepositorySpec.Role(name)))), "txt", name);

    [Theory]
    [MemberData(nameof(Roles))]
    public void What_is_compiled_in_is_what_the_spec_says(string name)
        => Compiled(name).ShouldBe(Reference.Words(Assembler.Assemble(ProgramBuilder.Build(RepositorySpec.Role(name)))));

    [Theory]
    [MemberData(nameof(Roles))]
    public void Each_rule_matches_its_calls_and_no_perturbed_ones(string name)
    {
        RoleFilterSpec role = RepositorySpec.Role(name);
        ulong[] program = Compiled(name);
        foreach (CallFilter rule in role.Calls)
        {
            if (rule.Alternatives.Count == 0)
            {
                Check(role, program, Call(rule), Reference.Word(rule.Match));
                continue;
            }

            foreach (FilterAlternative alternative in rule.Alternatives)
            {
                SeccompCall matching = alternative.Conditions.Aggregate(Call(rule), (call, c) => With(call, c.Argument, Samples.Matching(c)));
                Check(role, program, matching, Reference.Word(rule.Match));
                foreach (FilterCondition condition in alternative.Conditions)
                {
                    foreach (ulong value in Samples.Around(condition))
                    {
                        SeccompCall perturbed = With(matching, condition.Argument, value);
                        Check(role, program, perturbed, Reference.Answer(role, perturbed));
                    }
                }

                // One condition alone broken, in a way no other alternative repairs, must change the answer.
                foreach (FilterCondition condition in alternative.Conditions)
                {
                    SeccompCall broken = With(matching, condition.Argument, Samples.Violating(condition));
                    if (!rule.Alternatives.Any(a => a.Conditions.All(c => Reference.Holds(c, broken))))
                    {
                        Check(role, program, broken, Reference.Word(rule.Otherwise));
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public void Every_number_without_a_rule_gets_the_default(string name)
    {
        RoleFilterSpec role = RepositorySpec.Role(name);
        ulong[] program = Compiled(name);
        HashSet<int> listed = [.. role.Calls.Select(c => c.Number)];
        for (uint number = 0; number < 1000; number++)
        {
            if (!listed.Contains((int)number))
            {
                Check(role, program, Call(number), Reference.Word(role.Default));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public void Other_abis_never_pass(string name)
    {
        RoleFilterSpec role = RepositorySpec.Role(name);
        ulong[] program = Compiled(name);
        foreach (CallFilter rule in role.Calls)
        {
            SeccompCall call = Call(rule);
            Check(role, program, call with { Number = call.Number | 0x4000_0000 }, BpfMachine.KillProcess);
            Check(role, program, call with { Number = call.Number | 0x8000_0000 }, BpfMachine.KillProcess);
            Check(role, program, call with { Arch = 0x40000003 }, BpfMachine.KillProcess); // AUDIT_ARCH_I386
        }

        Check(role, program, Call(uint.MaxValue), BpfMachine.KillProcess);
    }

    [Fact]
    public void A_stub_calls_from_one_place_only()
    {
        RoleFilterSpec role = RepositorySpec.Role("stub");
        ulong[] program = Compiled("stub");
        foreach (CallFilter rule in role.Calls)
        {
            SeccompCall call = Call(rule);
            foreach (ulong place in (ulong[])[0, Reference.CallerAddress - 1, Reference.CallerAddress ^ (1UL << 32), Reference.CallerAddress & uint.MaxValue])
            {
                Check(role, program, call with { Caller = place }, BpfMachine.Trap);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Roles))]
    public void Program_and_rules_agree_on_random_calls(string name)
    {
        RoleFilterSpec role = RepositorySpec.Role(name);
        ulong[] program = Compiled(name);
        Random random = new(20_24);
        ulong[] values = [.. role.Calls.SelectMany(c => c.Alternatives).SelectMany(a => a.Conditions).SelectMany(Samples.Around).Distinct()];
        for (int i = 0; i < 100_000; i++)
        {
            CallFilter rule = role.Calls[random.Next(role.Calls.Count)];
            ulong[] args = new ulong[6];
            for (int a = 0; a < args.Length; a++)
            {
                args[a] = random.Next(4) == 0 ? (ulong)random.NextInt64() : values.Length == 0 ? 0 : values[random.Next(values.Length)];
            }

            SeccompCall call = Call(rule) with { Args = args };
            Check(role, program, call, Reference.Answer(role, call));
        }
    }

    [Fact]
    public void The_table_of_calls_names_what_may_pass()
    {
        RoleFilters.SentryCalls.ToArray().ShouldContain("futex");
        RoleFilters.SentryCalls.ToArray().ShouldNotContain("execve");
        RoleFilters.GoferCalls.ToArray().ShouldContain("openat2");
        RoleFilters.GoferCalls.ToArray().ShouldNotContain("ptrace");
        RoleFilters.StubCalls.Length.ShouldBe(RepositorySpec.Role("stub").Calls.Count);
    }

    [Fact]
    public void No_role_starts_programs_or_makes_memory_executable()
    {
        foreach (string name in (string[])["sentry", "gofer"])
        {
            ulong[] program = Compiled(name);
            const uint Mmap = 9, Mprotect = 10, Clone = 56, Fork = 57, Vfork = 58, Execve = 59, Execveat = 322, PkeyMprotect = 329, Clone3 = 435;
            foreach (uint number in (uint[])[Fork, Vfork, Execve, Execveat, PkeyMprotect])
            {
                BpfMachine.Run(program, SeccompCall.Of(number)).ShouldBe(BpfMachine.Trap);
            }

            BpfMachine.Run(program, SeccompCall.Of(Clone3)).ShouldBe(BpfMachine.Errno | 38);
            BpfMachine.Run(program, SeccompCall.Of(Clone, 17)).ShouldBe(BpfMachine.Trap);
            BpfMachine.Run(program, SeccompCall.Of(Clone, 0x3d0f00)).ShouldBe(BpfMachine.Allow); // pthread_create
            BpfMachine.Run(program, SeccompCall.Of(Mprotect, 0, 4096, 5)).ShouldBe(BpfMachine.Trap);
            BpfMachine.Run(program, SeccompCall.Of(Mmap, 0, 4096, 7, 0x22)).ShouldBe(BpfMachine.Trap);
            BpfMachine.Run(program, SeccompCall.Of(Mmap, 0, 4096, 3, 0x22)).ShouldBe(BpfMachine.Allow);
        }
    }

    private static SeccompCall Call(CallFilter rule)
        => rule.Alternatives.Count == 0
            ? Call((uint)rule.Number)
            : rule.Alternatives[0].Conditions.Aggregate(Call((uint)rule.Number), (call, c) => With(call, c.Argument, Samples.Matching(c)));

    private static SeccompCall Call(uint number) => SeccompCall.Of(number) with { Caller = Reference.CallerAddress };

    private static SeccompCall With(SeccompCall call, int argument, ulong value)
    {
        ulong[] args = [.. call.Args];
        args[argument] = value;
        return call with { Args = args };
    }

    private static void Check(RoleFilterSpec role, ulong[] program, SeccompCall call, uint expected)
    {
        Reference.Answer(role, call).ShouldBe(expected, $"the rules of {role.Role} on {call}");
        BpfMachine.Run(program, call).ShouldBe(expected, $"the program of {role.Role} on {call}");
    }

    private static ulong[] Compiled(string role) => role switch
    {
        "sentry" => RoleFilters.Sentry.Build(Reference.OwnPid, 0),
        "gofer" => RoleFilters.Gofer.Build(Reference.OwnPid, 0),
        _ => RoleFilters.Stub.Build(Reference.OwnPid, Reference.CallerAddress),
    };
}
