// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems.Terminals;

/// <summary>The requests of ioctl_tty(2). On a master most act on the slave, which is the terminal.</summary>
internal static class TerminalIoctl
{
    /// <summary>TIOCSPGRP.</summary>
    internal const uint Tiocspgrp = 0x5410;

    private const uint Tcgets = 0x5401, Tcsets = 0x5402, Tcsetsw = 0x5403, Tcsetsf = 0x5404, Tcgeta = 0x5405, Tcseta = 0x5406, Tcsetaw = 0x5407, Tcsetaf = 0x5408;
    private const uint Tcsbrk = 0x5409, Tcxonc = 0x540a, Tcflsh = 0x540b, Tiocexcl = 0x540c, Tiocnxcl = 0x540d, Tiocsctty = 0x540e, Tiocgpgrp = 0x540f;
    private const uint Tiocoutq = 0x5411, Tiocsti = 0x5412, Tiocgwinsz = 0x5413, Tiocswinsz = 0x5414, Fionread = 0x541b, Tiocpkt = 0x5420, Tiocnotty = 0x5422;
    private const uint Tiocsetd = 0x5423, Tiocgetd = 0x5424, Tcsbrkp = 0x5425, Tiocsbrk = 0x5427, Tioccbrk = 0x5428, Tiocgsid = 0x5429, Tiocvhangup = 0x5437, Tiocgptpeer = 0x5441;
    private const uint Tcgets2 = 0x802c542a, Tcsets2 = 0x402c542b, Tcsetsw2 = 0x402c542c, Tcsetsf2 = 0x402c542d;
    private const uint Tiocgptn = 0x80045430, Tiocsptlck = 0x40045431, Tiocgdev = 0x80045432, Tiocsig = 0x40045436, Tiocgpkt = 0x80045438, Tiocgptlck = 0x80045439, Tiocgexcl = 0x80045440;

    internal static SyscallResult OnSlave(SlaveDescription file, Task task, uint request, UserPtr argument)
    {
        Pty terminal = file.Terminal;
        switch (request)
        {
            case Fionread:
                return task.Memory.CopyOut(argument, terminal.AvailableKeys);
            case Tcflsh:
                IoResult allowed = CheckChange(task, terminal);
                if (allowed.IsError)
                {
                    return allowed;
                }

                return Flush(argument.Address, terminal.FlushSlave);
            case Tiocvhangup:
                if (!task.Credentials.Has(Capability.SysAdmin))
                {
                    return Errno.EPERM;
                }

                terminal.HangUp();
                return SyscallResult.Success;
            default:
                return Common(file, terminal, isMaster: false, task, request, argument);
        }
    }

    internal static SyscallResult OnMaster(MasterDescription file, Task task, uint request, UserPtr argument)
    {
        Pty terminal = file.Terminal;
        Errno error;
        int value;
        switch (request)
        {
            case Fionread:
                return task.Memory.CopyOut(argument, terminal.ShownBytes);
            case Tcflsh:
                return Flush(argument.Address, terminal.FlushMaster);
            case Tiocgptn:
                return task.Memory.CopyOut(argument, terminal.Index);
            case Tiocgptlck:
                return task.Memory.CopyOut(argument, terminal.IsLocked ? 1 : 0);
            case Tiocgpkt:
                return task.Memory.CopyOut(argument, terminal.IsPacketMode ? 1 : 0);
            case Tiocsptlck:
                error = task.Memory.CopyIn(argument, out value);
                terminal.IsLocked = error == Errno.None ? value != 0 : terminal.IsLocked;
                return error;
            case Tiocpkt:
                error = task.Memory.CopyIn(argument, out value);
                terminal.IsPacketMode = error == Errno.None ? value != 0 : terminal.IsPacketMode;
                return error;
            case Tiocsig:
                if (argument.Address is not (SignalNumber.SIGINT or SignalNumber.SIGQUIT or SignalNumber.SIGTSTP))
                {
                    return Errno.EINVAL;
                }

                terminal.Tasks.SignalForeground(terminal, (int)argument.Address);
                return SyscallResult.Success;
            case Tiocgptpeer:
                return OpenPeer(file, task, unchecked((OpenFlags)(uint)argument.Address));
            default:
                return Common(file, terminal, isMaster: true, task, request, argument);
        }
    }

    private static SyscallResult Common(FileDescription file, Pty terminal, bool isMaster, Task task, uint request, UserPtr argument)
    {
        switch (request)
        {
            case Tcgets or Tcgets2 or Tcgeta:
                return GetSettings(terminal, task, request, argument);
            case Tcsets or Tcsetsw or Tcsetsf or Tcsets2 or Tcsetsw2 or Tcsetsf2 or Tcseta or Tcsetaw or Tcsetaf:
                return SetSettings(terminal, task, request, argument);
            case Tiocgwinsz:
                Span<byte> size = stackalloc byte[WindowSize.Size];
                terminal.Size.Write(size);
                return task.Memory.CopyOut(argument, size);
            case Tiocswinsz:
                size = stackalloc byte[WindowSize.Size];
                Errno error = task.Memory.CopyIn(argument, size);
                if (error == Errno.None)
                {
                    terminal.Resize(WindowSize.Read(size));
                }

                return error;
            case Tiocoutq or Tiocgetd:
                return task.Memory.CopyOut(argument, 0); // What is written is with the master at once; there is one discipline, N_TTY.
            case Tiocsetd:
                error = task.Memory.CopyIn(argument, out int discipline);
                return error != Errno.None ? error : discipline == 0 ? Errno.None : Errno.EINVAL;
            case Tiocexcl or Tiocnxcl:
                terminal.IsExclusive = request == Tiocexcl;
                return SyscallResult.Success;
            case Tiocgexcl:
                return task.Memory.CopyOut(argument, terminal.IsExclusive ? 1 : 0);
            case Tiocgdev:
                return task.Memory.CopyOut(argument, unchecked((uint)(isMaster ? DeviceNumber.Make(5, 2) : terminal.DeviceNumber)));
            case Tcsbrk or Tcsbrkp or Tiocsbrk or Tioccbrk:
                return CheckChange(task, terminal); // Nothing waits to be sent, and a break goes nowhere.
            case Tcxonc:
                return Flow(terminal, task, argument.Address);
            case Tiocsti:
                return Errno.EIO; // As with the sysctl dev.tty.legacy_tiocsti at 0.
            default:
                return JobControl(file, terminal, isMaster, task, request, argument);
        }
    }

