// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using System.Threading;

namespace CVisor.Core.Tasks;

/// <summary>A soft and a hard limit (struct rlimit64).</summary>
/// <param name="Soft">What counts now; <see cref="ulong.MaxValue"/> is none.</param>
/// <param name="Hard">What an unprivileged process may raise the soft one to.</param>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(16)]
public readonly record struct ResourceLimit(ulong Soft, ulong Hard)
{
    /// <summary>No limit.</summary>
    public static ResourceLimit Unlimited => new(ulong.MaxValue, ulong.MaxValue);
}

/// <summary>What is limited (RLIMIT_* of x86_64 and aarch64).</summary>
public enum Resource
{
    Cpu = 0, FileSize = 1, Data = 2, Stack = 3, Core = 4, ResidentSet = 5, Processes = 6, OpenFiles = 7, LockedMemory = 8, AddressSpace = 9,
    Locks = 10, PendingSignals = 11, MessageQueues = 12, Nice = 13, RealTimePriority = 14, RealTimeTime = 15,

    /// <summary>One more than the last.</summary>
    Count = 16,
}

/// <summary>A process's limits (getrlimit(2)).</summary>
public sealed class ResourceLimits
{
    /// <summary>The highest RLIMIT_NOFILE, as /proc/sys/fs/nr_open.</summary>
    public const ulong MaximumOpenFiles = 1 << 20;

    private readonly Lock _lock = new();
    private ulong _fileSizeBytes = ulong.MaxValue; // Changed under the lock.
    [GuardedBy(nameof(_lock))]
    private readonly ResourceLimit[] _limits = new ResourceLimit[(int)Resource.Count];

    /// <summary>The limits that Linux's first process has.</summary>
    public ResourceLimits()
    {
        Array.Fill(_limits, ResourceLimit.Unlimited);
        _limits[(int)Resource.Stack] = new ResourceLimit(8 << 20, ulong.MaxValue);
        _limits[(int)Resource.Core] = new ResourceLimit(0, ulong.MaxValue);
        _limits[(int)Resource.OpenFiles] = new ResourceLimit(1024, MaximumOpenFiles);
        _limits[(int)Resource.LockedMemory] = new ResourceLimit(8 << 20, 8 << 20);
        _limits[(int)Resource.Processes] = new ResourceLimit(32768, 32768);
        _limits[(int)Resource.PendingSignals] = new ResourceLimit(32768, 32768);
        _limits[(int)Resource.MessageQueues] = new ResourceLimit(819200, 819200);
        _limits[(int)Resource.Nice] = new ResourceLimit(0, 0);
        _limits[(int)Resource.RealTimePriority] = new ResourceLimit(0, 0);
    }

    /// <summary>One limit.</summary>
    public ResourceLimit this[Resource resource]
    {
        get
        {
            lock (_lock)
            {
                return _limits[(int)resource];
            }
        }

        set
        {
            lock (_lock)
            {
                _limits[(int)resource] = value;
                _fileSizeBytes = _limits[(int)Resource.FileSize].Soft;
            }
        }
    }

    /// <summary>RLIMIT_NOFILE as descriptor tables take it.</summary>
    public int OpenFiles => (int)Math.Min(this[Resource.OpenFiles].Soft, MaximumOpenFiles);

    /// <summary>RLIMIT_FSIZE in bytes, for every write(2): without the lock, as one word.</summary>
    public ulong FileSizeBytes => Volatile.Read(ref _fileSizeBytes);

    /// <summary>A copy (fork).</summary>
    public ResourceLimits Clone()
    {
        ResourceLimits copy = new();
        lock (_lock)
        {
            _limits.CopyTo(copy._limits.AsSpan());
            copy._fileSizeBytes = _fileSizeBytes;
        }

        return copy;
    }
}
