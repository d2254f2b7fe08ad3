// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Core.Vfs;

namespace CVisor.Sockets.Unix;

/// <summary>Descriptions on their way between sockets (SCM_RIGHTS), and the collector of those that only messages refer to (net/unix/garbage.c).</summary>
/// <remarks>
/// Whoever puts descriptions into a receive queue or takes them out holds <see cref="Gate"/>, before the queue's lock. With the gate held, a socket that has no other
/// references than those in flight can get none, since nobody can receive it: what the collector sees stays true.
/// </remarks>
internal static class InFlight
{
    /// <summary>How many descriptions may be in flight at once (ETOOMANYREFS).</summary>
    internal const int Maximum = 16384;

    [GuardedBy(nameof(Gate))]
    private static readonly Dictionary<UnixSocket, int> s_sockets = [];
    [GuardedBy(nameof(Gate))]
    private static int s_count;
    [GuardedBy(nameof(Gate))]
    private static int s_nextCollection = 64;

    /// <summary>Held while descriptions go into a queue or come out of one.</summary>
    internal static Lock Gate { get; } = new();

    /// <summary>Whether so many more may be sent.</summary>
    internal static bool HasRoom(int count) => Volatile.Read(ref s_count) + count <= Maximum;

    /// <summary>Descriptions were put into a queue.</summary>
    [RequiresLock(nameof(Gate))]
    internal static void Add(FileDescription[]? rights)
    {
        if (rights is null)
        {
            return;
        }

        s_count += rights.Length;
        foreach (FileDescription file in rights)
        {
            if (file is UnixSocket socket)
            {
                s_sockets[socket] = s_sockets.GetValueOrDefault(socket) + 1;
            }
        }
    }

    /// <summary>Descriptions were taken out of a queue.</summary>
    [RequiresLock(nameof(Gate))]
    internal static void Remove(FileDescription[]? rights)
    {
        if (rights is null)
        {
            return;
        }

        s_count -= rights.Length;
        foreach (FileDescription file in rights)
        {
            if (file is UnixSocket socket && s_sockets.TryGetValue(socket, out int count))
            {
                if (count == 1)
                {
                    _ = s_sockets.Remove(socket);
                }
                else
                {
                    s_sockets[socket] = count - 1;
                }
            }
        }
    }

    /// <summary>A descriptor of a socket is closed: if it is in flight too, the next chance to collect is taken.</summary>
    internal static void Suspect(UnixSocket socket)
    {
        lock (Gate)
        {
            if (s_sockets.ContainsKey(socket))
            {
                s_nextCollection = 0;
            }
        }
    }

    /// <summary>Collects when many sockets are in flight, or when asked.</summary>
    /// <param name="isForced">Whether to look however few there are.</param>
    internal static void Collect(bool isForced)
    {
        List<UnixSocket> garbage;
        lock (Gate)
        {
            if (s_sockets.Count == 0 || (!isForced && s_sockets.Count < s_nextCollection))
            {
                return;
            }

            garbage = FindGarbageLocked();
            s_nextCollection = Math.Max(64, (s_sockets.Count - garbage.Count) * 2);
        }

        foreach (UnixSocket socket in garbage)
        {
            socket.Purge();
        }
    }

    [RequiresLock(nameof(Gate))]
    private static List<UnixSocket> FindGarbageLocked()
    {
        // Candidates: sockets that nothing but messages refers to; and what each one's queue holds.
        Dictionary<UnixSocket, List<FileDescription>> candidates = [];
        foreach ((UnixSocket socket, int count) in s_sockets)
        {
            if (socket.ReferenceCount == count)
            {
                List<FileDescription> held = [];
                socket.CollectRights(held);
                candidates.Add(socket, held);
            }
        }

        Dictionary<UnixSocket, int> fromCandidates = [];
        foreach (List<FileDescription> held in candidates.Values)
        {
            foreach (FileDescription file in held)
            {
                if (file is UnixSocket socket)
                {
                    fromCandidates[socket] = fromCandidates.GetValueOrDefault(socket) + 1;
                }
            }
        }

        // A candidate that a queue outside holds can be received, and with it all that its own queue holds.
        Stack<UnixSocket> alive = new();
        foreach (UnixSocket socket in candidates.Keys)
        {
            if (fromCandidates.GetValueOrDefault(socket) < s_sockets[socket])
            {
                alive.Push(socket);
            }
        }

        while (alive.TryPop(out UnixSocket? socket))
        {
            if (candidates.Remove(socket, out List<FileDescription>? held))
            {
                foreach (FileDescription file in held)
                {
                    if (file is UnixSocket reachable && candidates.ContainsKey(reachable))
                    {
                        alive.Push(reachable);
                    }
                }
            }
        }

        return [.. candidates.Keys];
    }
}
