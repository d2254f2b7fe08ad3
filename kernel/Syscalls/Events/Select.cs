// SPDX-License-Identifier: Apache-2.0
using System.Buffers;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Poll;
using CVisor.Host;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>select, pselect6.</content>
public static partial class Handlers
{
    /// <summary>select(2)</summary>
    public static partial Blocking<SyscallResult> Select(Task task, int nfds, UserPtr readfds, UserPtr writefds, UserPtr exceptfds, UserPtr timeout)
    {
        long deadlineNs = GuestTime.Forever;
        if (!timeout.IsNull)
        {
            Errno error = task.Memory.CopyIn(timeout, out GuestTimespec time);
            if (error != Errno.None)
            {
                return (SyscallResult)error;
            }

            // kern_select() normalizes microseconds beyond a second.
            error = time.Fraction < 0 || time.Seconds < 0
                ? Errno.EINVAL
                : GuestTime.ToNs(new GuestTimespec(time.Seconds > long.MaxValue / 2 ? time.Seconds : time.Seconds + (time.Fraction / 1_000_000), time.Fraction % 1_000_000 * 1000), out deadlineNs);
            if (error != Errno.None)
            {
                return (SyscallResult)error;
            }

            deadlineNs = GuestTime.After(deadlineNs);
        }

        return SelectUntil(task, nfds, new SelectSets(readfds, writefds, exceptfds), deadlineNs, timeout, isTimeval: true);
    }

    /// <summary>pselect6(2)</summary>
    public static partial Blocking<SyscallResult> Pselect6(Task task, int nfds, UserPtr readfds, UserPtr writefds, UserPtr exceptfds, UserPtr timeout, UserPtr sigmask)
    {
        // The sixth argument leads to a pointer and a size.
        UserRange mask = default;
        Errno error = GuestTime.ReadDeadline(task, timeout, out long deadlineNs);
        if (error == Errno.None && !sigmask.IsNull)
        {
            error = task.Memory.CopyIn(sigmask, out mask);
        }

        error = error != Errno.None ? error : TemporaryMask.Begin(task, mask.Address, mask.Length);
        return error != Errno.None ? (SyscallResult)error
            : TemporaryMask.End(task, SelectUntil(task, nfds, new SelectSets(readfds, writefds, exceptfds), deadlineNs, timeout, isTimeval: false));
    }

