// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;

namespace CVisor.Core.Vfs;

/// <summary>What a read or write came to: bytes moved, or an errno. A transfer cut short by an error reports the bytes, not the error.</summary>
/// <param name="Count">Bytes moved.</param>
/// <param name="Error">Why nothing was moved.</param>
/// <param name="Restart">With EINTR: how the call goes on once the signal that was just sent has been seen to.</param>
public readonly record struct IoResult(long Count, Errno Error, Tasks.Restart Restart = Tasks.Restart.None)
{
    /// <summary>Cut short by a signal that the operation itself raised (SIGTTIN, SIGTTOU).</summary>
    public static IoResult Restarts(Tasks.Restart restart) => new(0, Errno.EINTR, restart);

    /// <summary>Whether nothing could be moved now, but may be later (EAGAIN).</summary>
    public bool WouldBlock => Error == Errno.EAGAIN;

    /// <summary>Whether it failed.</summary>
    public bool IsError => Error != Errno.None;

    /// <summary>Bytes moved.</summary>
    public static implicit operator IoResult(long count) => new(count, Errno.None);

    /// <summary>A failure.</summary>
    public static implicit operator IoResult(Errno error) => new(0, error);

    /// <summary>As a system call's result.</summary>
    public static implicit operator Tasks.SyscallResult(IoResult result) =>
        result.Restart != Tasks.Restart.None ? Tasks.SyscallResult.Restarts(result.Restart) : result.IsError ? Tasks.SyscallResult.Fail(result.Error) : Tasks.SyscallResult.Ok(result.Count);
}
