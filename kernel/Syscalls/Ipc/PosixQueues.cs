// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Ipc;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Ipc;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>mq_open, mq_unlink, mq_timedsend, mq_timedreceive, mq_notify, mq_getsetattr.</content>
public static partial class Handlers
{
    private const int MqDefaultMessages = 10, MqDefaultBytes = 8192, MqHardMessages = 65536, MqHardBytes = 16 << 20;
    private const uint MqMaximumPriority = 32768;

    /// <summary>mq_open(2)</summary>
    public static partial SyscallResult MqOpen(Task task, UserPtr name, int oflag, uint mode, UserPtr attr)
    {
        Errno error = ReadQueueName(task, name, out string text);
        if (error != Errno.None)
        {
            return error;
        }

        GuestQueueAttributes wanted = new() { MaximumMessages = MqDefaultMessages, MaximumBytes = MqDefaultBytes };
        OpenFlags flags = unchecked((OpenFlags)(uint)oflag);
        bool creates = (flags & OpenFlags.Create) != 0;
        if (creates && !attr.IsNull)
        {
            error = task.Memory.CopyIn(attr, out wanted);
            if (error != Errno.None)
            {
                return error;
            }
        }

        if ((flags & OpenFlags.AccessModeMask) == OpenFlags.AccessModeMask)
        {
            return Errno.EINVAL;
        }

        error = FindQueue(task, text, flags, mode, wanted, out PosixQueue? queue);
        return error != Errno.None ? error : Descriptors.Install(task, new PosixQueueDescription(queue!, flags & (OpenFlags.AccessModeMask | OpenFlags.NonBlock)), closeOnExec: true);
    }

    /// <summary>mq_unlink(2)</summary>
    public static partial SyscallResult MqUnlink(Task task, UserPtr name)
    {
        Errno error = ReadQueueName(task, name, out string text);
        return error != Errno.None ? error : task.Namespaces.Ipc.PosixQueues.Unlink(text, task.Credentials);
    }

    /// <summary>mq_timedsend(2)</summary>
    public static partial Blocking<SyscallResult> MqTimedsend(Task task, int mqdes, UserPtr msg, ulong msgLen, uint msgPrio, UserPtr timeout)
    {
        if (msgPrio >= MqMaximumPriority)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        Errno error = ReadRealtimeDeadline(task, timeout, out long deadlineNs);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        error = Descriptors.Get(task, mqdes, Errno.EBADF, out PosixQueueDescription file);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        byte[] text = [];
        error = !file.IsWritable ? Errno.EBADF : msgLen > (ulong)file.Messages.MaximumBytes ? Errno.EMSGSIZE : Errno.None;
        if (error == Errno.None)
        {
            text = new byte[(int)Math.Min(msgLen, MqHardBytes)];
            error = task.Memory.CopyIn(msg, text);
        }

        return Release(file, error != Errno.None ? (SyscallResult)error : file.Send(task, text, msgPrio, deadlineNs));
    }

    /// <summary>mq_timedreceive(2)</summary>
    public static partial Blocking<SyscallResult> MqTimedreceive(Task task, int mqdes, UserPtr msg, ulong msgLen, UserPtr msgPrio, UserPtr timeout)
    {
        Errno error = ReadRealtimeDeadline(task, timeout, out long deadlineNs);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        error = Descriptors.Get(task, mqdes, Errno.EBADF, out PosixQueueDescription file);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        error = !file.IsReadable ? Errno.EBADF : msgLen < (ulong)file.Messages.MaximumBytes ? Errno.EMSGSIZE : Errno.None;
        return Release(file, error != Errno.None ? (SyscallResult)error : ReceiveFrom(task, file, msg, msgPrio, deadlineNs));
    }

    /// <summary>mq_notify(2)</summary>
    public static partial SyscallResult MqNotify(Task task, int mqdes, UserPtr sevp)
    {
        const int Signal = 0, None = 1, HighestSignal = 64;
        GuestSignalEvent wanted = default;
        if (!sevp.IsNull)
        {
            Errno error = task.Memory.CopyIn(sevp, out wanted);
            if (error != Errno.None)
            {
                return error;
            }

            // SIGEV_THREAD is a netlink socket's affair on Linux, which is not there.
            if (wanted.Notify is not (Signal or None) || (wanted.Notify == Signal && wanted.SignalNumber is < 0 or > HighestSignal))
            {
                return Errno.EINVAL;
            }
        }

        Errno found = Descriptors.Get(task, mqdes, Errno.EBADF, out PosixQueueDescription file);
        if (found == Errno.None)
        {
            if (sevp.IsNull)
            {
                file.Messages.CancelNotify(task.ThreadGroup);
            }
            else
            {
                found = file.Messages.Notify(task.ThreadGroup, wanted.Notify == Signal ? wanted.SignalNumber : 0, wanted.Value);
            }

            file.Unreference();
        }

        return found;
    }

