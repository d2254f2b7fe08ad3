// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Time;

namespace CVisor.FileSystems.Terminals;

/// <summary>A pseudo-terminal (pty(7)): what is written to the master are keys, what is written to the slave is shown.</summary>
/// <remarks>
/// <c>_lock</c> guards all that is here and the line discipline; the task set's lock comes before it, so signals are sent after it is let go. Files: this one what the pair is;
/// Pty.Master.cs and Pty.Slave.cs its ends; Pty.Settings.cs what ioctls change.
/// </remarks>
public sealed partial class Pty : IControllingTerminal
{
    /// <summary>The most bytes on the way in either direction before the writer waits.</summary>
    private const int QueueLimitBytes = 64 * 1024;

    /// <summary>What a drop of output leaves: what the master's side has taken in already (N_TTY's own buffer).</summary>
    private const int KeptOutputBytes = LineDiscipline.BufferBytes - 1;

    /// <summary>The major number of slaves.</summary>
    internal const uint SlaveMajor = 136;

    private readonly Lock _lock = new();
    private readonly TaskSet _tasks;
    [GuardedBy(nameof(_lock))]
    private readonly LineDiscipline _line = new();
    [GuardedBy(nameof(_lock))]
    private readonly ByteQueue _keys = new();
    [GuardedBy(nameof(_lock))]
    private readonly ByteQueue _shown = new();
    [GuardedBy(nameof(_lock))]
    private int _slaves;
    [GuardedBy(nameof(_lock))]
    private bool _isSlaveClosed;
    [GuardedBy(nameof(_lock))]
    private bool _isMasterClosed;
    private int _generation;
    private long _readNs;
    private long _writtenNs;

    /// <summary>Makes a pair whose master is open.</summary>
    /// <param name="tasks">Who is sent signals.</param>
    /// <param name="index">The slave's name in /dev/pts.</param>
    public Pty(TaskSet tasks, int index)
    {
        _tasks = tasks;
        Index = index;
        _readNs = KernelClock.RealtimeNs;
        _writtenNs = _readNs;
    }

    /// <summary>The slave's name in /dev/pts.</summary>
    public int Index { get; }

    /// <inheritdoc/>
    public ulong DeviceNumber => Core.Vfs.DeviceNumber.Make(SlaveMajor, unchecked((uint)Index));

    /// <inheritdoc/>
    public Session? Session { get; set; }

    /// <summary>Waiters of the master's events.</summary>
    public WaitQueue MasterQueue { get; } = new();

    /// <summary>Waiters of the slave's events.</summary>
    public WaitQueue SlaveQueue { get; } = new();

    /// <summary>When the slave was last read, and written, on the real-time clock in nanoseconds.</summary>
    internal (long ReadNs, long WrittenNs) Times => (Volatile.Read(ref _readNs), Volatile.Read(ref _writtenNs));

    /// <summary>The processes whose terminal it may be.</summary>
    internal TaskSet Tasks => _tasks;

    /// <summary>Counts one more open slave.</summary>
    /// <param name="isAdmin">Whether TIOCEXCL does not hold for the opener.</param>
    /// <param name="generation">For <see cref="IsHungUp"/>.</param>
    /// <returns>None; EIO while the slave is locked or the master is gone; EBUSY.</returns>
    internal Errno OpenSlave(bool isAdmin, out int generation)
    {
        lock (_lock)
        {
            generation = _generation;
            if (_isLocked || _isMasterClosed)
            {
                return Errno.EIO;
            }

            if (_isExclusive && !isAdmin)
            {
                return Errno.EBUSY;
            }

            _slaves++;
            _isSlaveClosed = false;
            return Errno.None;
        }
    }

    /// <summary>Counts one open slave less; with the last the master reads EIO once it has read what there is.</summary>
    internal void CloseSlave()
    {
        lock (_lock)
        {
            _slaves--;
            if (_slaves > 0)
            {
                return;
            }

            _isSlaveClosed = true;
            _isExclusive = false;
        }

        MasterQueue.Notify(PollEvents.AllIn | PollEvents.Hup);
    }

    /// <summary>The master is gone: the line hangs up.</summary>
    public void CloseMaster()
    {
        lock (_lock)
        {
            _isMasterClosed = true;
            _shown.Clear();
        }

        HangUp();
    }

    /// <summary>Whoever has the slave open loses it: reads give the end of file, all else EIO (vhangup(2)).</summary>
    internal void HangUp()
    {
        lock (_lock)
        {
            Volatile.Write(ref _generation, _generation + 1);
            _keys.Clear();
            _line.FlushInput();
        }

        _tasks.HangUp(this);
        SlaveQueue.NotifyAll(PollEvents.Any);
        MasterQueue.Notify(PollEvents.AllOut);
    }

    /// <summary>Whether a slave opened earlier has been hung up.</summary>
    internal bool IsHungUp(int generation) => generation != Volatile.Read(ref _generation);

    /// <summary>Sends signals, without the lock.</summary>
    /// <param name="signals">A bit for each.</param>
    private void SendSignals(ulong signals)
    {
        for (; signals != 0; signals &= signals - 1)
        {
            _tasks.SignalForeground(this, System.Numerics.BitOperations.TrailingZeroCount(signals));
        }
    }

    /// <summary>Lets the line discipline have the keys it has room for.</summary>
    /// <returns>Signals to send once the lock is let go.</returns>
    [RequiresLock(nameof(_lock))]
    private ulong TakeKeysLocked()
    {
        ulong signals = 0;
        while (_keys.Count > 0 && _line.CanReceive)
        {
            ReadOnlySpan<byte> keys = _keys.FrontMemory(0).Span;
            int taken = 0;
            while (taken < keys.Length && _line.CanReceive)
            {
                bool wasStopped = _line.IsStopped;
                int signal = _line.Receive(keys[taken++]);
                signals |= signal == 0 ? 0 : 1UL << signal;
                if (_line.FlushesOutput)
                {
                    _line.FlushesOutput = false;
                    DropOutputLocked();
                    NotePacketLocked(PacketStatus.FlushRead);
                }

                if (wasStopped != _line.IsStopped)
                {
                    OnFlowChangedLocked();
                }
            }

            _keys.Discard(taken);
            _lastKeyNs = KernelClock.MonotonicNs;
        }

        ShowEchoLocked();
        if (_line.IsReadable(1))
        {
            SlaveQueue.Notify(PollEvents.AllIn);
        }

        return signals;
    }

    [RequiresLock(nameof(_lock))]
    private void ShowEchoLocked()
    {
        ByteQueue echo = _line.EchoOutput;
        if (echo.Count == 0 || _line.IsStopped || _shown.Count >= QueueLimitBytes || _isMasterClosed)
        {
            return;
        }

        while (echo.Count > 0)
        {
            ReadOnlySpan<byte> bytes = echo.FrontMemory(0).Span;
            _shown.Append(bytes);
            echo.Discard(bytes.Length);
        }

        MasterQueue.Notify(PollEvents.AllIn);
    }

    [RequiresLock(nameof(_lock))]
    private void DropOutputLocked()
    {
        _shown.Truncate(KeptOutputBytes);
        NotePacketLocked(PacketStatus.FlushWrite);
        SlaveQueue.Notify(PollEvents.AllOut);
    }

    [RequiresLock(nameof(_lock))]
    private void OnFlowChangedLocked()
    {
        NotePacketLocked(_line.IsStopped ? PacketStatus.Stop : PacketStatus.Start);
        if (!_line.IsStopped)
        {
            ShowEchoLocked();
            SlaveQueue.Notify(PollEvents.AllOut);
        }
    }
}
