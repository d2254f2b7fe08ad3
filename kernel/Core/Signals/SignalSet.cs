// SPDX-License-Identifier: Apache-2.0
using System.Numerics;
using CVisor.Abi;

namespace CVisor.Core.Signals;

/// <summary>A set of signals as the kernel ABI has it: bit n-1 is signal n.</summary>
/// <param name="Bits">The bits.</param>
public readonly record struct SignalSet(ulong Bits)
{
    /// <summary>What can be neither blocked, caught nor ignored.</summary>
    public static SignalSet Unblockable => Of(SignalNumber.SIGKILL) | Of(SignalNumber.SIGSTOP);

    /// <summary>The signals whose default action stops the process.</summary>
    public static SignalSet Stopping => Of(SignalNumber.SIGSTOP) | Of(SignalNumber.SIGTSTP) | Of(SignalNumber.SIGTTIN) | Of(SignalNumber.SIGTTOU);

    /// <summary>The signals that a thread's own instructions raise: delivered before others.</summary>
    public static SignalSet Synchronous =>
        Of(SignalNumber.SIGSEGV) | Of(SignalNumber.SIGBUS) | Of(SignalNumber.SIGILL) | Of(SignalNumber.SIGTRAP) | Of(SignalNumber.SIGFPE) | Of(SignalNumber.SIGSYS);

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty => Bits == 0;

    /// <summary>The lowest signal; 0 when there is none.</summary>
    public int First => Bits == 0 ? 0 : BitOperations.TrailingZeroCount(Bits) + 1;

    /// <summary>The set of one signal.</summary>
    public static SignalSet Of(int signal) => new(1UL << (signal - 1));

    /// <summary>Whether the signal (1..64) is in it.</summary>
    public bool Contains(int signal) => (Bits & (1UL << (signal - 1))) != 0;

    /// <summary>Both.</summary>
    public static SignalSet operator |(SignalSet a, SignalSet b) => new(a.Bits | b.Bits);

    /// <summary>What is in both.</summary>
    public static SignalSet operator &(SignalSet a, SignalSet b) => new(a.Bits & b.Bits);

    /// <summary>All others.</summary>
    public static SignalSet operator ~(SignalSet a) => new(~a.Bits);
}