    private static SyscallResult JobControl(FileDescription file, Pty terminal, bool isMaster, Task task, uint request, UserPtr argument)
    {
        TaskSet tasks = terminal.Tasks;
        Errno error;
        int number;
        switch (request)
        {
            case Tiocsctty:
                return tasks.AcquireTerminal(task, terminal, file.IsReadable, steals: argument.Address == 1);
            case Tiocnotty:
                return isMaster ? Errno.ENOTTY : tasks.ReleaseTerminal(task, terminal);
            case Tiocgpgrp:
                error = tasks.GetForeground(task, terminal, isMaster, out number);
                return error != Errno.None ? error : task.Memory.CopyOut(argument, number);
            case Tiocgsid:
                error = tasks.GetSession(task, terminal, isMaster, out number);
                return error != Errno.None ? error : task.Memory.CopyOut(argument, number);
            case Tiocspgrp:
                IoResult allowed = CheckChange(task, terminal);
                if (allowed.IsError)
                {
                    return allowed.Error == Errno.EIO ? Errno.ENOTTY : allowed;
                }

                error = task.Memory.CopyIn(argument, out number);
                return error != Errno.None ? error : tasks.SetForeground(task, terminal, number);
            default:
                return Errno.ENOTTY;
        }
    }

    private static SyscallResult GetSettings(Pty terminal, Task task, uint request, UserPtr argument)
    {
        Span<byte> data = stackalloc byte[Termios.Size2];
        data = data[..LengthOf(request)];
        Termios settings = terminal.Settings;
        if (data.Length == Termios.OldSize)
        {
            settings.WriteOld(data);
        }
        else
        {
            settings.Write(data);
        }

        return task.Memory.CopyOut(argument, data);
    }

    private static SyscallResult SetSettings(Pty terminal, Task task, uint request, UserPtr argument)
    {
        IoResult allowed = CheckChange(task, terminal);
        if (allowed.IsError)
        {
            return allowed;
        }

        Span<byte> data = stackalloc byte[Termios.Size2];
        data = data[..LengthOf(request)];
        Errno error = task.Memory.CopyIn(argument, data);
        if (error != Errno.None)
        {
            return error;
        }

        Termios settings = terminal.Settings;
        if (data.Length == Termios.OldSize)
        {
            settings.ReadOld(data);
        }
        else
        {
            settings.Read(data);
        }

        terminal.Configure(settings, flushes: request is Tcsetsf or Tcsetsf2 or Tcsetaf);
        return SyscallResult.Success;
    }

    private static int LengthOf(uint request) => request switch
    {
        Tcgets or Tcsets or Tcsetsw or Tcsetsf => Termios.Size,
        Tcgeta or Tcseta or Tcsetaw or Tcsetaf => Termios.OldSize,
        _ => Termios.Size2,
    };

    private static SyscallResult Flow(Pty terminal, Task task, ulong action)
    {
        IoResult allowed = CheckChange(task, terminal);
        if (allowed.IsError)
        {
            return allowed;
        }

        switch (action)
        {
            case 0 or 1: // TCOOFF, TCOON
                terminal.SetStopped(action == 0);
                return SyscallResult.Success;
            case 2 or 3: // TCIOFF, TCION
                terminal.SendFlowCharacter(action == 2 ? ControlCharacter.Stop : ControlCharacter.Start);
                return SyscallResult.Success;
            default:
                return Errno.EINVAL;
        }
    }

    private static SyscallResult Flush(ulong queues, Action<bool, bool> flush)
    {
        if (queues > 2)
        {
            return Errno.EINVAL;
        }

        flush(queues is 0 or 2, queues is 1 or 2); // TCIFLUSH, TCOFLUSH, TCIOFLUSH
        return SyscallResult.Success;
    }

    private static SyscallResult OpenPeer(MasterDescription file, Task task, OpenFlags flags)
    {
        OpenResult opened = file.OpenPeer(task, flags);
        if (opened.Description is not { } slave)
        {
            return opened.Error;
        }

        Errno error = task.Descriptors.Install(slave, (flags & OpenFlags.CloseOnExec) != 0, task.FileLimit, out int fd);
        if (error != Errno.None)
        {
            slave.Unreference();
            return error;
        }

        return fd;
    }

    private static IoResult CheckChange(Task task, Pty terminal) => terminal.Tasks.CheckForeground(task, terminal, SignalNumber.SIGTTOU);
}
