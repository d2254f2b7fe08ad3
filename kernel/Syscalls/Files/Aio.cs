// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.FileSystems.Aio;
using CVisor.Platforms;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>io_setup, io_destroy, io_cancel, io_getevents, io_pgetevents.</content>
public static partial class Handlers
{
    /// <summary>io_setup(2). The context's number is the address of a page of zeros: libaio finds no ring there, and makes calls.</summary>
    public static partial SyscallResult IoSetup(Task task, uint nrEvents, UserPtr ctx)
    {
        Errno error = task.Memory.CopyIn(ctx, out ulong old);
        if (error != Errno.None || old != 0 || nrEvents == 0)
        {
            return error != Errno.None ? error : Errno.EINVAL;
        }

        if (nrEvents > AioContexts.MaximumEvents)
        {
            return Errno.EAGAIN;
        }

        const MemoryAccess Access = MemoryAccess.Read | MemoryAccess.Write;
        MapRequest request = new() { Length = MemoryManager.PageSize, Access = Access, MaximumAccess = Access, Name = "/[aio] (deleted)" };
        error = task.Memory.Map(request, 0, Placement.Hint, growsDown: false, populate: false, out UserPtr page);
        if (error != Errno.None)
        {
            return error;
        }

        error = AioContexts.Of(task.Memory).Add(page.Address, nrEvents);
        error = error != Errno.None ? error : task.Memory.CopyOut(ctx, page.Address);
        if (error != Errno.None)
        {
            _ = AioContexts.Of(task.Memory).Remove(page.Address);
            _ = task.Memory.Unmap(page, MemoryManager.PageSize);
        }

        return error;
    }

    /// <summary>io_destroy(2)</summary>
    public static partial SyscallResult IoDestroy(Task task, ulong ctx) =>
        AioContexts.Of(task.Memory).Remove(ctx) ? task.Memory.Unmap(new UserPtr(ctx), MemoryManager.PageSize) : Errno.EINVAL;

    /// <summary>io_cancel(2): nothing is under way when the caller runs, so there is nothing to cancel.</summary>
    public static partial SyscallResult IoCancel(Task task, ulong ctx, UserPtr iocb, UserPtr result)
    {
        Errno error = task.Memory.CopyIn(iocb, out GuestIocb _);
        return error != Errno.None ? error : Errno.EINVAL;
    }

    /// <summary>io_getevents(2)</summary>
    public static partial Blocking<SyscallResult> IoGetevents(Task task, ulong ctx, long minNr, long nr, UserPtr events, UserPtr timeout) =>
        FetchEvents(task, ctx, minNr, nr, events, timeout);

    /// <summary>io_pgetevents(2)</summary>
    public static partial Blocking<SyscallResult> IoPgetevents(Task task, ulong ctx, long minNr, long nr, UserPtr events, UserPtr timeout, UserPtr sig)
    {
        (ulong mask, ulong size) = (0, 0);
        Errno error = sig.IsNull ? Errno.None : task.Memory.CopyIn(sig, out mask);
        error = error != Errno.None || sig.IsNull ? error : task.Memory.CopyIn(sig.Offset(sizeof(ulong)), out size);
        error = error != Errno.None ? error : TemporaryMask.Begin(task, new UserPtr(mask), size);
        return error != Errno.None ? (SyscallResult)error
            : mask == 0 ? FetchEvents(task, ctx, minNr, nr, events, timeout)
            : TemporaryMask.End(task, FetchEvents(task, ctx, minNr, nr, events, timeout));
    }

    private static Blocking<SyscallResult> FetchEvents(Task task, ulong ctx, long minNr, long nr, UserPtr events, UserPtr timeout)
    {
        Errno error = GuestTime.ReadDeadline(task, timeout, out long deadlineNs);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        if (AioContexts.Of(task.Memory).Find(ctx) is not { } context || minNr < 0 || minNr > nr)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        long fetched = 0;
        error = FetchReady(task, context, events, nr, ref fetched);
        return fetched >= minNr || error != Errno.None || deadlineNs == 0
            ? fetched > 0 || error == Errno.None ? (SyscallResult)fetched : (SyscallResult)error
            : FetchLater(task, context, minNr, nr, events, fetched, deadlineNs);
    }

    private static async Blocking<SyscallResult> FetchLater(Task task, AioContext context, long minNr, long nr, UserPtr events, long fetched, long deadlineNs)
    {
        task.PrepareToWait();
        context.Queue.Add(task.Waiter, PollEvents.Any);
        try
        {
            while (true)
            {
                Errno error = FetchReady(task, context, events, nr, ref fetched);
                if (error != Errno.None || fetched >= minNr || context.IsDestroyed)
                {
                    return fetched > 0 || error == Errno.None ? fetched : error;
                }

                switch (await task.Block(deadlineNs))
                {
                    case BlockOutcome.TimedOut:
                        return fetched;
                    case BlockOutcome.Interrupted:
                        return fetched > 0 ? fetched : Errno.EINTR;
                }
            }
        }
        finally
        {
            context.Queue.Remove(task.Waiter);
        }
    }

    private static Errno FetchReady(Task task, AioContext context, UserPtr events, long most, ref long fetched)
    {
        const ulong EventBytes = 32;
        while (fetched < most && context.TryTake(out AioEvent finished))
        {
            Errno error = task.Memory.CopyOut(events.Offset(unchecked((ulong)fetched * EventBytes)), finished);
            if (error != Errno.None)
            {
                return error;
            }

            fetched++;
        }

        return Errno.None;
    }
}
