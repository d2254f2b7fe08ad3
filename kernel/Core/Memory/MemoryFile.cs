// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Host;

namespace CVisor.Core.Memory;

/// <summary>A host file whose pages guest memory is made of. The sandbox maps it too, so that the kernel can copy.</summary>
public abstract class MemoryFile(int hostFd)
{
    /// <summary>The host descriptor; platforms map it into guest address spaces.</summary>
    public int HostFd { get; } = hostFd;

    /// <summary>Where a range lies in this process's memory.</summary>
    /// <param name="offset">Offset in the file in bytes.</param>
    /// <param name="length">How much is wanted, in bytes.</param>
    /// <param name="available">How much is contiguous there, at least 1 and at most <paramref name="length"/>.</param>
    /// <returns>The address, or 0 when the host cannot map it.</returns>
    public abstract nuint GetAddress(ulong offset, ulong length, out ulong available);

    /// <summary>One mapping more refers to a range of whole pages.</summary>
    public abstract void Reference(ulong offset, ulong length);

    /// <summary>One mapping less refers to a range.</summary>
    public abstract void Unreference(ulong offset, ulong length);

    /// <summary>Whether exactly one mapping refers to every page of a range, so that it may be written without a copy.</summary>
    public abstract bool IsExclusive(ulong offset, ulong length);

    /// <summary>Whether it is a host file that nobody in the sandbox writes to by a mapping of this kind: code in it stays what it is.</summary>
    public virtual bool IsStill => false;

    /// <summary>A mapping of a range became two (an unmapping in its middle).</summary>
    public virtual void OnSplit()
    {
    }
}

/// <summary>A host file that the gofer donated: regular files are mapped from the host's own page cache.</summary>
/// <remarks>Owns the descriptor: closed when the last reference is gone.</remarks>
public sealed class DonatedFile : MemoryFile
{
    private const int ProtRead = 1, ProtWrite = 2, MapShared = 1;
    private const ulong WindowBytes = 1UL << 26;
    private readonly Lock _lock = new();
    private readonly bool _isWritable;
    private readonly System.Collections.Generic.Dictionary<ulong, nuint> _windows = [];
    private int _references = 1;

    /// <summary>Takes over a descriptor, with one reference.</summary>
    public DonatedFile(int hostFd, bool isWritable)
        : base(hostFd) => _isWritable = isWritable;

    /// <inheritdoc/>
    public override nuint GetAddress(ulong offset, ulong length, out ulong available)
    {
        ulong window = offset / WindowBytes;
        ulong within = offset % WindowBytes;
        available = Math.Min(length, WindowBytes - within);
        lock (_lock)
        {
            if (!_windows.TryGetValue(window, out nuint address))
            {
                HostResult mapped = HostCalls.Mmap(0, (nuint)WindowBytes, ProtRead | (_isWritable ? ProtWrite : 0), MapShared, HostFd, (long)(window * WindowBytes));
                if (mapped.IsError)
                {
                    return 0;
                }

                address = (nuint)mapped.Value;
                _windows.Add(window, address);
            }

            return address + (nuint)within;
        }
    }

    /// <inheritdoc/>
    public override void Reference(ulong offset, ulong length) => _ = Interlocked.Increment(ref _references);

    /// <inheritdoc/>
    public override void OnSplit() => _ = Interlocked.Increment(ref _references);

    /// <inheritdoc/>
    public override void Unreference(ulong offset, ulong length) => Unreference();

    /// <inheritdoc/>
    public override bool IsExclusive(ulong offset, ulong length) => false;

    /// <inheritdoc/>
    public override bool IsStill => !_isWritable;

    /// <summary>Drops the owner's own reference.</summary>
    public void Unreference()
    {
        if (Interlocked.Decrement(ref _references) != 0)
        {
            return;
        }

        foreach (nuint address in _windows.Values)
        {
            _ = HostCalls.Munmap(address, (nuint)WindowBytes);
        }

        _ = HostCalls.Close(HostFd);
    }
}
