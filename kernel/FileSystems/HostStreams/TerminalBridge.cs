// SPDX-License-Identifier: Apache-2.0
using System.Collections.Concurrent;
using System.Threading;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Terminals;
using CVisor.Host;

namespace CVisor.FileSystems.HostStreams;

/// <summary>Joins a terminal of the host to one of ours: keys go in, output comes out, and the size follows.</summary>
/// <remarks>
/// The host's terminal is raw, so that every key is ours to interpret: lines, signals and job control are those of the guest's own terminal. One host thread for each bridge, since
/// writing to a terminal may block, whatever poll(2) said. Nobody tells us of a new size (that takes a session of the host's), so it is asked for now and then.
/// </remarks>
public sealed class TerminalBridge
{
    private const short PollIn = 1, PollOut = 4, PollErr = 8, PollHup = 16;
    private const uint Tiocgwinsz = 0x5413;
    private const int EfdCloexec = 0x80000, EfdNonblock = 0x800, SizeCheckMs = 500, PieceBytes = 1024;
    private readonly MasterDescription _master;
    private readonly int _inputFd;
    private readonly int _outputFd;
    private readonly int _wakeFd;
    private readonly Waker _waker;
    private readonly ConcurrentQueue<Action> _afterDrain = new();
    private readonly byte[] _keys = new byte[PieceBytes];
    private readonly byte[] _shown = new byte[PieceBytes];
    private int _keyCount;
    private int _shownCount;
    private bool _closes;
    private int _hasEnded;

    [StartUp("runsc asks for a terminal, no guest does")]
    private TerminalBridge(MasterDescription master, int inputFd, int outputFd)
    {
        _master = master;
        _inputFd = inputFd;
        _outputFd = outputFd;
        _wakeFd = HostCalls.Eventfd2(0, EfdCloexec | EfdNonblock).OrThrow("make a terminal's event descriptor").Int;
        _waker = new Waker(_wakeFd);
    }

    /// <summary>The guest's terminal.</summary>
    public Pty Terminal => _master.Terminal;

    /// <summary>Starts a bridge.</summary>
    /// <param name="master">The guest's terminal; taken over.</param>
    /// <param name="inputFd">The host's terminal to read from; taken over.</param>
    /// <param name="outputFd">The host's terminal to write to; taken over.</param>
    public static TerminalBridge Start(MasterDescription master, int inputFd, int outputFd)
    {
        TerminalBridge bridge = new(master, inputFd, outputFd);
        bridge.UpdateSize();
        master.Queue.Add(bridge._waker, PollEvents.AllIn | PollEvents.AllOut | PollEvents.Hup);
        new Thread(bridge.Run, 256 * 1024) { IsBackground = true, Name = "terminal" }.Start();
        return bridge;
    }

    /// <summary>Shows what is there, then closes both terminals and calls back, on another thread.</summary>
    public void Finish(Action finished)
    {
        _afterDrain.Enqueue(finished);
        Volatile.Write(ref _closes, true);
        _waker.Wake();
        if (Volatile.Read(ref _hasEnded) != 0)
        {
            RunAfterDrain();
        }
    }

    /// <summary>Gives the guest's terminal the size of the host's.</summary>
    public void UpdateSize()
    {
        Span<byte> size = stackalloc byte[WindowSize.Size];
        if (!HostIoctl.Invoke(_outputFd, Tiocgwinsz, size).IsError)
        {
            Terminal.Resize(WindowSize.Read(size));
        }
    }

    private void Run()
    {
        Span<byte> counter = stackalloc byte[8];
        Span<HostPollFd> fds = stackalloc HostPollFd[3];
        bool isUp = true;
        while (isUp)
        {
            PressKeys();
            bool isDrained = Show();
            if (isDrained && Volatile.Read(ref _closes))
            {
                break;
            }

            fds[0] = new HostPollFd { Fd = _keyCount == 0 ? _inputFd : -1, Events = PollIn };
            fds[1] = new HostPollFd { Fd = isDrained ? -1 : _outputFd, Events = PollOut };
            fds[2] = new HostPollFd { Fd = _wakeFd, Events = PollIn };
            HostResult ready = HostCalls.Poll(fds, SizeCheckMs);
            if (ready.IsError)
            {
                continue;
            }

            if (fds[2].ReturnedEvents != 0)
            {
                _waker.Reset(counter);
            }

            isUp = fds[0].ReturnedEvents == 0 || ReadKeys((fds[0].ReturnedEvents & PollIn) != 0);
            isUp &= (fds[1].ReturnedEvents & (PollHup | PollErr)) == 0;
            if (ready.Value == 0)
            {
                UpdateSize();
            }
        }

        _master.Queue.Remove(_waker);
        _master.Unreference();
        _ = HostCalls.Close(_inputFd);
        _ = HostCalls.Close(_outputFd);
        Volatile.Write(ref _hasEnded, 1);
        RunAfterDrain();
    }

    private void RunAfterDrain()
    {
        while (_afterDrain.TryDequeue(out Action? action))
        {
            action();
        }
    }

    /// <summary>False when the host's terminal hung up.</summary>
    private bool ReadKeys(bool hasInput)
    {
        HostResult read = hasInput ? HostCalls.Read(_inputFd, _keys) : default;
        _keyCount = read.IsError ? 0 : read.Int;
        return read.IsError ? read.Error is HostErrno.EINTR or HostErrno.EAGAIN : read.Value > 0;
    }

    private void PressKeys()
    {
        if (_keyCount > 0)
        {
            IoBuffer keys = new(_keys.AsMemory(0, _keyCount));
            IoResult pressed = _master.Write(null, ref keys);
            int left = _keyCount - (int)pressed.Count;
            _keys.AsSpan((int)pressed.Count, left).CopyTo(_keys);
            _keyCount = left;
        }
    }

    /// <summary>Writes as long as the host takes it; true when nothing is left.</summary>
    private bool Show()
    {
        Span<HostPollFd> output = stackalloc HostPollFd[1];
        while (true)
        {
            if (_shownCount == 0)
            {
                IoBuffer buffer = new(_shown.AsMemory());
                IoResult read = _master.Read(null, ref buffer);
                _shownCount = read.IsError ? 0 : (int)read.Count;
                if (_shownCount == 0)
                {
                    return true;
                }
            }

            output[0] = new HostPollFd { Fd = _outputFd, Events = PollOut };
            if (HostCalls.Poll(output, 0).IsError || (output[0].ReturnedEvents & PollOut) == 0)
            {
                return false;
            }

            HostResult written = HostCalls.Write(_outputFd, _shown.AsSpan(0, _shownCount));
            if (written.IsError)
            {
                // EIO: the line is down, which poll(2) says too.
                _shownCount = written.Error is HostErrno.EINTR or HostErrno.EAGAIN ? _shownCount : 0;
                return _shownCount == 0;
            }

            _shownCount -= written.Int;
            _shown.AsSpan(written.Int, _shownCount).CopyTo(_shown);
        }
    }

    private sealed class Waker(int wakeFd) : Waiter
    {
        private int _isAwake;

        internal void Wake()
        {
            if (Interlocked.Exchange(ref _isAwake, 1) == 0)
            {
                _ = HostCalls.Write(wakeFd, [1, 0, 0, 0, 0, 0, 0, 0]);
            }
        }

        internal void Reset(Span<byte> counter)
        {
            _ = HostCalls.Read(wakeFd, counter);
            _ = Interlocked.Exchange(ref _isAwake, 0);
        }

        protected override bool OnEvents(PollEvents events)
        {
            Wake();
            return true;
        }
    }
}
