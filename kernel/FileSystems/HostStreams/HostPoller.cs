// SPDX-License-Identifier: Apache-2.0
using System.Collections.Concurrent;
using System.Threading;
using CVisor.Core.Tasks;
using CVisor.Host;

namespace CVisor.FileSystems.HostStreams;

/// <summary>Tells waiters of host descriptors (standard streams) when these become ready: one host thread, asleep in epoll.</summary>
/// <remarks>Interest is one-shot: a description arms it when a guest is about to wait, so a ready descriptor that nobody reads costs nothing.</remarks>
public sealed class HostPoller
{
    private const int EpollCtlAdd = 1, EpollCtlDelete = 2, EpollCtlModify = 3;
    private const uint EpollOneShot = 1u << 30;
    private readonly int _epoll;
    private readonly ConcurrentDictionary<int, WaitQueue> _queues = new();
    private int _started;

    /// <summary>Makes a poller; its thread starts with the first descriptor.</summary>
    [StartUp("made with the sandbox's standard streams")]
    public HostPoller() => _epoll = HostCalls.EpollCreate1(0).OrThrow("create the host poller").Int;

    /// <summary>Adds a descriptor.</summary>
    /// <returns>False for one that cannot be polled (a regular file): it is always ready.</returns>
    public bool TryAdd(int hostFd, WaitQueue queue)
    {
        HostEpollEvent none = new() { Events = EpollOneShot, Data = unchecked((uint)hostFd) };
        _queues[hostFd] = queue;
        if (HostCalls.EpollCtl(_epoll, EpollCtlAdd, hostFd, ref none).IsError)
        {
            _ = _queues.TryRemove(hostFd, out _);
            return false;
        }

        return true;
    }

    /// <summary>Asks to be told once of these events.</summary>
    public void Arm(int hostFd, PollEvents events)
    {
        HostEpollEvent wanted = new() { Events = ((uint)events & 0x3fff) | EpollOneShot, Data = unchecked((uint)hostFd) };
        _ = HostCalls.EpollCtl(_epoll, EpollCtlModify, hostFd, ref wanted);
        if (Interlocked.Exchange(ref _started, 1) == 0)
        {
            new Thread(Run, 128 * 1024) { IsBackground = true, Name = "host-poller" }.Start();
        }
    }

    /// <summary>Forgets a descriptor, before it is closed.</summary>
    public void Remove(int hostFd)
    {
        HostEpollEvent none = default;
        _ = HostCalls.EpollCtl(_epoll, EpollCtlDelete, hostFd, ref none);
        _ = _queues.TryRemove(hostFd, out _);
    }

    private void Run()
    {
        HostEpollEvent[] events = new HostEpollEvent[16];
        while (true)
        {
            HostResult ready = HostCalls.EpollPwait(_epoll, events, -1);
            for (int i = 0; i < (ready.IsError ? 0 : ready.Int); i++)
            {
                if (_queues.TryGetValue((int)events[i].Data, out WaitQueue? queue))
                {
                    queue.Notify((PollEvents)events[i].Events | PollEvents.AllIn | PollEvents.AllOut);
                }
            }
        }
    }
}