    private static Blocking<SyscallResult> SelectUntil(Task task, int nfds, SelectSets sets, long deadlineNs, UserPtr timeout, bool isTimeval)
    {
        if (nfds < 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        // Numbers that no descriptor can have are not looked at.
        int count = Math.Min(nfds, task.FileLimit);
        int words = (count + 63) / 64;
        ulong[] bits = ArrayPool<ulong>.Shared.Rent(Math.Max(1, words * 3));
        PollSet set = PollSet.Rent(task);
        Errno error = sets.Read(task, bits, words);
        if (error == Errno.None)
        {
            error = AddSelected(task, set, bits, words, count);
        }

        if (error != Errno.None)
        {
            set.Dispose();
            ArrayPool<ulong>.Shared.Return(bits);
            return (SyscallResult)error;
        }

        return SelectLater(task, sets, bits, words, count, set, deadlineNs, timeout, isTimeval);
    }

    private static async Blocking<SyscallResult> SelectLater(
        Task task, SelectSets sets, ulong[] bits, int words, int count, PollSet set, long deadlineNs, UserPtr timeout, bool isTimeval)
    {
        BlockOutcome outcome = await set.Wait(deadlineNs);
        SyscallResult result = SyscallResult.Restarts(Restart.IfNoHandler);
        if (outcome != BlockOutcome.Interrupted)
        {
            int ready = KeepReady(set, bits, words, count);
            Errno error = sets.Write(task, bits, words);
            result = error != Errno.None ? error : ready;
        }

        set.Dispose();
        ArrayPool<ulong>.Shared.Return(bits);
        return WriteRemaining(task, timeout, isTimeval, deadlineNs, result);
    }

    /// <summary>Stores what is left of a timeout, as Linux does; a call that cannot say what is left is not restarted (poll_select_finish()).</summary>
    private static SyscallResult WriteRemaining(Task task, UserPtr timeout, bool isTimeval, long deadlineNs, SyscallResult result)
    {
        if (timeout.IsNull)
        {
            return result;
        }

        GuestTimespec left = GuestTime.FromNs(GuestTime.Remaining(deadlineNs));
        left = isTimeval ? left with { Fraction = left.Fraction / 1000 } : left;
        return task.Memory.CopyOut(timeout, left) != Errno.None && result.IsRestart ? Errno.EINTR : result;
    }

    private static Errno AddSelected(Task task, PollSet set, ReadOnlySpan<ulong> bits, int words, int count)
    {
        const PollEvents Read = PollEvents.AllIn | PollEvents.RdBand | PollEvents.Hup | PollEvents.Err;
        const PollEvents Write = PollEvents.AllOut | PollEvents.WrBand | PollEvents.Err;
        for (int fd = 0; fd < count; fd++)
        {
            ulong bit = 1UL << (fd & 63);
            int word = fd / 64;
            PollEvents mask = (bits[word] & bit) != 0 ? Read : PollEvents.None;
            mask |= (bits[words + word] & bit) != 0 ? Write : PollEvents.None;
            mask |= (bits[(2 * words) + word] & bit) != 0 ? PollEvents.Pri : PollEvents.None;
            if (mask == PollEvents.None)
            {
                continue;
            }

            FileDescription? file = task.Descriptors.Get(fd);
            if (file is null)
            {
                return Errno.EBADF;
            }

            set.AddExactly(file, mask);
        }

        return Errno.None;
    }

    /// <summary>Leaves only the bits of what is ready, and counts them.</summary>
    private static int KeepReady(PollSet set, Span<ulong> bits, int words, int count)
    {
        const PollEvents Read = PollEvents.AllIn | PollEvents.RdBand | PollEvents.Hup | PollEvents.Err;
        const PollEvents Write = PollEvents.AllOut | PollEvents.WrBand | PollEvents.Err;
        int ready = 0;
        int index = 0;
        for (int fd = 0; fd < count; fd++)
        {
            ulong bit = 1UL << (fd & 63);
            int word = fd / 64;
            if (((bits[word] | bits[words + word] | bits[(2 * words) + word]) & bit) == 0)
            {
                continue;
            }

            PollEvents events = set[index++];
            ready += Keep(ref bits[word], bit, (events & Read) != 0);
            ready += Keep(ref bits[words + word], bit, (events & Write) != 0);
            ready += Keep(ref bits[(2 * words) + word], bit, (events & PollEvents.Pri) != 0);
        }

        return ready;
    }

    private static int Keep(ref ulong word, ulong bit, bool isReady)
    {
        if ((word & bit) == 0)
        {
            return 0;
        }

        word = isReady ? word : word & ~bit;
        return isReady ? 1 : 0;
    }

    /// <summary>The three sets of select(2) in guest memory; each may be NULL.</summary>
    private readonly record struct SelectSets(UserPtr ReadSet, UserPtr WriteSet, UserPtr ExceptSet)
    {
        internal Errno Read(Task task, ulong[] bits, int words)
        {
            Array.Clear(bits, 0, words * 3);
            Errno error = ReadOne(task, ReadSet, bits.AsSpan(0, words));
            error = error != Errno.None ? error : ReadOne(task, WriteSet, bits.AsSpan(words, words));
            return error != Errno.None ? error : ReadOne(task, ExceptSet, bits.AsSpan(2 * words, words));
        }

        internal Errno Write(Task task, ulong[] bits, int words)
        {
            Errno error = WriteOne(task, ReadSet, bits.AsSpan(0, words));
            error = error != Errno.None ? error : WriteOne(task, WriteSet, bits.AsSpan(words, words));
            return error != Errno.None ? error : WriteOne(task, ExceptSet, bits.AsSpan(2 * words, words));
        }

        private static Errno ReadOne(Task task, UserPtr set, Span<ulong> bits) => set.IsNull ? Errno.None : task.Memory.CopyIn(set, Blit.AsBytes(bits));

        private static Errno WriteOne(Task task, UserPtr set, Span<ulong> bits) => set.IsNull ? Errno.None : task.Memory.CopyOut(set, Blit.AsBytes((ReadOnlySpan<ulong>)bits));
    }
}
