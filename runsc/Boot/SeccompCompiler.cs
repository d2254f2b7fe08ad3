// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Core.Seccomp;
using CVisor.Runsc.Control;
using CVisor.Syscalls;

namespace CVisor.Runsc.Boot;

/// <summary>Makes classic BPF of a container's filter: a search for the call's number, and behind it the rules that look at arguments.</summary>
internal sealed class SeccompCompiler
{
    private const ushort LoadWord = 0x20, And = 0x54, Jump = 0x05, IfEqual = 0x15, IfGreater = 0x25, IfNotLess = 0x35, Return = 0x06;
    private const uint ArgumentsOffset = 16, ArgumentBytes = 8;

    private readonly List<FilterInstruction> _code = [];
    private readonly BootSeccomp _filter;
    private readonly List<BootSeccompRule>?[] _rules = new List<BootSeccompRule>?[SyscallInfo.Limit];

    private SeccompCompiler(BootSeccomp filter)
    {
        _filter = filter;
        foreach (BootSeccompRule rule in filter.Rules)
        {
            foreach (string name in rule.Names)
            {
                int number = SyscallInfo.Number(name);
                if (number >= 0)
                {
                    (_rules[number] ??= []).Add(rule);
                }
            }
        }
    }

    /// <summary>Compiles a filter.</summary>
    /// <exception cref="BootException">It is too long (BPF_MAXINSNS).</exception>
    internal static FilterProgram Compile(BootSeccomp filter)
    {
        SeccompCompiler compiler = new(filter);
        compiler.Add(LoadWord, 0); // The number; the architecture is always ours.
        compiler.Search(compiler.Segments());
        return FilterProgram.Create([.. compiler._code]) ?? throw new BootException($"config.json: linux.seccomp: the filter has {compiler._code.Count} instructions, more than {FilterProgram.MaximumLength}");
    }

    /// <summary>The first numbers of runs that are treated alike, in order; the last run has no end.</summary>
    private List<int> Segments()
    {
        List<int> starts = [0];
        for (int number = 1; number <= _rules.Length; number++)
        {
            if (Unconditional(number) is not { } answer || answer != Unconditional(number - 1))
            {
                starts.Add(number);
            }
        }

        return starts;
    }

    /// <summary>What a call comes to whatever its arguments are; null when they count.</summary>
    private uint? Unconditional(int number)
    {
        if (number >= _rules.Length || _rules[number] is not { } rules)
        {
            return _filter.DefaultReturn;
        }

        return rules[0].Conditions.Length == 0 ? rules[0].Return : null;
    }

    private void Search(List<int> starts)
    {
        if (starts.Count == 1)
        {
            Decide(starts[0]);
            return;
        }

        int middle = starts.Count / 2;
        Add(IfNotLess, (uint)starts[middle], whenTrue: 0, whenFalse: 1);
        int upper = Add(Jump, 0);
        Search(starts[..middle]);
        Land(upper);
        Search(starts[middle..]);
    }

    private void Decide(int number)
    {
        if (Unconditional(number) is { } answer)
        {
            Add(Return, answer);
            return;
        }

        foreach (BootSeccompRule rule in _rules[number]!)
        {
            List<int> failures = [];
            foreach (BootSeccompCondition condition in rule.Conditions)
            {
                Test(condition, failures);
            }

            Add(Return, rule.Return);
            if (rule.Conditions.Length == 0)
            {
                return; // No rule behind it is reached.
            }

            failures.ForEach(Land);
        }

        Add(Return, _filter.DefaultReturn);
    }

    /// <summary>Tests a condition: falls through when it holds, and jumps from the places added to <paramref name="failures"/> when not.</summary>
    private void Test(BootSeccompCondition condition, List<int> failures)
    {
        bool isNegated = condition.Comparison is SeccompComparison.NotEqual or SeccompComparison.Less or SeccompComparison.LessOrEqual;
        List<int> holds = [];
        List<int> fails = [];
        uint low = ArgumentsOffset + (condition.Index * ArgumentBytes);
        Load(low + 4, (uint)(condition.Mask >> 32));
        uint high = (uint)(condition.Value >> 32);
        if (condition.Comparison is not (SeccompComparison.Equal or SeccompComparison.NotEqual))
        {
            JumpIf(IfGreater, high, holds);
        }

        JumpUnless(IfEqual, high, fails);
        Load(low, unchecked((uint)condition.Mask));
        ushort test = condition.Comparison switch
        {
            SeccompComparison.Equal or SeccompComparison.NotEqual => IfEqual,
            SeccompComparison.Greater or SeccompComparison.LessOrEqual => IfGreater,
            _ => IfNotLess,
        };
        uint value = unchecked((uint)condition.Value);
        if (isNegated)
        {
            // Less is what is not greater or the same, and so on: holding and failing change places.
            JumpIf(test, value, failures);
            failures.AddRange(holds);
            fails.ForEach(Land);
            return;
        }

        JumpUnless(test, value, failures);
        failures.AddRange(fails);
        holds.ForEach(Land);
    }

    private void Load(uint offset, uint mask)
    {
        Add(LoadWord, offset);
        if (mask != uint.MaxValue)
        {
            Add(And, mask);
        }
    }

    private void JumpIf(ushort test, uint value, List<int> places)
    {
        Add(test, value, whenTrue: 0, whenFalse: 1);
        places.Add(Add(Jump, 0));
    }

    private void JumpUnless(ushort test, uint value, List<int> places)
    {
        Add(test, value, whenTrue: 1, whenFalse: 0);
        places.Add(Add(Jump, 0));
    }

    private int Add(ushort code, uint constant, byte whenTrue = 0, byte whenFalse = 0)
    {
        _code.Add(new FilterInstruction(code, whenTrue, whenFalse, constant));
        return _code.Count - 1;
    }

    /// <summary>Lets a jump lead to what comes next.</summary>
    private void Land(int jump) => _code[jump] = _code[jump] with { Constant = (uint)(_code.Count - jump - 1) };
}
