// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;

namespace CVisor.Core.Loader;

/// <summary>The shared object that every program gets (vdso(7)), and the clock page behind it.</summary>
public abstract class Vdso
{
    /// <summary>Maps it into a fresh address space.</summary>
    /// <returns>The address of its ELF header, or 0 when there was no room.</returns>
    public abstract ulong Map(MemoryManager memory);
}
