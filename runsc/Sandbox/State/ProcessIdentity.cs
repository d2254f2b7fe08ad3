// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.IO;
using CVisor.Host;

namespace CVisor.Runsc.Sandbox;

/// <summary>A host process that is not mistaken for a later one with the same PID.</summary>
/// <param name="Pid">Its PID.</param>
/// <param name="StartTicks">When it started, in clock ticks since boot (field 22 of /proc/PID/stat).</param>
public sealed record ProcessIdentity(int Pid, ulong StartTicks)
{
    private const int SigKill = 9;

    /// <summary>The identity of a live process.</summary>
    public static ProcessIdentity Of(int pid) => new(pid, Read(pid, out _));

    /// <summary>Whether it lives; a zombie does not.</summary>
    public bool IsAlive()
    {
        ulong ticks = Read(Pid, out char state);
        return ticks == StartTicks && state is not ('Z' or 'X' or '\0');
    }

    /// <summary>Whether its PID is still taken by it, perhaps as a zombie.</summary>
    public bool Exists() => Read(Pid, out char state) == StartTicks && state != '\0';

    /// <summary>Kills it; a process that has gone is fine.</summary>
    public void Kill()
    {
        // By descriptor, so that the PID cannot change hands between the check and the signal.
        HostResult pidfd = HostCalls.PidfdOpen(Pid, 0);
        if (pidfd.IsError)
        {
            return;
        }

        if (Exists())
        {
            _ = HostCalls.PidfdSendSignal(pidfd.Int, SigKill);
        }

        _ = HostCalls.Close(pidfd.Int);
    }

    /// <summary>Waits until it has ended; false when it has not within the time.</summary>
    public bool WaitForEnd(int timeoutMs)
    {
        HostResult pidfd = HostCalls.PidfdOpen(Pid, 0);
        if (pidfd.IsError)
        {
            return true;
        }

        bool ended = !IsAlive();
        if (!ended)
        {
            Span<HostPollFd> fds = [new HostPollFd { Fd = pidfd.Int, Events = 1 }];
            HostResult ready = HostCalls.Poll(fds, timeoutMs);
            ended = ready is { IsError: false, Value: 1 } || !IsAlive();
        }

        // Our own child is reaped; anybody else's is theirs.
        int status = 0;
        _ = HostCalls.Wait4NoHang(Pid, ref status, 1);
        _ = HostCalls.Close(pidfd.Int);
        return ended;
    }

    private static ulong Read(int pid, out char state)
    {
        state = '\0';
        string text;
        try
        {
            text = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/stat"));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return 0;
        }

        // The second field is the name in parentheses, which may hold anything.
        int close = text.LastIndexOf(')');
        string[] fields = text[(close + 2)..].Split(' ');
        state = fields[0][0];
        return ulong.Parse(fields[19], CultureInfo.InvariantCulture);
    }
}
