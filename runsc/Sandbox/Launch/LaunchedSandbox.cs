// SPDX-License-Identifier: Apache-2.0
using System.Text;
using System.Text.Json;
using CVisor.Host;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>A sandbox that has just been started.</summary>
/// <param name="sandboxPid">The sandbox process.</param>
/// <param name="goferPid">The gofer process.</param>
/// <param name="startPipe">The read end of the sandbox's start pipe.</param>
/// <param name="goferPipe">The read end of the gofer's.</param>
public sealed class LaunchedSandbox(int sandboxPid, int goferPid, int startPipe, int goferPipe) : IDisposable
{
    private const int MaxReasonBytes = 64 << 10, SigKill = 9;

    private byte[] _buffer = new byte[1024];
    private int _length;

    /// <summary>The sandbox process.</summary>
    public int SandboxPid { get; } = sandboxPid;

    /// <summary>The gofer process.</summary>
    public int GoferPid { get; } = goferPid;

    /// <summary>Waits for the next report of the sandbox's start.</summary>
    /// <exception cref="RunscException">The start failed.</exception>
    public StartReport NextReport()
    {
        while (true)
        {
            int end = Array.IndexOf(_buffer, (byte)'\n', 0, _length);
            if (end >= 0)
            {
                StartReport? report = JsonSerializer.Deserialize(_buffer.AsSpan(0, end), ControlJsonContext.Default.StartReport);
                _length -= end + 1;
                _buffer.AsSpan(end + 1, _length).CopyTo(_buffer);
                return report is { Error: null } ? report : throw Failed(report?.Error?.Message ?? "the sandbox sent an empty report");
            }

            if (_length == _buffer.Length)
            {
                Array.Resize(ref _buffer, _length * 2);
            }

            HostResult read = HostCalls.Read(startPipe, _buffer.AsSpan(_length));
            if (read.Error == HostErrno.EINTR)
            {
                continue;
            }

            if (read.OrThrow("read the sandbox's start report").Int == 0)
            {
                throw Failed(DescribeDeath());
            }

            _length += read.Int;
        }
    }

    /// <summary>Waits for the sandbox to end.</summary>
    /// <param name="problem">Why it did not end by itself: one line; null when it did.</param>
    /// <returns>The exit status for our caller.</returns>
    public int WaitForEnd(out string? problem)
    {
        int status = 0;
        HostResult waited;
        do
        {
            waited = HostCalls.Wait4(SandboxPid, ref status, 0);
        }
        while (waited.Error == HostErrno.EINTR);

        waited.OrThrow("wait for the sandbox");

        // A guest that is killed by a signal has the sandbox exit with 128 + signal: a signal here is the sandbox's own.
        int signal = status & 0x7F;
        problem = signal == 0 ? null : $"the sandbox process was killed by {SignalNames.Name(signal)}" + (signal == SigKill ? " (from outside, or the host is out of memory)" : "");
        return signal == 0 ? ExitStatus.FromWait(status) : ExitStatus.Failure;
    }

    /// <summary>Kills both processes and reaps them.</summary>
    public void Kill()
    {
        foreach (int pid in (ReadOnlySpan<int>)[SandboxPid, GoferPid])
        {
            _ = HostCalls.Kill(pid, 9);
            int status = 0;
            _ = HostCalls.Wait4(pid, ref status, 0);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ = HostCalls.Close(startPipe);
        _ = HostCalls.Close(goferPipe);
    }

    /// <summary>The gofer's reason, when it has one, is why the sandbox failed.</summary>
    private RunscException Failed(string message)
    {
        string reason = Encoding.UTF8.GetString(HostIo.ReadToEnd(goferPipe, MaxReasonBytes));
        return new RunscException(reason.Length > 0 ? reason : message);
    }

    private string DescribeDeath()
    {
        int status = 0;
        HostResult waited = HostCalls.Wait4(SandboxPid, ref status, 0);
        string how = waited.IsError ? "" : (status & 0x7F) != 0 ? $" (killed by {SignalNames.Name(status & 0x7F)})" : $" (exit status {(status >> 8) & 0xFF})";
        return $"the sandbox ended before it was ready{how}; --debug-log=FILE --debug tells more";
    }
}
