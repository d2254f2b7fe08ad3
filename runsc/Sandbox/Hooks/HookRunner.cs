// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Text;
using System.Text.Json;
using CVisor.Host;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>Runs hooks: programs of the host that get the container's state on their standard input.</summary>
public static class HookRunner
{
    private const int AtFdcwd = -100, OCloexec = 0x80000, ORdonly = 0, SigKill = 9, SigPipe = 13;
    private const uint MfdCloexec = 1;

    /// <summary>How much of a failed hook's output goes into the message.</summary>
    private const int MaxOutputBytes = 64 << 10;

    /// <summary>Runs hooks in order; the first failure ends it.</summary>
    /// <exception cref="RunscException">A hook failed or took too long.</exception>
    public static void Run(OciHook[]? hooks, string kind, OciState state)
    {
        foreach (OciHook hook in hooks ?? [])
        {
            RunOne(hook, kind, state);
        }
    }

    /// <summary>Runs hooks in order; a failure is told and the next one runs.</summary>
    public static void RunAll(OciHook[]? hooks, string kind, OciState state, Action<string> complain)
    {
        foreach (OciHook hook in hooks ?? [])
        {
            try
            {
                RunOne(hook, kind, state);
            }
            catch (RunscException error)
            {
                complain(error.Message);
            }
        }
    }

    private static void RunOne(OciHook hook, string kind, OciState state)
    {
        using FdKeeper fds = new();
        int input = fds.Own(HostCalls.MemfdCreate("hook-state\0"u8, MfdCloexec).OrThrow("memfd_create").Int);
        int output = fds.Own(HostCalls.MemfdCreate("hook-output\0"u8, MfdCloexec).OrThrow("memfd_create").Int);
        HostIo.WriteAll(input, JsonSerializer.SerializeToUtf8Bytes(state, OciJsonContext.Default.OciState)).OrThrow("write the hook's input");
        HostCalls.Lseek(input, 0, 0).OrThrow("lseek");
        using HostChild script = new();
        _ = script.PlaceFd(input, 0).PlaceFd(output, 1).PlaceFd(output, 2).CloseFrom(3).DefaultAction(SigPipe)
            .Exec(hook.Path!, hook.Args is { Length: > 0 } args ? args : [hook.Path!], hook.Env ?? []);
        HostResult pid = script.Spawn();
        if (pid.IsError)
        {
            throw new RunscException($"{kind} hook {hook.Path}: {script.FailedStep}: {script.FailedError}");
        }

        int timeoutMs = hook.Timeout is { } seconds ? (int)Math.Min(seconds * 1000L, int.MaxValue) : -1;
        int pidfd = fds.Own(HostCalls.PidfdOpen(pid.Int, 0).OrThrow("pidfd_open").Int);
        Span<HostPollFd> poll = [new HostPollFd { Fd = pidfd, Events = 1 }];
        HostResult ready;
        do
        {
            ready = HostCalls.Poll(poll, timeoutMs);
        }
        while (ready.Error == HostErrno.EINTR);

        bool isLate = ready.Value == 0;
        if (isLate)
        {
            _ = HostCalls.PidfdSendSignal(pidfd, SigKill);
        }

        int status = 0;
        _ = HostCalls.Wait4(pid.Int, ref status, 0);
        if (isLate)
        {
            throw new RunscException($"{kind} hook {hook.Path}: did not end within {hook.Timeout} s");
        }

        if (status != 0)
        {
            HostCalls.Lseek(output, 0, 0).OrThrow("lseek");
            string text = Encoding.UTF8.GetString(HostIo.ReadToEnd(output, MaxOutputBytes)).Trim();
            throw new RunscException($"{kind} hook {hook.Path}: exit status {ExitStatus.FromWait(status)}{(text.Length > 0 ? ", output: " + text.ReplaceLineEndings(" ") : "")}");
        }
    }
}