    /// <summary>mq_getsetattr(2)</summary>
    public static partial SyscallResult MqGetsetattr(Task task, int mqdes, UserPtr newattr, UserPtr oldattr)
    {
        GuestQueueAttributes wanted = default;
        if (!newattr.IsNull)
        {
            Errno error = task.Memory.CopyIn(newattr, out wanted);
            if (error != Errno.None)
            {
                return error;
            }

            if ((wanted.Flags & ~(long)OpenFlags.NonBlock) != 0)
            {
                return Errno.EINVAL;
            }
        }

        Errno found = Descriptors.Get(task, mqdes, Errno.EBADF, out PosixQueueDescription file);
        if (found != Errno.None)
        {
            return found;
        }

        GuestQueueAttributes old = new()
        {
            Flags = (long)(file.Flags & OpenFlags.NonBlock),
            MaximumMessages = file.Messages.MaximumMessages,
            MaximumBytes = file.Messages.MaximumBytes,
            Count = file.Messages.Count,
        };
        if (!newattr.IsNull)
        {
            file.SetStatusFlags((file.Flags & ~OpenFlags.NonBlock) | (unchecked((OpenFlags)wanted.Flags) & OpenFlags.NonBlock));
        }

        file.Unreference();
        return oldattr.IsNull ? Errno.None : task.Memory.CopyOut(oldattr, old);
    }

    private static async Blocking<SyscallResult> ReceiveFrom(Task task, PosixQueueDescription file, UserPtr msg, UserPtr msgPrio, long deadlineNs)
    {
        (SyscallResult result, byte[] text, uint priority) = await file.Receive(task, deadlineNs);
        if (result.IsError || result.IsRestart)
        {
            return result;
        }

        Errno error = task.Memory.CopyOut(msg, text);
        error = error != Errno.None || msgPrio.IsNull ? error : task.Memory.CopyOut(msgPrio, priority);
        return error != Errno.None ? error : text.Length;
    }

    private static Errno ReadQueueName(Task task, UserPtr pointer, out string name)
    {
        Errno error = task.Memory.CopyInString(pointer, VirtualFileSystem.MaximumPath, Errno.ENAMETOOLONG, out name);
        return error != Errno.None ? error
            : name.Length == 0 ? Errno.ENOENT
            : name.Contains('/', StringComparison.Ordinal) ? Errno.EACCES
            : name.Length > PathWalker.MaximumName ? Errno.ENAMETOOLONG
            : name is "." or ".." ? Errno.EACCES
            : Errno.None;
    }

    private static Errno FindQueue(Task task, string name, OpenFlags flags, uint mode, in GuestQueueAttributes wanted, out PosixQueue? queue)
    {
        PosixQueueTable table = task.Namespaces.Ipc.PosixQueues;
        bool creates = (flags & OpenFlags.Create) != 0;
        queue = table.Find(name);
        if (queue is null)
        {
            if (!creates)
            {
                return Errno.ENOENT;
            }

            Errno limit = CheckQueueLimits(task, wanted, out int messages, out int messageBytes);
            if (limit != Errno.None)
            {
                return limit;
            }

            Errno made = table.Create(name, task, mode & 0x1ff & ~task.Fs.Umask, messages, messageBytes, out queue);
            if (made != Errno.EEXIST)
            {
                return made;
            }
        }

        if (creates && (flags & OpenFlags.Exclusive) != 0)
        {
            return Errno.EEXIST;
        }

        AccessMode access = (flags & OpenFlags.AccessModeMask) switch
        {
            OpenFlags.ReadOnly => AccessMode.Read,
            OpenFlags.WriteOnly => AccessMode.Write,
            _ => AccessMode.Read | AccessMode.Write,
        };
        return queue!.Inode.CheckAccess(task.Credentials, access);
    }

    private static Errno CheckQueueLimits(Task task, in GuestQueueAttributes wanted, out int messages, out int messageBytes)
    {
        messages = 0;
        messageBytes = 0;
        bool isPrivileged = task.Credentials.Has(Capability.SysResource);
        long count = wanted.MaximumMessages;
        long length = wanted.MaximumBytes;
        if (count <= 0 || length <= 0 || count > (isPrivileged ? MqHardMessages : MqDefaultMessages) || length > (isPrivileged ? MqHardBytes : MqDefaultBytes))
        {
            return Errno.EINVAL;
        }

        messages = (int)count;
        messageBytes = (int)length;

        // What the queue may come to hold, with Linux's overhead for each message (struct msg_msg, a tree node).
        const ulong OverheadBytes = 96;
        ulong bytes = (ulong)count * ((ulong)length + OverheadBytes);
        return bytes > task.ThreadGroup.Limits[Resource.MessageQueues].Soft ? Errno.EMFILE : Errno.None;
    }

    /// <summary>Reads a time of CLOCK_REALTIME as a deadline on the monotonic clock.</summary>
    private static Errno ReadRealtimeDeadline(Task task, UserPtr timeout, out long deadlineNs)
    {
        deadlineNs = GuestTime.Forever;
        if (timeout.IsNull)
        {
            return Errno.None;
        }

        Errno error = task.Memory.CopyIn(timeout, out GuestTimespec time);
        if (error != Errno.None || (error = GuestTime.ToNs(time, out long ns)) != Errno.None)
        {
            return error;
        }

        if (ns != GuestTime.Forever)
        {
            // A time that has passed still lets a call that need not wait go through.
            deadlineNs = Math.Max(1, KernelClock.MonotonicNs + (ns - KernelClock.RealtimeNs));
        }

        return Errno.None;
    }

    /// <summary>The part of struct sigevent that counts here.</summary>
    [StructLayout(LayoutKind.Sequential)]
    [AbiStruct(16)]
    private struct GuestSignalEvent
    {
        internal ulong Value;
        internal int SignalNumber;
        internal int Notify;
    }
}
