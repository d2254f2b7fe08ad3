// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;

namespace CVisor.Core.Signals;

/// <summary>The actions of all signals; shared by tasks with CLONE_SIGHAND. Guarded by the task set's lock.</summary>
public sealed class SignalHandlers
{
    private readonly SignalAction[] _actions = new SignalAction[SignalNumber.Last];

    /// <summary>The action of a signal (1..64).</summary>
    public ref SignalAction this[int signal] => ref _actions[signal - 1];

    /// <summary>A copy (fork).</summary>
    public SignalHandlers Clone()
    {
        SignalHandlers copy = new();
        _actions.CopyTo(copy._actions.AsSpan());
        return copy;
    }

    /// <summary>What is left of them after execve(2) or CLONE_CLEAR_SIGHAND: ignored signals stay ignored, all others take their default.</summary>
    public SignalHandlers WithoutHandlers()
    {
        SignalHandlers copy = new();
        for (int i = 0; i < _actions.Length; i++)
        {
            if (_actions[i].Handler == SignalAction.Ignore)
            {
                copy._actions[i].Handler = SignalAction.Ignore;
            }
        }

        return copy;
    }

    /// <summary>Whether the signal has no effect: SIG_IGN, or nothing by default.</summary>
    public bool IsIgnored(int signal) =>
        this[signal].Handler == SignalAction.Ignore || (this[signal].Handler == SignalAction.Default && DefaultActions.IsIgnored(signal));

    /// <summary>The signals with a given disposition, for /proc: SigIgn and SigCgt.</summary>
    public SignalSet Select(bool handled)
    {
        ulong bits = 0;
        for (int i = 0; i < _actions.Length; i++)
        {
            if (handled ? _actions[i].HasHandler : _actions[i].Handler == SignalAction.Ignore)
            {
                bits |= 1UL << i;
            }
        }

        return new SignalSet(bits);
    }
}
