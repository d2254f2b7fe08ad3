// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Host;

namespace CVisor.FileSystems.Eventfd;

/// <summary>A counter to wait on (eventfd(2)).</summary>
public sealed class EventfdDescription : FileDescription
{
    private const ulong Maximum = ulong.MaxValue - 1;
    private readonly Lock _lock = new();
    private readonly bool _isSemaphore;
    [GuardedBy(nameof(_lock))]
    private ulong _count;

    /// <summary>Makes an eventfd.</summary>
    /// <param name="count">The counter's first value.</param>
    /// <param name="isSemaphore">EFD_SEMAPHORE: a read takes one rather than all.</param>
    /// <param name="flags">O_NONBLOCK.</param>
    public EventfdDescription(ulong count, bool isSemaphore, OpenFlags flags)
        : base(default, flags | OpenFlags.ReadWrite)
    {
        _count = count;
        _isSemaphore = isSemaphore;
    }

    /// <inheritdoc/>
    public override Inode Inode => AnonymousFileSystem.SharedInode;

    /// <inheritdoc/>
    public override WaitQueue Queue { get; } = new();

    /// <inheritdoc/>
    public override string AnonymousName => "anon_inode:[eventfd]";

    /// <summary>Adds to the counter as the kernel itself does for a finished operation: stops at the maximum, never waits.</summary>
    public void Signal(ulong value)
    {
        lock (_lock)
        {
            _count += Math.Min(value, Maximum - _count);
        }

        Queue.Notify(PollEvents.AllIn);
    }

    /// <inheritdoc/>
    [NoAlloc]
    public override IoResult Read(Task? task, ref IoBuffer destination)
    {
        if (destination.Remaining < sizeof(ulong))
        {
            return Errno.EINVAL;
        }

        ulong value;
        lock (_lock)
        {
            if (_count == 0)
            {
                return Errno.EAGAIN;
            }

            value = _isSemaphore ? 1 : _count;
            _count -= value;
        }

        Queue.Notify(PollEvents.AllOut);
        Errno error = destination.CopyOut(Blit.AsReadOnlyBytes(in value), out _);
        return error != Errno.None ? error : sizeof(ulong);
    }

    /// <inheritdoc/>
    [NoAlloc]
    public override IoResult Write(Task? task, ref IoBuffer source)
    {
        if (source.Remaining < sizeof(ulong))
        {
            return Errno.EINVAL;
        }

        // A try that has to wait consumes nothing: it reads from a copy.
        IoBuffer attempt = source;
        ulong value = 0;
        Errno error = attempt.CopyIn(Blit.AsBytes(ref value), out _);
        if (error != Errno.None)
        {
            return error;
        }

        if (value == ulong.MaxValue)
        {
            return Errno.EINVAL;
        }

        lock (_lock)
        {
            if (Maximum - _count < value)
            {
                return Errno.EAGAIN;
            }

            _count += value;
        }

        source = attempt;
        Queue.Notify(PollEvents.AllIn);
        return sizeof(ulong);
    }

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask)
    {
        lock (_lock)
        {
            PollEvents events = (_count > 0 ? PollEvents.AllIn : PollEvents.None) | (_count < Maximum ? PollEvents.AllOut : PollEvents.None);
            return events & mask;
        }
    }
}
