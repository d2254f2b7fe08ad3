// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host.Filters;

/// <summary>Values of a filter that are known only when it is installed.</summary>
public enum FilterSlot
{
    /// <summary>The process's own ID.</summary>
    OwnPid,

    /// <summary>The lower half of the address behind the one instruction that may call.</summary>
    CallerLow,

    /// <summary>The upper half of it.</summary>
    CallerHigh,
}

/// <summary>The seccomp program of a process role, from the filters section of syscalls.yaml.</summary>
public readonly ref struct RoleFilter
{
    private readonly ReadOnlySpan<ulong> _program;
    private readonly ReadOnlySpan<ushort> _slots;

    /// <summary>How many bits a slot's number takes; the instruction's index is above them.</summary>
    public const int SlotBits = 2;

    /// <summary>
    /// A program; each word is a struct sock_filter: code, jt, jf, k from the lowest byte up. A slot is the index of the instruction whose constant it is,
    /// and the <see cref="FilterSlot"/>.
    /// </summary>
    public RoleFilter(string role, ReadOnlySpan<ulong> program, ReadOnlySpan<ushort> slots)
    {
        Role = role;
        _program = program;
        _slots = slots;
    }

    /// <summary>The role.</summary>
    public string Role { get; }

    /// <summary>The number of instructions.</summary>
    public int Length => _program.Length;

    /// <summary>The program with its slots filled.</summary>
    /// <param name="ownPid">The ID of the process that the filter is for, in its own PID namespace.</param>
    /// <param name="caller">The address behind the one instruction that may call; 0 for roles without such a rule.</param>
    public ulong[] Build(int ownPid, ulong caller)
    {
        ulong[] program = _program.ToArray();
        foreach (ushort slot in _slots)
        {
            uint value = (FilterSlot)(slot & ((1 << SlotBits) - 1)) switch
            {
                FilterSlot.OwnPid => unchecked((uint)ownPid),
                FilterSlot.CallerLow => unchecked((uint)caller),
                _ => (uint)(caller >> 32),
            };
            program[slot >> SlotBits] |= (ulong)value << 32;
        }

        return program;
    }
}
