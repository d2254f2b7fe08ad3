// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Control;

/// <summary>The descriptors a sandbox process is started with; -1 stands for none.</summary>
public sealed record BootFds
{
    /// <summary>A listening unix stream socket for <see cref="ControlServer"/>.</summary>
    public int Control { get; init; } = -1;

    /// <summary>The write end of a pipe on which <see cref="StartReport"/> tells runsc how the start went.</summary>
    public int Start { get; init; } = -1;

    /// <summary>The guest's standard input, output and error.</summary>
    public int[] Stdio { get; init; } = [0, 1, 2];

    /// <summary>Further host descriptors given to the first process.</summary>
    public PassedFd[] Passed { get; init; } = [];

    /// <summary>One connected socket for each gofer mount.</summary>
    public int[] GoferSockets { get; init; } = [];

    /// <summary>The debug log, opened for appending.</summary>
    public int DebugLog { get; init; } = -1;

    /// <summary>Where the text of a crash of the sentry goes, besides the debug log.</summary>
    public int PanicLog { get; init; } = -1;

    /// <summary>The log a container's user may read (<c>create --user-log</c>).</summary>
    public int UserLog { get; init; } = -1;

    /// <summary>The file that keeps the container's exit status for those who ask later (<see cref="EndRecord"/>).</summary>
    public int ExitStatus { get; init; } = -1;
}

/// <summary>A host descriptor that the guest's process gets.</summary>
/// <param name="HostFd">Our number.</param>
/// <param name="GuestFd">The guest's number.</param>
public sealed record PassedFd(int HostFd, int GuestFd);
