// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Vfs;
using CVisor.Platforms;

namespace CVisor.Core.Memory;

/// <summary>What a mapping is asked to be (mmap(2)); a file fills in <see cref="Source"/>.</summary>
public struct MapRequest
{
    /// <summary>Length in bytes, whole pages.</summary>
    public ulong Length;

    /// <summary>Offset in the file in bytes, whole pages.</summary>
    public ulong Offset;

    /// <summary>What the guest wants to do there.</summary>
    public MemoryAccess Access;

    /// <summary>What mprotect(2) may later allow.</summary>
    public MemoryAccess MaximumAccess;

    /// <summary>MAP_SHARED: writes reach the file.</summary>
    public bool IsShared;

    /// <summary>Where pages come from; null for anonymous memory.</summary>
    public MemorySource? Source;

    /// <summary>The file's place, for the path in /proc/self/maps; no reference is taken.</summary>
    public VfsPath Place;

    /// <summary>Replaces the name in /proc/self/maps; null to use the file's path.</summary>
    public string? Name;
}

/// <summary>Something that has pages to map: a regular file, shared memory, a device.</summary>
/// <remarks>
/// The memory manager asks for pages as they are touched, and keeps what it got until <see cref="Release"/>. When the source takes pages back (truncation) it calls
/// <see cref="MappingSet.Invalidate"/> on its <see cref="Mappings"/>, and the pages are asked for anew.
/// </remarks>
public abstract class MemorySource
{
    /// <summary>Who maps this source now.</summary>
    public MappingSet Mappings { get; } = new();

    /// <summary>
    /// Finds the memory behind a range. The answer may be shorter than asked (at least a page), and carries one reference on <see cref="MemoryExtent.File"/>'s range.
    /// </summary>
    /// <param name="offset">Offset in the source in bytes, page aligned.</param>
    /// <param name="maximumLength">The longest useful answer in bytes, whole pages.</param>
    /// <param name="write">Whether it is to be written (a shared mapping).</param>
    /// <param name="extent">The memory.</param>
    /// <returns>None; ENXIO beyond the end (the guest gets SIGBUS); ENOMEM.</returns>
    public abstract Errno GetMemory(ulong offset, ulong maximumLength, bool write, out MemoryExtent extent);

    /// <summary>Writes a range back (msync(2)).</summary>
    public virtual Errno Sync(ulong offset, ulong length) => Errno.None;

    /// <summary>One mapping more holds the source (mmap, fork, split).</summary>
    public abstract void Reference();

    /// <summary>One mapping less.</summary>
    public abstract void Unreference();

    /// <summary>The inode's device and number and the path for /proc/self/maps; false for sources without a file.</summary>
    public virtual bool TryDescribe(out ulong device, out ulong inode, out string path)
    {
        device = 0;
        inode = 0;
        path = "";
        return false;
    }
}

/// <summary>A contiguous range of a memory file.</summary>
/// <param name="File">The file: the sandbox's own, or a host file that the gofer donated.</param>
/// <param name="Offset">Offset in it in bytes.</param>
/// <param name="Length">Length in bytes.</param>
public readonly record struct MemoryExtent(MemoryFile File, ulong Offset, ulong Length);
