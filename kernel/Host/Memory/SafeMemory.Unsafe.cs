// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Host;

/// <summary>Copies and atomic operations on mapped memory that may fault (a truncated file, memory that cannot be committed): a fault is an answer, not a crash.</summary>
/// <remarks>Addresses are this process's own. Copies of more than a few pages leave managed code for their length, so that a garbage collection can go on.</remarks>
public static unsafe class SafeMemory
{
    private const int LongCopyBytes = 16384;

    private static readonly delegate* unmanaged[SuppressGCTransition]<nuint, nuint, nuint, nuint> s_copy =
        (delegate* unmanaged[SuppressGCTransition]<nuint, nuint, nuint, nuint>)(HostCode.Base + HostCodeX64.SafeCopy);

    private static readonly delegate* unmanaged<nuint, nuint, nuint, nuint> s_longCopy =
        (delegate* unmanaged<nuint, nuint, nuint, nuint>)(HostCode.Base + HostCodeX64.SafeCopy);

    private static readonly delegate* unmanaged<nuint, nuint, nuint> s_zero =
        (delegate* unmanaged<nuint, nuint, nuint>)(HostCode.Base + HostCodeX64.SafeZero);

    /// <summary>Copies between two mapped ranges.</summary>
    /// <returns>Whether all of it was copied.</returns>
    // SAFETY: the machine code takes any address and answers a fault. That the destination holds no object of ours is for the caller.
    [NoAlloc]
    public static bool Copy(nuint destination, nuint source, nuint lengthBytes) =>
        (lengthBytes > LongCopyBytes ? s_longCopy(destination, source, lengthBytes) : s_copy(destination, source, lengthBytes)) == 0;

    /// <summary>Copies from mapped memory into a span.</summary>
    /// <returns>Whether all of it was copied.</returns>
    [NoAlloc]
    public static bool Read(nuint source, Span<byte> destination)
    {
        // SAFETY: the span is pinned for the copy and bounds what is stored.
        fixed (byte* p = destination)
        {
            return Copy((nuint)p, source, (nuint)destination.Length);
        }
    }

    /// <summary>Copies a span into mapped memory.</summary>
    /// <returns>Whether all of it was copied.</returns>
    [NoAlloc]
    public static bool Write(nuint destination, ReadOnlySpan<byte> source)
    {
        // SAFETY: the span is pinned for the copy and bounds what is read.
        fixed (byte* p = source)
        {
            return Copy(destination, (nuint)p, (nuint)source.Length);
        }
    }

    /// <summary>Zeroes mapped memory.</summary>
    /// <returns>Whether all of it was zeroed.</returns>
    // SAFETY: as for Copy.
    public static bool Zero(nuint destination, nuint lengthBytes) => s_zero(destination, lengthBytes) == 0;

    /// <summary>Reads a 32-bit word atomically; the address must be a multiple of 4.</summary>
    /// <returns>Whether it could be read.</returns>
    [NoAlloc]
    public static bool TryLoad(nuint address, out uint value)
    {
        uint seen = 0;

        // SAFETY: the machine code stores one word to the local and nothing else of ours.
        bool ok = ((delegate* unmanaged[SuppressGCTransition]<nuint, uint*, nuint>)(HostCode.Base + HostCodeX64.SafeLoad32))(address, &seen) == 0;
        value = seen;
        return ok;
    }

    /// <summary>Compares and exchanges a 32-bit word atomically.</summary>
    /// <param name="address">A multiple of 4.</param>
    /// <param name="expected">Exchanged only when the word holds this.</param>
    /// <param name="desired">The new word.</param>
    /// <param name="seen">What the word held.</param>
    /// <returns>Whether it could be accessed.</returns>
    [NoAlloc]
    public static bool TryCompareExchange(nuint address, uint expected, uint desired, out uint seen)
    {
        uint found = 0;

        // SAFETY: the machine code stores one word to the local and nothing else of ours.
        bool ok = ((delegate* unmanaged[SuppressGCTransition]<nuint, uint, uint, uint*, nuint>)(HostCode.Base + HostCodeX64.SafeCas32))(address, expected, desired, &found) == 0;
        seen = found;
        return ok;
    }

    /// <summary>Applies an operation to a 32-bit word atomically.</summary>
    /// <param name="operation">Which.</param>
    /// <param name="address">A multiple of 4.</param>
    /// <param name="operand">The operand.</param>
    /// <param name="old">What the word held before.</param>
    /// <returns>Whether it could be accessed.</returns>
    [NoAlloc]
    public static bool TryModify(AtomicOperation operation, nuint address, uint operand, out uint old)
    {
        int code = operation switch
        {
            AtomicOperation.Exchange => HostCodeX64.SafeXchg32,
            AtomicOperation.Add => HostCodeX64.SafeAdd32,
            AtomicOperation.Or => HostCodeX64.SafeOr32,
            AtomicOperation.And => HostCodeX64.SafeAnd32,
            _ => HostCodeX64.SafeXor32,
        };
        uint before = 0;

        // SAFETY: the machine code stores one word to the local and nothing else of ours.
        bool ok = ((delegate* unmanaged[SuppressGCTransition]<nuint, uint, uint*, nuint>)(HostCode.Base + code))(address, operand, &before) == 0;
        old = before;
        return ok;
    }
}

/// <summary>Atomic operations on a word.</summary>
public enum AtomicOperation
{
    /// <summary>Store the operand.</summary>
    Exchange,

    /// <summary>Add the operand, wrapping around.</summary>
    Add,

    /// <summary>Bitwise or.</summary>
    Or,

    /// <summary>Bitwise and.</summary>
    And,

    /// <summary>Bitwise exclusive or.</summary>
    Xor,
}
