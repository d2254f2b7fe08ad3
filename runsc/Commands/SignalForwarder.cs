// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Runtime.InteropServices;
using CVisor.Host;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Commands;

/// <summary>Passes the signals that reach a waiting runsc on to the guest's process.</summary>
internal sealed class SignalForwarder : IDisposable
{
    /// <summary>HUP, INT, QUIT, USR1, USR2, TERM, CONT, WINCH, and those that would stop us.</summary>
    private static readonly int[] s_signals = [1, 2, 3, 10, 12, 15, 18, 20, 21, 22, 28];

    private readonly List<PosixSignalRegistration> _registrations = [];

    private SignalForwarder(Action<int> forward)
    {
        foreach (int signal in s_signals)
        {
            _registrations.Add(PosixSignalRegistration.Create((PosixSignal)signal, context =>
            {
                context.Cancel = true;
                forward(signal);
            }));
        }
    }

    /// <summary>Passes signals on to a container's first process.</summary>
    public static SignalForwarder ToContainer(Container container) =>
        new(signal => Send(container, new SignalRequest { Signal = signal, Target = container.State.Process.Terminal ? SignalTarget.Foreground : SignalTarget.Process }));

    /// <summary>Passes signals on to another process of a container.</summary>
    public static SignalForwarder ToProcess(Container container, int pid, bool isTerminal) =>
        new(signal => Send(container, new SignalRequest { Signal = signal, Pid = pid, Target = isTerminal ? SignalTarget.Foreground : SignalTarget.Process }));

    /// <inheritdoc/>
    public void Dispose() => _registrations.ForEach(static registration => registration.Dispose());

    private static void Send(Container container, SignalRequest request)
    {
        try
        {
            container.Signal(request);
        }
        catch (Exception error) when (error is RunscException or HostException)
        {
            // It ended just now; the wait we are in says so.
        }
    }
}
