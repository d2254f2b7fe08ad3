// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Tasks;

namespace CVisor.FileSystems.Terminals;

/// <content>What ioctls change.</content>
public sealed partial class Pty
{
    [GuardedBy(nameof(_lock))]
    private bool _isLocked = true;
    [GuardedBy(nameof(_lock))]
    private bool _isExclusive;
    [GuardedBy(nameof(_lock))]
    private WindowSize _size;

    /// <summary>Whether the slave cannot be opened yet (TIOCSPTLCK).</summary>
    public bool IsLocked
    {
        get
        {
            lock (_lock)
            {
                return _isLocked;
            }
        }

        set
        {
            lock (_lock)
            {
                _isLocked = value;
            }
        }
    }

    /// <summary>Whether further opens of the slave are refused (TIOCEXCL).</summary>
    internal bool IsExclusive
    {
        get
        {
            lock (_lock)
            {
                return _isExclusive;
            }
        }

        set
        {
            lock (_lock)
            {
                _isExclusive = value;
            }
        }
    }

    /// <summary>The size of the window (TIOCGWINSZ).</summary>
    public WindowSize Size
    {
        get
        {
            lock (_lock)
            {
                return _size;
            }
        }
    }

    /// <summary>Changes the size (TIOCSWINSZ); the foreground process group is told when it is another.</summary>
    public void Resize(WindowSize size)
    {
        lock (_lock)
        {
            if (_size == size)
            {
                return;
            }

            _size = size;
        }

        _tasks.SignalForeground(this, SignalNumber.SIGWINCH);
    }

    /// <summary>The settings.</summary>
    public Termios Settings
    {
        get
        {
            lock (_lock)
            {
                return _line.Settings;
            }
        }
    }

    /// <summary>Changes the settings. Output has no place to drain to but the master's queue, so there is no waiting for it.</summary>
    /// <param name="settings">The new ones.</param>
    /// <param name="flushes">Whether input that nobody read is dropped (TCSETSF).</param>
    public void Configure(in Termios settings, bool flushes)
    {
        ulong signals;
        lock (_lock)
        {
            if (flushes)
            {
                FlushKeysLocked();
            }

            Termios before = _line.Settings;
            bool wasStopped = _line.IsStopped;
            _line.Configure(settings);
            if (wasStopped != _line.IsStopped)
            {
                OnFlowChangedLocked();
            }

            bool hasFlow = HasUsualFlowControl(settings);
            bool isExternalChanged = (before.Local & LocalModes.External) != (settings.Local & LocalModes.External);
            if (HasUsualFlowControl(before) != hasFlow || isExternalChanged)
            {
                NotePacketLocked(hasFlow ? PacketStatus.DoStop : PacketStatus.NoStop);
                NotePacketLocked(isExternalChanged ? PacketStatus.Settings : PacketStatus.None);
            }

            signals = TakeKeysLocked();
        }

        SendSignals(signals);
    }

    /// <summary>Bytes that a read of the slave could give now (FIONREAD).</summary>
    internal int AvailableKeys
    {
        get
        {
            lock (_lock)
            {
                return _line.Available;
            }
        }
    }

    /// <summary>Drops keys that nobody has read, output that nobody has seen, or both (TCFLSH on the slave).</summary>
    internal void FlushSlave(bool input, bool output)
    {
        lock (_lock)
        {
            if (input)
            {
                FlushKeysLocked();
            }

            if (output)
            {
                DropOutputLocked();
            }
        }

        MasterQueue.Notify(PollEvents.AllOut);
    }

    /// <summary>TCFLSH on the master: its input is what the slave wrote, its output the keys on their way.</summary>
    internal void FlushMaster(bool input, bool output)
    {
        lock (_lock)
        {
            if (input)
            {
                _shown.Clear();
            }

            if (output)
            {
                _keys.Clear();
            }
        }

        SlaveQueue.Notify(PollEvents.AllOut);
    }

    /// <summary>Stops or starts output (tcflow(3)).</summary>
    internal void SetStopped(bool isStopped)
    {
        lock (_lock)
        {
            bool wasStopped = _line.IsStopped;
            _line.SetStoppedByCall(isStopped);
            if (wasStopped != _line.IsStopped)
            {
                OnFlowChangedLocked();
            }
        }
    }

    /// <summary>Sends VSTOP or VSTART to the other side (tcflow(3) with TCIOFF, TCION).</summary>
    internal void SendFlowCharacter(ControlCharacter which)
    {
        lock (_lock)
        {
            byte c = _line.Settings[which];
            if (c != 0 && !_isMasterClosed)
            {
                _shown.Append([c]);
                MasterQueue.Notify(PollEvents.AllIn);
            }
        }
    }

    [RequiresLock(nameof(_lock))]
    private void FlushKeysLocked()
    {
        _line.FlushInput();
        _keys.Clear();
        NotePacketLocked(PacketStatus.FlushRead);
    }

    private static bool HasUsualFlowControl(in Termios settings) =>
        settings.Has(InputModes.FlowControl) && settings[ControlCharacter.Stop] == 19 && settings[ControlCharacter.Start] == 17;
}
