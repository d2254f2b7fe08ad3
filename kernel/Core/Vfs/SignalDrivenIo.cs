// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Core.Signals;
using CVisor.Core.Tasks;
using CVisor.Core.Time;

namespace CVisor.Core.Vfs;

/// <summary>Tells the owner of an open file by a signal that it can be read or written (O_ASYNC; signal-driven I/O of fcntl(2)).</summary>
/// <remarks>Events come with a queue's lock held, under which no signal can be sent: the timer thread sends it.</remarks>
internal sealed class SignalDrivenIo : Waiter
{
    private readonly FileDescription _file;
    private readonly Kernel _kernel;
    private readonly int _fd;
    private readonly Delay _delay;
    private int _pending;

    private SignalDrivenIo(FileDescription file, Kernel kernel, int fd)
    {
        _file = file;
        _kernel = kernel;
        _fd = fd;
        _delay = new Delay(this);
    }

    /// <summary>Begins to tell; null when the file is always ready.</summary>
    /// <param name="file">The file.</param>
    /// <param name="kernel">The kernel.</param>
    /// <param name="fd">The number that the signal names (si_fd).</param>
    internal static SignalDrivenIo? Start(FileDescription file, Kernel kernel, int fd)
    {
        if (file.Queue is not { } queue)
        {
            return null;
        }

        SignalDrivenIo made = new(file, kernel, fd);
        PollEvents mask = PollEvents.Err | PollEvents.Hup | PollEvents.RdHup;
        mask |= file.IsReadable ? PollEvents.AllIn | PollEvents.Pri : PollEvents.None;
        mask |= file.IsWritable ? PollEvents.AllOut : PollEvents.None;
        queue.Add(made, mask);
        return made;
    }

    /// <summary>Ends it.</summary>
    internal void Stop()
    {
        Queue?.Remove(this);
        _ = _kernel.Timers.Cancel(_delay);
    }

    /// <inheritdoc/>
    protected internal override bool OnEvents(PollEvents events)
    {
        _ = Interlocked.Or(ref _pending, unchecked((int)events));
        _kernel.Timers.Arm(_delay, 0);
        return false;
    }

    private void Send()
    {
        PollEvents events = unchecked((PollEvents)Interlocked.Exchange(ref _pending, 0));
        AsyncOwner owner = _file.AsyncOwner;
        Tell(PollEvents.In, 1, PollEvents.AllIn);
        Tell(PollEvents.Out, 2, PollEvents.AllOut | PollEvents.WrBand);
        Tell(PollEvents.Err, 4, PollEvents.Err);
        Tell(PollEvents.Pri, 5, PollEvents.Pri | PollEvents.RdBand);
        Tell(PollEvents.Hup, 6, PollEvents.Hup | PollEvents.Err);

        // POLL_IN and its like are numbered 1 to 6.
        void Tell(PollEvents kind, int code, PollEvents band)
        {
            if ((events & kind) != 0)
            {
                SignalSender.Notify(_kernel, owner, code, (ulong)band, _fd);
            }
        }
    }

    private sealed class Delay(SignalDrivenIo io) : KernelTimer
    {
        protected internal override void OnFire() => io.Send();
    }
}
