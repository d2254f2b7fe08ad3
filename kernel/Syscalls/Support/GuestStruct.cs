// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Host;

namespace CVisor.Syscalls;

/// <summary>Structures whose size the guest says, so that they can grow (copy_struct_from_user()).</summary>
internal static class GuestStruct
{
    private const ulong PageSize = 4096;

    /// <summary>Reads a structure that may be older (shorter: the rest is zero) or newer (longer: the rest must be zero).</summary>
    /// <returns>None; E2BIG when it says something that this kernel does not know; EFAULT.</returns>
    internal static Errno CopyIn<T>(MemoryManager memory, UserPtr source, ulong size, out T value)
        where T : unmanaged
    {
        value = default;
        int known = Blit.SizeOf<T>();
        if (size > PageSize)
        {
            return Errno.E2BIG;
        }

        int length = Math.Min(known, (int)size);
        Errno error = memory.CopyIn(source, Blit.AsBytes(ref value)[..length]);
        if (error != Errno.None || (int)size <= known)
        {
            return error;
        }

        Span<byte> rest = stackalloc byte[(int)PageSize];
        rest = rest[..((int)size - known)];
        error = memory.CopyIn(source.Offset((ulong)known), rest);
        return error != Errno.None ? error : rest.ContainsAnyExcept((byte)0) ? Errno.E2BIG : Errno.None;
    }
}
