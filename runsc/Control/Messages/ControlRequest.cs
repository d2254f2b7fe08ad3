// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Control;

/// <summary>What a control request asks for.</summary>
public enum ControlMethod
{
    /// <summary>Starts the container's first process.</summary>
    StartRoot,

    /// <summary>Starts a further process (<see cref="ControlRequest.Execute"/>); its descriptors come along.</summary>
    Execute,

    /// <summary>Sends a signal (<see cref="ControlRequest.Signal"/>).</summary>
    Signal,

    /// <summary>Answers when a process has ended (<see cref="ControlRequest.Wait"/>).</summary>
    Wait,

    /// <summary>Lists the processes.</summary>
    Processes,

    /// <summary>Tells the sandbox's state.</summary>
    State,

    /// <summary>Kills every process and ends the sandbox.</summary>
    Destroy,
}

/// <summary>One request on the control socket.</summary>
public sealed record ControlRequest
{
    /// <summary>What is asked for.</summary>
    public required ControlMethod Method { get; init; }

    /// <summary>For <see cref="ControlMethod.Execute"/>.</summary>
    public ExecuteRequest? Execute { get; init; }

    /// <summary>For <see cref="ControlMethod.Signal"/>.</summary>
    public SignalRequest? Signal { get; init; }

    /// <summary>For <see cref="ControlMethod.Wait"/>.</summary>
    public WaitRequest? Wait { get; init; }
}

/// <summary>A further process.</summary>
public sealed record ExecuteRequest
{
    /// <summary>The process.</summary>
    public required ProcessSpec Process { get; init; }

    /// <summary>
    /// The guest's descriptor number for each descriptor that came with the request, in order; normally 0, 1, 2.
    /// </summary>
    public int[] GuestFds { get; init; } = [0, 1, 2];
}

/// <summary>A signal for one process, its group, or all.</summary>
public sealed record SignalRequest
{
    /// <summary>The signal's number, 1..64; 0 only asks whether the target is there.</summary>
    public required int Signal { get; init; }

    /// <summary>The process (in the container's PID namespace); 0 for the first one.</summary>
    public int Pid { get; init; }

    /// <summary>Whom it reaches.</summary>
    public SignalTarget Target { get; init; }
}

/// <summary>Whom a signal reaches.</summary>
public enum SignalTarget
{
    /// <summary>The process.</summary>
    Process,

    /// <summary>The process group whose id is <see cref="SignalRequest.Pid"/>.</summary>
    Group,

    /// <summary>Every process of the container.</summary>
    All,

    /// <summary>The foreground process group of the process's controlling terminal; the process itself when it has none.</summary>
    Foreground,
}

/// <summary>A wait for a process to end.</summary>
public sealed record WaitRequest
{
    /// <summary>The process; 0 for the first one.</summary>
    public int Pid { get; init; }

    /// <summary>Kill the process when the asking connection goes away first.</summary>
    public bool KillOnDisconnect { get; init; }
}
