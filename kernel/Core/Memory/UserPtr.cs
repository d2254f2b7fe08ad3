// SPDX-License-Identifier: Apache-2.0
using System.Globalization;

namespace CVisor.Core.Memory;

/// <summary>An address that the guest gave. It has no dereference: only a <see cref="MemoryManager"/> copies through it.</summary>
/// <param name="Address">The guest's virtual address; anything at all.</param>
public readonly record struct UserPtr(ulong Address)
{
    /// <summary>Whether it is NULL.</summary>
    public bool IsNull => Address == 0;

    /// <summary>The address so many bytes further. Wraps around, as the guest's own arithmetic would; the copy then fails with EFAULT.</summary>
    public UserPtr Offset(ulong bytes) => new(unchecked(Address + bytes));

    /// <inheritdoc/>
    public override string ToString() => "0x" + Address.ToString("x", CultureInfo.InvariantCulture);
}
