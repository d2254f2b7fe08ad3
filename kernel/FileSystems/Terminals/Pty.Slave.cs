// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Terminals;

/// <content>The slave's end.</content>
public sealed partial class Pty
{
    private const long NsPerTenth = 100_000_000;
    [GuardedBy(nameof(_lock))]
    private long _lastKeyNs;

    /// <summary>Reads keys.</summary>
    /// <param name="destination">Where to.</param>
    /// <param name="takesFewer">Whether fewer bytes than VMIN will do.</param>
    /// <returns>Bytes; EAGAIN.</returns>
    internal IoResult ReadSlave(ref IoBuffer destination, bool takesFewer)
    {
        IoResult result;
        ulong signals;
        lock (_lock)
        {
            if (destination.Remaining == 0)
            {
                return 0;
            }

            ref readonly Termios settings = ref _line.Settings;
            int minimum = settings[ControlCharacter.Minimum];
            int least = takesFewer || minimum == 0 ? 1 : (int)Math.Min(minimum, destination.Remaining);
            if (!_line.IsReadable(least))
            {
                // With neither a least number nor a time limit a read never waits.
                return !settings.IsCanonical && minimum == 0 && settings[ControlCharacter.Time] == 0 ? 0 : Errno.EAGAIN;
            }

            result = _line.Read(ref destination);
            signals = TakeKeysLocked();
            Volatile.Write(ref _readNs, KernelClock.RealtimeNs);
        }

        MasterQueue.Notify(PollEvents.AllOut);
        SendSignals(signals);
        return result;
    }

    /// <summary>Until when a read waits (VMIN, VTIME).</summary>
    /// <param name="startNs">When it began, on the monotonic clock.</param>
    /// <param name="isPartial">Whether bytes wait already, fewer than VMIN.</param>
    /// <returns>A time on the monotonic clock; <see cref="long.MaxValue"/> for no limit.</returns>
    internal long ReadDeadline(long startNs, out bool isPartial)
    {
        lock (_lock)
        {
            ref readonly Termios settings = ref _line.Settings;
            isPartial = !settings.IsCanonical && _line.PendingInput > 0;
            long timeNs = settings[ControlCharacter.Time] * NsPerTenth;
            return settings.IsCanonical || timeNs == 0 ? long.MaxValue
                : settings[ControlCharacter.Minimum] == 0 ? startNs + timeNs
                : isPartial ? Math.Max(startNs, _lastKeyNs) + timeNs : long.MaxValue;
        }
    }

    /// <summary>Whether a process in the background may not write (TOSTOP).</summary>
    internal bool StopsBackgroundOutput
    {
        get
        {
            lock (_lock)
            {
                return _line.Settings.Has(LocalModes.StopBackgroundOutput);
            }
        }
    }

    /// <summary>Shows bytes.</summary>
    /// <returns>Bytes taken; EAGAIN while output is stopped or nobody reads it; EIO; EFAULT.</returns>
    internal IoResult WriteSlave(ref IoBuffer source)
    {
        lock (_lock)
        {
            if (_isMasterClosed)
            {
                return Errno.EIO;
            }

            if (source.Remaining == 0)
            {
                return 0;
            }

            if (!CanShowLocked())
            {
                return Errno.EAGAIN;
            }

            Errno error = _line.IsOutputRaw ? _shown.Append(ref source, QueueLimitBytes - _shown.Count, out int total) : TranslateLocked(ref source, out total);
            Volatile.Write(ref _writtenNs, KernelClock.RealtimeNs);
            MasterQueue.Notify(PollEvents.AllIn);
            return total > 0 || error == Errno.None ? total : error;
        }
    }

    /// <summary>What poll(2) says of the slave while it is not hung up.</summary>
    internal PollEvents SlaveReadiness
    {
        get
        {
            lock (_lock)
            {
                ref readonly Termios settings = ref _line.Settings;
                int least = settings[ControlCharacter.Time] == 0 ? settings[ControlCharacter.Minimum] : 1;
                return (_line.IsReadable(least) ? PollEvents.AllIn : 0) | (CanShowLocked() ? PollEvents.AllOut : 0);
            }
        }
    }

    [RequiresLock(nameof(_lock))]
    private bool CanShowLocked() => !_line.IsStopped && QueueLimitBytes - _shown.Count >= LineDiscipline.MaximumExpansion;

    [RequiresLock(nameof(_lock))]
    private Errno TranslateLocked(ref IoBuffer source, out int total)
    {
        const int Piece = 256;
        Span<byte> bytes = stackalloc byte[Piece];
        Span<byte> translated = stackalloc byte[Piece * LineDiscipline.MaximumExpansion];
        total = 0;
        while (source.Remaining > 0 && CanShowLocked())
        {
            int piece = Math.Min(Piece, (QueueLimitBytes - _shown.Count) / LineDiscipline.MaximumExpansion);
            Errno error = source.CopyIn(bytes[..piece], out int copied);
            int length = 0;
            foreach (byte c in bytes[..copied])
            {
                length += _line.Translate(c, translated[length..]);
            }

            _shown.Append(translated[..length]);
            total += copied;
            if (error != Errno.None)
            {
                return error;
            }
        }

        return Errno.None;
    }
}
