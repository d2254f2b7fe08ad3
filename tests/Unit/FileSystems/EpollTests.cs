// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Epoll;
using CVisor.FileSystems.Eventfd;

namespace CVisor.FileSystems.Tests;

public sealed class EpollTests
{
    private const uint In = (uint)PollEvents.In;
    private const uint Out = (uint)PollEvents.Out;
    private readonly EpollDescription _epoll = new();
    private readonly EventfdDescription _event = new(0, false, OpenFlags.NonBlock);

    [Fact]
    public void Level_triggered_comes_again_until_it_is_read()
    {
        _epoll.Add(_event, 3, new EpollEvent(In, 42)).ShouldBe(Errno.None);
        Collect().ShouldBeEmpty();
        _event.Signal(1);
        Collect().ShouldBe([(In, 42UL)]);
        Collect().ShouldBe([(In, 42UL)]);
        Read(_event);
        Collect().ShouldBeEmpty();
    }

    [Fact]
    public void Edge_triggered_comes_once_for_each_event()
    {
        _event.Signal(1);
        _epoll.Add(_event, 3, new EpollEvent(In | EpollDescription.EdgeTriggered, 1)).ShouldBe(Errno.None);
        Collect().Count.ShouldBe(1);
        Collect().ShouldBeEmpty();
        _event.Signal(1);
        Collect().Count.ShouldBe(1);
        Collect().ShouldBeEmpty();
    }

    [Fact]
    public void One_shot_is_disabled_until_it_is_modified()
    {
        _event.Signal(1);
        _epoll.Add(_event, 3, new EpollEvent(In | EpollDescription.OneShot, 1)).ShouldBe(Errno.None);
        Collect().Count.ShouldBe(1);
        _event.Signal(1);
        Collect().ShouldBeEmpty();
        _epoll.Modify(_event, 3, new EpollEvent(In | Out, 2)).ShouldBe(Errno.None);
        Collect().ShouldBe([(In | Out, 2UL)]);
    }

    [Fact]
    public void A_closed_target_disappears()
    {
        _event.Signal(1);
        _epoll.Add(_event, 3, new EpollEvent(In, 1)).ShouldBe(Errno.None);
        _event.Unreference();
        Collect().ShouldBeEmpty();
        _epoll.Delete(_event, 3).ShouldBe(Errno.ENOENT);
        _event.Queue.IsEmpty.ShouldBeTrue();
    }

    [Fact]
    public void An_epoll_can_be_watched_and_loops_are_refused()
    {
        EpollDescription outer = new();
        _epoll.Add(_event, 3, new EpollEvent(In, 1)).ShouldBe(Errno.None);
        outer.Add(_epoll, 4, new EpollEvent(In, 2)).ShouldBe(Errno.None);
        _epoll.Add(outer, 5, new EpollEvent(In, 3)).ShouldBe(Errno.ELOOP);
        _epoll.Add(_epoll, 6, new EpollEvent(In, 3)).ShouldBe(Errno.EINVAL);
        Collect(outer).ShouldBeEmpty();
        _event.Signal(1);
        Collect(outer).ShouldBe([(In, 2UL)]);
        Read(_event);
        Collect(outer).ShouldBeEmpty();
    }

    [Fact]
    public void Nesting_has_a_limit()
    {
        List<EpollDescription> chain = [_epoll];
        for (int i = 0; i < 4; i++)
        {
            EpollDescription next = new();
            next.Add(chain[^1], 1, new EpollEvent(In, 0)).ShouldBe(Errno.None);
            chain.Add(next);
        }

        new EpollDescription().Add(chain[^1], 1, new EpollEvent(In, 0)).ShouldBe(Errno.ELOOP);
    }

    [Fact]
    public void Wrong_changes_are_refused()
    {
        _epoll.Modify(_event, 3, new EpollEvent(In, 1)).ShouldBe(Errno.ENOENT);
        _epoll.Delete(_event, 3).ShouldBe(Errno.ENOENT);
        _epoll.Add(_event, 3, new EpollEvent(In, 1)).ShouldBe(Errno.None);
        _epoll.Add(_event, 3, new EpollEvent(In, 1)).ShouldBe(Errno.EEXIST);
        _epoll.Add(_event, 4, new EpollEvent(In, 1)).ShouldBe(Errno.None);
        _epoll.Add(_event, 5, new EpollEvent(In | EpollDescription.Exclusive | EpollDescription.OneShot, 1)).ShouldBe(Errno.EINVAL);
        _epoll.Add(_event, 6, new EpollEvent(In | EpollDescription.Exclusive, 1)).ShouldBe(Errno.None);
        _epoll.Modify(_event, 6, new EpollEvent(In, 1)).ShouldBe(Errno.EINVAL);
    }

    [Fact]
    public void Items_take_turns_when_there_is_room_for_few()
    {
        EventfdDescription second = new(1, false, OpenFlags.NonBlock);
        _event.Signal(1);
        _epoll.Add(_event, 3, new EpollEvent(In, 1)).ShouldBe(Errno.None);
        _epoll.Add(second, 4, new EpollEvent(In, 2)).ShouldBe(Errno.None);
        Collect(_epoll, 1).ShouldBe([(In, 1UL)]);
        Collect(_epoll, 1).ShouldBe([(In, 2UL)]);
        Collect(_epoll, 1).ShouldBe([(In, 1UL)]);
    }

    private List<(uint Events, ulong Data)> Collect() => Collect(_epoll);

    private static List<(uint Events, ulong Data)> Collect(EpollDescription epoll, int maximum = 10)
    {
        List<(uint, ulong)> seen = [];
        epoll.Collect(new Sink(seen), maximum).IsError.ShouldBeFalse();
        return seen;
    }

    private static void Read(EventfdDescription file)
    {
        IoBuffer destination = new(new byte[8]);
        file.Read(null, ref destination).Count.ShouldBe(8);
    }

    private readonly struct Sink(List<(uint, ulong)> seen) : IEpollSink
    {
        public Errno Store(int index, in EpollEvent ready)
        {
            seen.Add((ready.Events, ready.Data));
            return Errno.None;
        }
    }
}
