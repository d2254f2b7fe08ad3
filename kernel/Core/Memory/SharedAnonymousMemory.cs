// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;

namespace CVisor.Core.Memory;

/// <summary>Shared anonymous memory (MAP_SHARED|MAP_ANONYMOUS): one range of the sandbox's memory that forked processes keep in common.</summary>
/// <remarks>Taken from the sandbox's memory as a whole, which costs nothing until pages are touched. Freed with the last mapping and the maker's reference.</remarks>
public sealed class SharedAnonymousMemory : MemorySource
{
    private readonly SandboxMemory _memory;
    private readonly Lock _lock = new();
    private readonly ulong _lengthBytes;
    [GuardedBy(nameof(_lock))]
    private ulong _offset;
    [GuardedBy(nameof(_lock))]
    private bool _isAllocated;
    private int _references = 1;

    /// <summary>Makes the memory, with one reference.</summary>
    /// <param name="memory">Where from.</param>
    /// <param name="lengthBytes">Length in bytes, whole pages.</param>
    public SharedAnonymousMemory(SandboxMemory memory, ulong lengthBytes) => (_memory, _lengthBytes) = (memory, lengthBytes);

    /// <inheritdoc/>
    public override Errno GetMemory(ulong offset, ulong maximumLength, bool write, out MemoryExtent extent)
    {
        extent = default;
        if (offset >= _lengthBytes)
        {
            return Errno.ENXIO;
        }

        lock (_lock)
        {
            if (!_isAllocated)
            {
                Errno error = _memory.Allocate(_lengthBytes, out _offset);
                if (error != Errno.None)
                {
                    return error;
                }

                _isAllocated = true;
            }

            extent = new MemoryExtent(_memory, _offset + offset, Math.Min(maximumLength, _lengthBytes - offset));
            _memory.Reference(extent.Offset, extent.Length);
            return Errno.None;
        }
    }

    /// <inheritdoc/>
    public override void Reference() => _ = Interlocked.Increment(ref _references);

    /// <inheritdoc/>
    public override void Unreference()
    {
        if (Interlocked.Decrement(ref _references) != 0)
        {
            return;
        }

        lock (_lock)
        {
            if (_isAllocated)
            {
                _isAllocated = false;
                _memory.Unreference(_offset, _lengthBytes);
            }
        }
    }
}
