// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;

namespace CVisor.Core.Tasks;

/// <summary>What <see cref="Task.WaitForChild"/> came to.</summary>
/// <param name="Error">None; ECHILD; EINTR when a signal came.</param>
/// <param name="Report">The child, or nothing (PID 0) when WNOHANG found none ready.</param>
public readonly record struct WaitResult(Errno Error, WaitReport Report);

/// <summary>Waiting for children.</summary>
public sealed partial class Task
{
    /// <summary>Waits until a child has something to report.</summary>
    public async Blocking<WaitResult> WaitForChild(WaitRequest request)
    {
        WaitQueue queue = ThreadGroup.ChildEvents;
        PrepareToWait();
        queue.Add(Waiter, PollEvents.Internal);
        try
        {
            while (true)
            {
                Errno error = ThreadGroup.TryWait(this, request, out WaitReport report);
                if (error != Errno.EAGAIN)
                {
                    return new WaitResult(error, report);
                }

                if ((request.Options & WaitOptions.NoHang) != 0)
                {
                    return default;
                }

                if (await Block() == BlockOutcome.Interrupted)
                {
                    return new WaitResult(Errno.EINTR, default);
                }
            }
        }
        finally
        {
            queue.Remove(Waiter);
        }
    }
}
