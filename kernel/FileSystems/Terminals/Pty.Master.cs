// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Terminals;

/// <content>The master's end, and packet mode.</content>
public sealed partial class Pty
{
    /// <summary>What a read in packet mode tells before data (ioctl_tty(2), TIOCPKT).</summary>
    [Flags]
    private enum PacketStatus : byte
    {
        None = 0,
        FlushRead = 1,
        FlushWrite = 2,
        Stop = 4,
        Start = 8,
        NoStop = 16,
        DoStop = 32,
        Settings = 64,
    }

    [GuardedBy(nameof(_lock))]
    private bool _isPacketMode;
    [GuardedBy(nameof(_lock))]
    private PacketStatus _packet;

    /// <summary>Bytes that the master can read now (FIONREAD).</summary>
    internal int ShownBytes
    {
        get
        {
            lock (_lock)
            {
                return _shown.Count;
            }
        }
    }

    /// <summary>Packet mode (TIOCPKT, TIOCGPKT).</summary>
    internal bool IsPacketMode
    {
        get
        {
            lock (_lock)
            {
                return _isPacketMode;
            }
        }

        set
        {
            lock (_lock)
            {
                _packet = value && !_isPacketMode ? PacketStatus.None : _packet;
                _isPacketMode = value;
            }
        }
    }

    /// <summary>Reads what the slave wrote.</summary>
    /// <returns>Bytes; EAGAIN; EIO when nobody has the slave open any more.</returns>
    public IoResult ReadMaster(ref IoBuffer destination)
    {
        lock (_lock)
        {
            if (destination.Remaining == 0)
            {
                return 0;
            }

            PacketStatus status = _isPacketMode ? _packet : PacketStatus.None;
            if (status == PacketStatus.None && _shown.Count == 0)
            {
                return _isSlaveClosed ? Errno.EIO : Errno.EAGAIN;
            }

            int header = 0;
            if (_isPacketMode)
            {
                Errno fault = destination.CopyOut([(byte)status], out header);
                if (fault != Errno.None || status != PacketStatus.None)
                {
                    _packet = fault == Errno.None ? PacketStatus.None : _packet;
                    return fault == Errno.None ? header : fault;
                }
            }

            Errno error = _shown.Take(ref destination, int.MaxValue, out int moved);
            ShowEchoLocked();
            if (_shown.Count < QueueLimitBytes / 2)
            {
                SlaveQueue.Notify(PollEvents.AllOut);
            }

            return moved + header > 0 || error == Errno.None ? moved + header : error;
        }
    }

    /// <summary>Presses keys.</summary>
    /// <returns>Bytes taken; EAGAIN when too many wait already; EFAULT.</returns>
    public IoResult WriteMaster(ref IoBuffer source)
    {
        ulong signals;
        Errno error;
        int moved;
        lock (_lock)
        {
            int room = QueueLimitBytes - _keys.Count;
            if (room == 0 && source.Remaining > 0)
            {
                return Errno.EAGAIN;
            }

            error = _keys.Append(ref source, room, out moved);
            signals = TakeKeysLocked();
        }

        SendSignals(signals);
        return moved > 0 || error == Errno.None ? moved : error;
    }

    /// <summary>What poll(2) says of the master.</summary>
    public PollEvents MasterReadiness
    {
        get
        {
            lock (_lock)
            {
                bool hasPacket = _isPacketMode && _packet != PacketStatus.None;
                return (_shown.Count > 0 || hasPacket ? PollEvents.AllIn : 0) | (hasPacket ? PollEvents.Pri : 0) |
                    (_keys.Count < QueueLimitBytes ? PollEvents.AllOut : 0) | (_isSlaveClosed ? PollEvents.Hup : 0);
            }
        }
    }

    [RequiresLock(nameof(_lock))]
    private void NotePacketLocked(PacketStatus status)
    {
        if (!_isPacketMode)
        {
            return;
        }

        PacketStatus opposite = status switch
        {
            PacketStatus.Stop => PacketStatus.Start,
            PacketStatus.Start => PacketStatus.Stop,
            PacketStatus.NoStop => PacketStatus.DoStop,
            PacketStatus.DoStop => PacketStatus.NoStop,
            _ => PacketStatus.None,
        };
        _packet = (_packet & ~opposite) | status;
        MasterQueue.Notify(PollEvents.AllIn | PollEvents.Pri);
    }
}
