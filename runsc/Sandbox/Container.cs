// SPDX-License-Identifier: Apache-2.0
using CVisor.Host;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>A container that has been made: what the commands do to it.</summary>
public sealed class Container(StateStore store, ContainerState state)
{
    private const int SigKill = 9, EndTimeoutMs = 10_000;

    /// <summary>What is kept of it.</summary>
    public ContainerState State { get; private set; } = state;

    /// <summary>Finds a container.</summary>
    /// <exception cref="RunscException">There is none of that id.</exception>
    public static Container Load(StateStore store, string id)
    {
        StateStore.CheckId(id);
        return new Container(store, store.Load(id));
    }

    /// <summary>Where it stands now.</summary>
    public ContainerStatus Status() => !State.Sandbox.IsAlive() ? ContainerStatus.Stopped : State.Started ? ContainerStatus.Running : ContainerStatus.Created;

    /// <summary>The state document.</summary>
    public OciState Describe()
    {
        ContainerStatus status = Status();
        return Describe(State, StatusName(status)) with { Pid = status == ContainerStatus.Stopped ? 0 : State.Sandbox.Pid };
    }

    /// <summary>A status in the words of the specification.</summary>
    public static string StatusName(ContainerStatus status) => status switch
    {
        ContainerStatus.Created => "created",
        ContainerStatus.Running => "running",
        _ => "stopped",
    };

    /// <summary>Starts the first process.</summary>
    public void Start(Action<string> warn)
    {
        using StateLock held = store.Lock(State.Id);
        State = store.Load(State.Id);
        ContainerStatus status = Status();
        if (status != ContainerStatus.Created)
        {
            throw new RunscException($"cannot start container {State.Id}: it is {StatusName(status)}, not created");
        }

        try
        {
            StartLocked();
        }
        catch
        {
            // A process that cannot start leaves a stopped container; whoever watches the sandbox sees it end.
            State.Sandbox.Kill();
            State.Gofer.Kill();
            throw;
        }

        RunPoststart(warn);
    }

    /// <summary>Starts the first process while the lock is held.</summary>
    [RequiresLock("StateStore.Lock")]
    internal void StartLocked()
    {
        _ = Call(new ControlRequest { Method = ControlMethod.StartRoot });
        State = State with { Started = true };
        store.Save(State);
    }

    /// <summary>Runs the poststart hooks; a failing one is told and no more.</summary>
    internal void RunPoststart(Action<string> warn)
    {
        if (State.Hooks?.Poststart is { Length: > 0 } hooks)
        {
            HookRunner.RunAll(hooks, "poststart", Describe(State, "running"), warn);
        }
    }

    /// <summary>Sends a signal into the container.</summary>
    public void Signal(SignalRequest request)
    {
        if (Status() == ContainerStatus.Stopped)
        {
            throw NotRunning();
        }

        if (!State.Started)
        {
            // Nothing runs inside yet; what would end the first process ends the sandbox.
            if (request.Signal is SigKill or 15)
            {
                State.Sandbox.Kill();
            }

            return;
        }

        _ = Call(new ControlRequest { Method = ControlMethod.Signal, Signal = request });
    }

    /// <summary>Waits for the end of a process; the first one's is known after the sandbox has ended, too.</summary>
    /// <param name="pid">The process; 0 for the container's first.</param>
    /// <returns>The exit code, or 128 + signal.</returns>
    public int Wait(int pid)
    {
        bool isFirst = pid is 0 or 1;
        if (Status() != ContainerStatus.Stopped || !isFirst)
        {
            try
            {
                return ExitStatus.FromWait(Call(new ControlRequest { Method = ControlMethod.Wait, Wait = new WaitRequest { Pid = pid } }).WaitStatus);
            }
            catch (RunscException) when (isFirst && State.Sandbox.WaitForEnd(0))
            {
                // It ended after we had looked.
            }
        }

        return store.ReadEnd(State.Id) ?? ExitStatus.Killed;
    }

    /// <summary>Asks the sandbox.</summary>
    /// <exception cref="RunscException">It refused, or it is gone.</exception>
    public ControlReply Call(ControlRequest request, ReadOnlySpan<int> descriptors = default)
    {
        using ControlClient client = Connect();
        return Call(client, request, descriptors);
    }

    /// <summary>Asks the sandbox on a connection of the caller's.</summary>
    public static ControlReply Call(ControlClient client, ControlRequest request, ReadOnlySpan<int> descriptors = default)
    {
        ControlReply reply;
        try
        {
            reply = client.Call(request, descriptors);
        }
        catch (HostException error) when (error.Error == HostErrno.ECONNRESET)
        {
            throw new RunscException("container not running: the sandbox ended meanwhile");
        }

        return reply.Error is null ? reply : throw new RunscException(reply.Error.Message);
    }

    /// <summary>Connects to the sandbox.</summary>
    public ControlClient Connect() =>
        ControlClient.Connect(store.SocketPath(State.Id), out HostErrno error)
        ?? throw (error is HostErrno.ENOENT or HostErrno.ECONNREFUSED ? NotRunning() : new RunscException($"cannot reach the sandbox of {State.Id}: {error}"));

    /// <summary>Deletes the container and all that was made for it.</summary>
    /// <param name="force">Kill what still runs.</param>
    /// <param name="warn">Told of poststop hooks that failed.</param>
    public void Delete(bool force, Action<string> warn)
    {
        using StateLock held = store.Lock(State.Id);
        State = store.Load(State.Id);
        ContainerStatus status = Status();
        if (status == ContainerStatus.Running && !force)
        {
            throw new RunscException($"cannot delete container {State.Id} that is not stopped: it is {StatusName(status)}; use --force to kill it");
        }

        Destroy();
        if (State.Hooks?.Poststop is { Length: > 0 } hooks)
        {
            HookRunner.RunAll(hooks, "poststop", Describe(State, "stopped"), warn);
        }

        store.Remove(State.Id);
    }

    /// <summary>Ends the processes and removes the cgroups.</summary>
    private void Destroy()
    {
        // The sandbox is its PID namespace's first process: every stub dies with it.
        State.Sandbox.Kill();
        State.Gofer.Kill();
        if (!State.Sandbox.WaitForEnd(EndTimeoutMs) || !State.Gofer.WaitForEnd(EndTimeoutMs))
        {
            throw new RunscException($"the processes of container {State.Id} do not end; its state is kept");
        }

        ContainerCgroup.Remove(State.Cgroups);
    }

    /// <summary>The state document with a given status.</summary>
    internal static OciState Describe(ContainerState state, string status) => new()
    {
        OciVersion = SpecFile.SpecVersion,
        Id = state.Id,
        Status = status,
        Pid = status == "stopped" ? 0 : state.Sandbox.Pid,
        Bundle = state.Bundle,
        Annotations = state.Annotations,
    };

    private RunscException NotRunning() => new($"container not running: {State.Id}");
}
