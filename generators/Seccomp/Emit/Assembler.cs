// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using CVisor.Generators.Seccomp.Ir;
using CVisor.Schema.Model;

namespace CVisor.Generators.Seccomp.Emit;

/// <summary>Lays a decision graph out as instructions.</summary>
/// <remarks>
/// Written from the end, so that every target is known when a jump to it is written; jumps of this machine only go forward. Conditional jumps reach
/// 255 instructions: what is farther away gets a jump, or a second copy when it is a return, right behind the comparison.
/// </remarks>
public sealed class Assembler
{
    /// <summary>BPF_MAXINSNS.</summary>
    private const int MaxLength = 4096;
    private const int MaxSkip = 255;

    private readonly List<Instruction> _reversed = new();
    private readonly Dictionary<FilterNode, int> _places = new();

    private Assembler()
    {
    }

    /// <summary>The program of <paramref name="root"/>.</summary>
    /// <exception cref="InvalidOperationException">It is longer than the kernel takes.</exception>
    public static List<Instruction> Assemble(FilterNode root)
    {
        Assembler assembler = new();
        assembler.Place(root);
        if (assembler._reversed.Count > MaxLength)
        {
            throw new InvalidOperationException($"a filter of {assembler._reversed.Count} instructions; the kernel takes {MaxLength}");
        }

        assembler._reversed.Reverse();
        return assembler._reversed;
    }

    private void Place(FilterNode node)
    {
        if (_places.ContainsKey(node))
        {
            return;
        }

        switch (node)
        {
            case ReturnNode end:
                Add(node, Return(end));
                break;
            case LoadNode load:
                Place(load.Next);
                FallThroughTo(load.Next);
                Add(node, Instruction.Plain(Instruction.Load, (uint)load.Offset));
                break;
            case AndNode and:
                Place(and.Next);
                FallThroughTo(and.Next);
                Add(node, Instruction.Plain(Instruction.And, and.Mask));
                break;
            case BranchNode branch:
                Place(branch.Otherwise);
                Place(branch.Then);
                PlaceBranch(branch);
                break;
        }
    }

    private void PlaceBranch(BranchNode branch)
    {
        // Bringing one target near pushes the other one instruction away: hence both before the distances are taken.
        BringNear(branch.Then, room: 1);
        BringNear(branch.Otherwise, room: 0);
        ushort code = branch.Test switch
        {
            BranchTest.Greater => Instruction.JumpGreater,
            BranchTest.GreaterOrEqual => Instruction.JumpGreaterOrEqual,
            BranchTest.AnyBit => Instruction.JumpAnyBit,
            _ => Instruction.JumpEqual,
        };
        byte then = (byte)Distance(branch.Then);
        byte otherwise = (byte)Distance(branch.Otherwise);
        bool isSlot = branch.Test == BranchTest.EqualSlot;
        Add(branch, new Instruction(code, then, otherwise, isSlot ? 0 : branch.Value, "", isSlot ? (FilterSlot)branch.Value : null));
    }

    private void BringNear(FilterNode target, int room)
    {
        if (Distance(target) + room > MaxSkip)
        {
            Repeat(target);
        }
    }

    private void FallThroughTo(FilterNode next)
    {
        if (Distance(next) != 0)
        {
            Repeat(next);
        }
    }

    // A nearer place that does the same as target.
    private void Repeat(FilterNode target)
    {
        Instruction instruction = target is ReturnNode end ? Return(end) : Instruction.Plain(Instruction.Jump, (uint)Distance(target));
        Add(target, instruction);
    }

    // Instructions between the next one written and target.
    private int Distance(FilterNode target) => _reversed.Count - 1 - _places[target];

    private void Add(FilterNode node, Instruction instruction)
    {
        _places[node] = _reversed.Count;
        _reversed.Add(instruction);
    }

    private static Instruction Return(ReturnNode end) => end.Verdict.Action switch
    {
        FilterAction.Allow => Instruction.Plain(Instruction.Return, Instruction.ReturnAllow),
        FilterAction.Errno => new Instruction(Instruction.Return, 0, 0, Instruction.ReturnErrno, end.Verdict.Errno, null),
        FilterAction.Trap => Instruction.Plain(Instruction.Return, Instruction.ReturnTrap),
        _ => Instruction.Plain(Instruction.Return, Instruction.ReturnKillProcess),
    };
}
