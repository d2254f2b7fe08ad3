// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;

namespace CVisor.Core.Vfs;

/// <summary>What a read or write came to: bytes moved, or an errno. A transfer cut short by an error reports the bytes, not the error.</summary>
/// <param name="Count">Bytes moved.</param>
/// <param name="Error">Why nothing was moved.</param>
public readonly record struct IoResult(long Count, Errno Error)
{
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
        result.IsError ? Tasks.SyscallResult.Fail(result.Error) : Tasks.SyscallResult.Ok(result.Count);
}
