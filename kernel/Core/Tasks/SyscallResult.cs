// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;

namespace CVisor.Core.Tasks;

/// <summary>How a system call that a signal cut short goes on (kernel-internal, never seen by the guest; include/linux/errno.h).</summary>
public enum Restart : byte
{
    /// <summary>No restart.</summary>
    None,

    /// <summary>ERESTARTSYS: again if the handler has SA_RESTART or there is none, otherwise EINTR.</summary>
    IfHandlerAllows,

    /// <summary>ERESTARTNOINTR: always again.</summary>
    Always,

    /// <summary>ERESTARTNOHAND: again only when no handler runs, otherwise EINTR.</summary>
    IfNoHandler,

    /// <summary>ERESTART_RESTARTBLOCK: by restart_syscall(2) and <see cref="Task.RestartBlock"/> when no handler runs, otherwise EINTR.</summary>
    ByRestartBlock,
}

/// <summary>What a system call came to: a value, a guest errno, a restart, or registers already set.</summary>
public readonly struct SyscallResult : IEquatable<SyscallResult>
{
    private readonly long _value;
    private readonly Restart _restart;
    private readonly bool _keepsRegisters;

    private SyscallResult(long value, Restart restart, bool keepsRegisters)
    {
        _value = value;
        _restart = restart;
        _keepsRegisters = keepsRegisters;
    }

    /// <summary>Success with value 0.</summary>
    public static SyscallResult Success => default;

    /// <summary>The call set the guest's registers itself (execve, rt_sigreturn) or the task ended (exit): nothing is written.</summary>
    public static SyscallResult KeepRegisters => new(0, Restart.None, true);

    /// <summary>Whether registers stay as the handler left them.</summary>
    public bool KeepsRegisters => _keepsRegisters;

    /// <summary>How to go on after a signal, when <see cref="IsRestart"/>.</summary>
    public Restart Restart => _restart;

    /// <summary>Whether the call is to be restarted or ended with EINTR, as the signal's handler says.</summary>
    public bool IsRestart => _restart != Restart.None;

    /// <summary>The value, or the negative errno, as the register holds it.</summary>
    public long Register => _value;

    /// <summary>Whether it failed with an errno.</summary>
    public bool IsError => _restart == Restart.None && _value is < 0 and >= -4095;

    /// <summary>The errno of a failure, otherwise <see cref="Errno.None"/>.</summary>
    public Errno Error => IsError ? (Errno)(-_value) : Errno.None;

    /// <summary>Success with a value.</summary>
    public static SyscallResult Ok(long value) => new(value, Restart.None, false);

    /// <summary>Whatever is to be in the register: a value, or a negative errno that the guest chose itself (seccomp filters).</summary>
    public static SyscallResult FromRegister(long register) => new(register, Restart.None, false);

    /// <summary>Failure with an errno (<see cref="Errno.None"/> is success with 0).</summary>
    public static SyscallResult Fail(Errno error) => new(-(long)error, Restart.None, false);

    /// <summary>Interrupted by a signal: restarted, or EINTR.</summary>
    public static SyscallResult Restarts(Restart restart) => new(-(long)Errno.EINTR, restart, false);

    /// <summary>Success with a value.</summary>
    public static implicit operator SyscallResult(long value) => Ok(value);

    /// <summary>Success with a value.</summary>
    public static implicit operator SyscallResult(int value) => Ok(value);

    /// <summary>Failure with an errno, or success with 0.</summary>
    public static implicit operator SyscallResult(Errno error) => Fail(error);

    /// <inheritdoc/>
    public bool Equals(SyscallResult other) => _value == other._value && _restart == other._restart && _keepsRegisters == other._keepsRegisters;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is SyscallResult other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_value, _restart, _keepsRegisters);

    /// <inheritdoc/>
    public override string ToString() => _keepsRegisters ? "(registers)" : IsRestart ? $"restart:{_restart}" : IsError ? Error.ToString() : _value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>The raw arguments of a system call, in the order of the ABI.</summary>
public readonly record struct SyscallArgs(ulong A0, ulong A1, ulong A2, ulong A3, ulong A4, ulong A5);
