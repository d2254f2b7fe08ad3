// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;

namespace CVisor.Platforms.Systrap;

/// <summary>Empty address spaces with a helper and a guest's process that has run no guest code: making them takes longer than what most programs do in them.</summary>
/// <remarks>
/// Some are made ahead. Others are left by guests: the helper stays, which ran our code only. The guest's process does not: its threads are where the guest had them, so it is ended,
/// and only when the host knows it no more does the renewal begin: what guests could write of the part is punched out of the file, the helper unmaps everything
/// that was the guest's and makes a new process. All of that happens while nobody waits for it.
/// Lock order: this one's, then a helper's or the platform's.
/// </remarks>
internal sealed class StubPool(Helper zygote)
{
    /// <summary>How many are kept.</summary>
    private const int Most = 4;
    private readonly Lock _lock = new();

    /// <summary>Made, or being made.</summary>
    [GuardedBy(nameof(_lock))]
    private readonly List<Helper> _ready = [];

    /// <summary>Those whose guest's process has been told to end, with the lines of its carriers.</summary>
    [GuardedBy(nameof(_lock))]
    private readonly List<(Helper Helper, List<int> Lines)> _left = [];
    private int _leftCount;

    /// <summary>Has one made that somebody will soon take.</summary>
    internal void MakeAhead()
    {
        lock (_lock)
        {
            if (_ready.Count + _left.Count < Most && zygote.BeginFork() is { } helper)
            {
                _ready.Add(helper);
            }
        }
    }

    /// <summary>An empty address space; null when the host has no room for it.</summary>
    internal Helper? Take()
    {
        Renew();
        while (TakeReady() is { } ready)
        {
            if (ready.TryFinish())
            {
                return ready;
            }
        }

        Helper? made = zygote.BeginFork();
        if (made?.TryFinish() != true)
        {
            return null;
        }

        MakeAhead(); // Where one was missing another one will be.
        return made;
    }

    /// <summary>Takes back the helper of a process that has been told to end.</summary>
    /// <param name="helper">The helper.</param>
    /// <param name="lines">The lines of the carriers.</param>
    internal void Return(Helper helper, List<int> lines)
    {
        lock (_lock)
        {
            if (_ready.Count + _left.Count < Most)
            {
                _left.Add((helper, lines));
                Volatile.Write(ref _leftCount, _left.Count);
                return;
            }
        }

        helper.End(lines);
    }

    /// <summary>Begins with the renewal of those whose guest's process has gone.</summary>
    internal void Renew()
    {
        if (Volatile.Read(ref _leftCount) == 0)
        {
            return;
        }

        lock (_lock)
        {
            for (int i = _left.Count - 1; i >= 0; i--)
            {
                (Helper helper, List<int> lines) = _left[i];
                if (helper.IsGuestGone)
                {
                    _left.RemoveAt(i);
                    if (helper.TryBeginRenewal(lines))
                    {
                        _ready.Add(helper);
                    }
                    else
                    {
                        helper.End(lines);
                    }
                }
            }

            Volatile.Write(ref _leftCount, _left.Count);
        }
    }

    /// <summary>One that is ready, or the one that has been worked on for longest.</summary>
    private Helper? TakeReady()
    {
        lock (_lock)
        {
            if (_ready.Count == 0)
            {
                return null;
            }

            int index = Math.Max(_ready.FindIndex(static helper => helper.IsFinished), 0);
            Helper helper = _ready[index];
            _ready.RemoveAt(index);
            return helper;
        }
    }
}
