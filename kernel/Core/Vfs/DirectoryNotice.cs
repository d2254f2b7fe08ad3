// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;
using System.Threading;
using CVisor.Core.Signals;
using CVisor.Core.Tasks;
using CVisor.Core.Time;

namespace CVisor.Core.Vfs;

/// <summary>What F_NOTIFY asks to be told of (DN_*).</summary>
[Flags]
public enum DirectoryEvents : uint
{
    None = 0,
    Access = 1,
    Modify = 2,
    Create = 4,
    Delete = 8,
    Rename = 16,
    Attributes = 32,
    Multishot = 0x8000_0000,
}

/// <summary>Tells the owner of an open directory by a signal of changes in it (dnotify).</summary>
public sealed class DirectoryNotice : IInodeWatch, IReleaseObserver
{
    private const int Message = 3; // POLL_MSG
    private static readonly ConditionalWeakTable<FileDescription, DirectoryNotice> s_notices = [];
    private readonly FileDescription _file;
    private readonly Inode _inode;
    private readonly Kernel _kernel;
    private readonly int _fd;
    private readonly Delay _delay;
    private int _events;
    private int _due;
    private int _isEnded;

    private DirectoryNotice(FileDescription file, Inode inode, Kernel kernel, int fd)
    {
        (_file, _inode, _kernel, _fd) = (file, inode, kernel, fd);
        _delay = new Delay(this);
    }

    /// <summary>Asks for events besides those asked for before, in the name of a task, who becomes the file's owner; none ends it.</summary>
    public static void Set(Task task, FileDescription file, int fd, DirectoryEvents events)
    {
        bool exists = s_notices.TryGetValue(file, out DirectoryNotice? notice);
        if ((events & ~DirectoryEvents.Multishot) == DirectoryEvents.None)
        {
            notice?.End();
            return;
        }

        file.AsyncOwner = file.AsyncOwner.Named(task, AsyncOwnerKind.Process, task.ThreadGroup.PidIn(task.PidNamespace));
        if (exists)
        {
            _ = Interlocked.Or(ref notice!._events, unchecked((int)events));
            return;
        }

        notice = new DirectoryNotice(file, file.Inode!, task.Kernel, fd) { _events = unchecked((int)events) };
        s_notices.AddOrUpdate(file, notice);
        FileEvents.Watch(notice._inode, notice);
        file.AddReleaseObserver(notice);
    }

    /// <inheritdoc/>
    public void OnEvent(FileEventMask events, uint cookie, string? name, bool isUnlinked)
    {
        if (name is null)
        {
            return;
        }

        DirectoryEvents happened = ((events & FileEventMask.Access) != 0 ? DirectoryEvents.Access : 0) | ((events & FileEventMask.Modify) != 0 ? DirectoryEvents.Modify : 0) |
            ((events & (FileEventMask.Create | FileEventMask.MovedTo)) != 0 ? DirectoryEvents.Create : 0) |
            ((events & (FileEventMask.Delete | FileEventMask.MovedFrom)) != 0 ? DirectoryEvents.Delete : 0) |
            ((events & FileEventMask.MovedFrom) != 0 ? DirectoryEvents.Rename : 0) | ((events & FileEventMask.Attributes) != 0 ? DirectoryEvents.Attributes : 0);
        DirectoryEvents wanted = unchecked((DirectoryEvents)Volatile.Read(ref _events));
        if ((wanted & happened) == DirectoryEvents.None)
        {
            return;
        }

        // Who writes may hold a pipe's lock (splice): the timer thread sends the signal.
        _ = Interlocked.Increment(ref _due);
        _kernel.Timers.Arm(_delay, 0);
        if ((wanted & DirectoryEvents.Multishot) == 0)
        {
            End();
        }
    }

    /// <inheritdoc/>
    public void OnDescriptionReleased(FileDescription description) => End();

    private void Send()
    {
        for (int due = Interlocked.Exchange(ref _due, 0); due > 0; due--)
        {
            SignalSender.Notify(_kernel, _file.AsyncOwner, Message, (ulong)(PollEvents.AllIn | PollEvents.Msg), _fd);
        }
    }

    private void End()
    {
        if (Interlocked.Exchange(ref _isEnded, 1) == 0)
        {
            _ = s_notices.Remove(_file);
            _file.RemoveReleaseObserver(this);
            FileEvents.Unwatch(_inode, this);
        }
    }

    private sealed class Delay(DirectoryNotice notice) : KernelTimer
    {
        protected internal override void OnFire() => notice.Send();
    }
}
