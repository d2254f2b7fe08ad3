// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Control;

/// <summary>What the sentry does for runsc. Called on the control server's thread, one call at a time; none may block for long.</summary>
public interface ISandboxService
{
    /// <summary>Starts the container's first process, once.</summary>
    ControlReply StartRoot();

    /// <summary>Starts a further process.</summary>
    /// <param name="request">What to start.</param>
    /// <param name="descriptors">Host descriptors, the service's from now on, whatever it answers; number i is the guest's <c>request.GuestFds[i]</c>.</param>
    /// <returns>A reply with its PID.</returns>
    ControlReply Execute(ExecuteRequest request, int[] descriptors);

    /// <summary>Sends a signal.</summary>
    ControlReply Signal(SignalRequest request);

    /// <summary>
    /// Asks to be told when a process has ended. Its status is kept for one waiter after it ended; of the first process
    /// for as many as ask.
    /// </summary>
    /// <param name="pid">The process; 0 for the first one.</param>
    /// <param name="completed">Called once with the reply, from any thread, perhaps before this method returns.</param>
    void Wait(int pid, Action<ControlReply> completed);

    /// <summary>Lists the processes.</summary>
    ControlReply Processes();

    /// <summary>Tells the state.</summary>
    ControlReply State();

    /// <summary>Kills every process and ends the sandbox process soon after the reply has been sent.</summary>
    ControlReply Destroy();
}
