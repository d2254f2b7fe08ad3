// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Eventfd;
using CVisor.FileSystems.Timerfd;

namespace CVisor.FileSystems.Tests;

public sealed class EventfdTests
{
    [Fact]
    public void A_read_takes_all_and_a_semaphore_one()
    {
        EventfdDescription counter = new(3, false, OpenFlags.NonBlock);
        Read(counter, out ulong value).ShouldBe(8);
        value.ShouldBe(3UL);
        Read(counter, out _).Error.ShouldBe(Errno.EAGAIN);

        EventfdDescription semaphore = new(2, true, OpenFlags.NonBlock);
        Read(semaphore, out value).ShouldBe(8);
        value.ShouldBe(1UL);
        Read(semaphore, out _).ShouldBe(8);
        Read(semaphore, out _).Error.ShouldBe(Errno.EAGAIN);
    }

    [Fact]
    public void The_counter_does_not_overflow()
    {
        EventfdDescription counter = new(0, false, OpenFlags.NonBlock);
        Write(counter, ulong.MaxValue).Error.ShouldBe(Errno.EINVAL);
        Write(counter, ulong.MaxValue - 1).ShouldBe(8);
        Write(counter, 1).Error.ShouldBe(Errno.EAGAIN);
        counter.Readiness(PollEvents.In | PollEvents.Out).ShouldBe(PollEvents.In);
        Read(counter, out ulong value);
        value.ShouldBe(ulong.MaxValue - 1);
        counter.Readiness(PollEvents.In | PollEvents.Out).ShouldBe(PollEvents.Out);
    }

    [Fact]
    public void A_timer_counts_its_expirations()
    {
        TimerfdDescription timer = new(new TimerQueue(), false, OpenFlags.NonBlock);
        timer.Set(3_600_000_000_000, 1_000_000, false, out _, out _);
        Read(timer, out _).Error.ShouldBe(Errno.EAGAIN);
        timer.Set(1_000_000, 1_000_000, false, out _, out _);
        SpinWait.SpinUntil(() => timer.Readiness(PollEvents.In) != 0, 5000).ShouldBeTrue();
        Read(timer, out ulong count).ShouldBe(8);
        count.ShouldBeGreaterThanOrEqualTo(1UL);
        timer.Get(out long remainingNs, out long intervalNs);
        intervalNs.ShouldBe(1_000_000);
        remainingNs.ShouldBeInRange(1, 1_000_000);
        timer.Set(0, 0, false, out _, out long oldIntervalNs);
        oldIntervalNs.ShouldBe(1_000_000);
        timer.Get(out remainingNs, out _);
        remainingNs.ShouldBe(0);
    }

    private static IoResult Read(FileDescription file, out ulong value)
    {
        byte[] data = new byte[8];
        IoBuffer destination = new(data);
        IoResult result = file.Read(null, ref destination);
        value = BitConverter.ToUInt64(data);
        return result;
    }

    private static IoResult Write(FileDescription file, ulong value)
    {
        IoBuffer source = new(BitConverter.GetBytes(value));
        return file.Write(null, ref source);
    }
}
