// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Epoll;

/// <summary>One registered descriptor of an epoll.</summary>
internal sealed class EpollItem(EpollDescription owner, FileDescription target, int fd) : Waiter, IReleaseObserver
{
    internal EpollItem? ReadyNext;
    internal EpollItem? ReadyPrevious;

    /// <summary>The file. Not referenced: its release takes the item out first.</summary>
    internal FileDescription Target { get; } = target;

    /// <summary>The number it was registered under.</summary>
    internal int Fd { get; } = fd;

    /// <summary>What the guest asked for, flags included; no event bits once a one-shot fired. Guarded by the owner's mutex.</summary>
    internal uint Events { get; set; }

    /// <summary>The guest's own word.</summary>
    internal ulong Data { get; set; }

    /// <summary>Whether it stands in the ready list. Guarded by the owner's ready lock.</summary>
    internal bool IsReady { get; set; }

    /// <inheritdoc/>
    public void OnDescriptionReleased(FileDescription description) => owner.OnTargetReleased(this);

    /// <inheritdoc/>
    protected override bool OnEvents(PollEvents events) => owner.OnItemEvents(this);
}
