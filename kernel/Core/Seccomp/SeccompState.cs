// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Core.Seccomp;

/// <summary>SECCOMP_MODE_*.</summary>
public enum SeccompMode
{
    /// <summary>Every call.</summary>
    Disabled = 0,

    /// <summary>read, write, exit and rt_sigreturn only.</summary>
    Strict = 1,

    /// <summary>What the filters say.</summary>
    Filter = 2,
}

/// <summary>What filters answer: the upper half of a SECCOMP_RET_* value. The lower, as a signed number, the stronger.</summary>
public static class SeccompAction
{
    public const uint KillProcess = 0x8000_0000, KillThread = 0, Trap = 0x0003_0000, Error = 0x0005_0000, Trace = 0x7ff0_0000, Log = 0x7ffc_0000, Allow = 0x7fff_0000;

    /// <summary>The action's bits of an answer.</summary>
    public const uint ActionMask = 0xffff_0000;

    /// <summary>The data bits of an answer.</summary>
    public const uint DataMask = 0xffff;

    /// <summary>Whether this kernel knows an action. SECCOMP_RET_USER_NOTIF is none of them.</summary>
    public static bool IsKnown(uint action) => action is KillProcess or KillThread or Trap or Error or Trace or Log or Allow;
}

/// <summary>What a task has given up (seccomp(2)). Immutable: replaced as a whole, so that a reader needs no lock.</summary>
public sealed class SeccompState
{
    /// <summary>The most instructions on the way through all filters, each counted with 4 more (MAX_INSNS_PER_PATH).</summary>
    public const int MaximumInstructions = 32768;

    private const int InstructionsPerFilter = 4;

    private readonly SeccompState? _older;
    private readonly FilterProgram? _program;

    private SeccompState(SeccompMode mode, FilterProgram? program, SeccompState? older)
    {
        Mode = mode;
        _program = program;
        _older = older;
        if (program is not null)
        {
            FilterCount = (older?.FilterCount ?? 0) + 1;
            Instructions = (older?.Instructions ?? 0) + program.Length + InstructionsPerFilter;
        }
    }

    /// <summary>Strict mode.</summary>
    public static SeccompState Strict { get; } = new(SeccompMode.Strict, null, null);

    /// <summary>The mode.</summary>
    public SeccompMode Mode { get; }

    /// <summary>How many filters there are.</summary>
    public int FilterCount { get; }

    /// <summary>What all filters count towards <see cref="MaximumInstructions"/>.</summary>
    public int Instructions { get; }

    /// <summary>The state with one more filter on top of another state's.</summary>
    public static SeccompState WithFilter(SeccompState? older, FilterProgram program) => new(SeccompMode.Filter, program, older);

    /// <summary>Whether this is the other one or was made from it.</summary>
    public bool Includes(SeccompState? other)
    {
        for (SeccompState? at = this; at is not null; at = at._older)
        {
            if (at == other)
            {
                return true;
            }
        }

        return other is null;
    }

    /// <summary>Asks all filters; the strongest answer counts, and of equal ones the newest filter's.</summary>
    public uint Run(in FilterData data)
    {
        uint strongest = SeccompAction.Allow;
        for (SeccompState? at = this; at?._program is not null; at = at._older)
        {
            uint answer = at._program.Run(in data);
            if (Strength(answer) < Strength(strongest))
            {
                strongest = answer;
            }
        }

        return strongest;

        static int Strength(uint answer) => unchecked((int)(answer & SeccompAction.ActionMask));
    }
}
