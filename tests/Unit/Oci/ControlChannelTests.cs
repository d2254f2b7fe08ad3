// SPDX-License-Identifier: Apache-2.0
using CVisor.Host;
using CVisor.Runsc.Control;

namespace CVisor.Runsc.Oci.Tests;

public sealed class ControlChannelTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cvisor-control-").FullName;
    private readonly FakeService _service = new();
    private readonly string _path;

    public ControlChannelTests()
    {
        // Longer than sockaddr_un holds.
        string deep = Path.Combine(_folder, new string('d', 120));
        Directory.CreateDirectory(deep);
        _path = Path.Combine(deep, "c.sock");
        int listener = ControlAddress.Listen(_path, 8).OrThrow("listen").Int;
        new Thread(() => new ControlServer(listener, _service).Serve()) { IsBackground = true }.Start();
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_request_gets_its_reply_and_a_refusal_its_reason()
    {
        using ControlClient client = Connect();
        client.Call(new ControlRequest { Method = ControlMethod.StartRoot }).Error.ShouldBeNull();
        client.Call(new ControlRequest { Method = ControlMethod.StartRoot }).Error.ShouldBe(new ControlError(ControlErrorKind.WrongState, "started already"));
        client.Call(new ControlRequest { Method = ControlMethod.State }).State.ShouldBe(new SandboxStateInfo(SandboxPhase.Running, 1));
        client.Call(new ControlRequest { Method = ControlMethod.Processes }).Processes!.Single().Command.ShouldBe("fake");
    }

    [Fact]
    public void Descriptors_travel_with_a_request()
    {
        FdPair pipe = default;
        HostCalls.Pipe2(ref pipe, 0x80000).OrThrow("pipe2");
        using ControlClient client = Connect();
        ControlReply reply = client.Call(
            new ControlRequest { Method = ControlMethod.Execute, Execute = new ExecuteRequest { Process = new ProcessSpec { Args = ["echo", new string('x', 200_000)] }, GuestFds = [1] } },
            [pipe.Second]);
        reply.Pid.ShouldBe(5);
        HostCalls.Close(pipe.Second);

        // The service has written the argument's length into the descriptor and closed it.
        System.Text.Encoding.ASCII.GetString(HostIo.ReadToEnd(pipe.First, 100)).ShouldBe("200000");
        HostCalls.Close(pipe.First);
    }

    [Fact]
    public void An_execute_whose_descriptors_do_not_match_is_refused()
    {
        using ControlClient client = Connect();
        client.Call(new ControlRequest { Method = ControlMethod.Execute, Execute = new ExecuteRequest { Process = new ProcessSpec { Args = ["x"] } } })
            .Error!.Kind.ShouldBe(ControlErrorKind.Invalid);
    }

    [Fact]
    public void A_wait_is_answered_late_and_others_go_on_meanwhile()
    {
        using ControlClient waiter = Connect();
        waiter.Send(new ControlRequest { Method = ControlMethod.Wait, Wait = new WaitRequest { Pid = 3 } });
        using ControlClient other = Connect();
        other.Call(new ControlRequest { Method = ControlMethod.Signal, Signal = new SignalRequest { Signal = 15, Pid = 3 } });
        waiter.Receive().WaitStatus.ShouldBe(15);
    }

    [Fact]
    public async Task A_process_is_killed_when_the_one_who_waits_for_it_goes()
    {
        ControlClient waiter = Connect();
        waiter.Send(new ControlRequest { Method = ControlMethod.Wait, Wait = new WaitRequest { Pid = 4, KillOnDisconnect = true } });
        await _service.Waited.Task.WaitAsync(TimeSpan.FromSeconds(20));
        waiter.Dispose();
        SignalRequest signal = await _service.Signalled.Task.WaitAsync(TimeSpan.FromSeconds(20));
        (signal.Signal, signal.Pid).ShouldBe((9, 4));
    }

    [Fact]
    public void Garbage_ends_the_connection_and_nothing_else()
    {
        int socket = ControlAddress.Connect(_path).OrThrow("connect").Int;
        HostIo.WriteAll(socket, [0xff, 0xff, 0xff, 0x7f, 1, 2, 3]).IsError.ShouldBeFalse();
        byte[] buffer = new byte[1];
        HostCalls.Read(socket, buffer).Value.ShouldBeLessThanOrEqualTo(0);
        HostCalls.Close(socket);
        using ControlClient client = Connect();
        client.Call(new ControlRequest { Method = ControlMethod.State }).Error.ShouldBeNull();
    }

    private ControlClient Connect() => ControlClient.Connect(_path, out HostErrno error).ShouldNotBeNull(error.ToString());

    private sealed class FakeService : ISandboxService
    {
        private readonly Lock _lock = new();
        private Action<ControlReply>? _waiter;
        private bool _started;

        public TaskCompletionSource Waited { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource<SignalRequest> Signalled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ControlReply StartRoot()
        {
            bool was = _started;
            _started = true;
            return was ? ControlReply.Failed(ControlErrorKind.WrongState, "started already") : ControlReply.Done;
        }

        public ControlReply Execute(ExecuteRequest request, int[] descriptors)
        {
            HostIo.WriteAll(descriptors[0], System.Text.Encoding.ASCII.GetBytes(request.Process.Args[1].Length.ToString()));
            HostCalls.Close(descriptors[0]);
            return new ControlReply { Pid = 5 };
        }

        public ControlReply Signal(SignalRequest request)
        {
            Action<ControlReply>? waiter;
            lock (_lock)
            {
                waiter = _waiter;
                _waiter = null;
            }

            Signalled.TrySetResult(request);
            waiter?.Invoke(new ControlReply { WaitStatus = request.Signal });
            return ControlReply.Done;
        }

        public void Wait(int pid, Action<ControlReply> completed)
        {
            lock (_lock)
            {
                _waiter = completed;
            }

            Waited.TrySetResult();
        }

        public ControlReply Processes() => new() { Processes = [new ProcessInfo { Pid = 1, Command = "fake" }] };

        public ControlReply State() => new() { State = new SandboxStateInfo(SandboxPhase.Running, 1) };

        public ControlReply Destroy() => ControlReply.Done;
    }
}
