// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;

namespace CVisor.Core.Signals;

/// <summary>Signals that were sent and not yet taken: standard ones one deep, real-time ones queued in order. Guarded by the task set's lock.</summary>
public sealed class PendingSignals
{
    private readonly LinkedList<SignalInfo> _queue = new();

    /// <summary>Which signals are pending.</summary>
    public SignalSet Set { get; private set; }

    /// <summary>How many real-time signals wait here, against RLIMIT_SIGPENDING.</summary>
    public int QueuedCount { get; private set; }

    /// <summary>Adds a signal.</summary>
    /// <param name="info">The signal.</param>
    /// <param name="limit">How many real-time signals may wait.</param>
    /// <returns>
    /// False when a real-time signal that carries a value found no room (EAGAIN). One sent by kill(2) is then pending without its details.
    /// </returns>
    public bool Add(in SignalInfo info, ulong limit)
    {
        if (info.Signal < SignalNumber.SIGRTMIN)
        {
            if (!Set.Contains(info.Signal))
            {
                Set |= SignalSet.Of(info.Signal);
                _ = _queue.AddLast(info);
            }

            return true;
        }

        if ((ulong)QueuedCount >= limit)
        {
            if (info.Code is not (SignalInfo.SI_USER or SignalInfo.SI_KERNEL))
            {
                return false;
            }

            Set |= SignalSet.Of(info.Signal);
            return true;
        }

        Set |= SignalSet.Of(info.Signal);
        _ = _queue.AddLast(info);
        QueuedCount++;
        return true;
    }

    /// <summary>Takes the next signal that is not blocked: synchronous ones first, then by number.</summary>
    /// <param name="blocked">What stays.</param>
    /// <param name="info">The signal.</param>
    public bool TryTake(SignalSet blocked, out SignalInfo info)
    {
        SignalSet ready = Set & ~blocked;
        if (ready.IsEmpty)
        {
            info = default;
            return false;
        }

        SignalSet synchronous = ready & SignalSet.Synchronous;
        info = Take(synchronous.IsEmpty ? ready.First : synchronous.First);
        return true;
    }

    /// <summary>Forgets signals (they came to be ignored, or SIGCONT and the stop signals cancel each other).</summary>
    public void Discard(SignalSet signals)
    {
        if ((Set & signals).IsEmpty)
        {
            return;
        }

        Set &= ~signals;
        for (LinkedListNode<SignalInfo>? node = _queue.First; node is not null;)
        {
            LinkedListNode<SignalInfo>? next = node.Next;
            if (signals.Contains(node.Value.Signal))
            {
                Remove(node);
            }

            node = next;
        }
    }

    /// <summary>Whether a signal of the POSIX timer of this number waits here.</summary>
    internal bool HasTimer(int id)
    {
        foreach (SignalInfo info in _queue)
        {
            if (info.Code == SignalInfo.SI_TIMER && info.Pid == id)
            {
                return true;
            }
        }

        return false;
    }

    private SignalInfo Take(int signal)
    {
        SignalInfo taken = new() { Signal = signal, Code = SignalInfo.SI_USER };
        bool found = false;
        bool more = false;
        for (LinkedListNode<SignalInfo>? node = _queue.First; node is not null && !more;)
        {
            LinkedListNode<SignalInfo>? next = node.Next;
            if (node.Value.Signal == signal)
            {
                if (found)
                {
                    more = true;
                }
                else
                {
                    taken = node.Value;
                    found = true;
                    Remove(node);
                }
            }

            node = next;
        }

        if (!more)
        {
            Set &= ~SignalSet.Of(signal);
        }

        return taken;
    }

    private void Remove(LinkedListNode<SignalInfo> node)
    {
        if (node.Value.Signal >= SignalNumber.SIGRTMIN)
        {
            QueuedCount--;
        }

        _queue.Remove(node);
    }
}
