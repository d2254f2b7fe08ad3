// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Ipc;

namespace CVisor.Core.Namespaces;

/// <summary>What an IPC namespace holds.</summary>
public sealed partial class IpcNamespace
{
    // As Linux's shmmni, semmni and msgmni.
    private const int MaximumSegments = 4096, MaximumSets = 32000, MaximumQueues = 32000;

    /// <summary>Shared memory.</summary>
    public IpcTable<SharedMemorySegment> SharedMemory { get; } = new(owner, MaximumSegments);

    /// <summary>Semaphores.</summary>
    public IpcTable<SemaphoreSet> Semaphores { get; } = new(owner, MaximumSets);

    /// <summary>Message queues.</summary>
    public IpcTable<SystemMessageQueue> MessageQueues { get; } = new(owner, MaximumQueues);

    /// <summary>POSIX message queues.</summary>
    public PosixQueueTable PosixQueues { get; } = new();
}
