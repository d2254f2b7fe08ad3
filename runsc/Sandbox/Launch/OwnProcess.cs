// SPDX-License-Identifier: Apache-2.0
using System.Collections;
using System.Collections.Generic;
using System.Globalization;
using CVisor.Host;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>Starts this very binary again as one of its hidden subcommands.</summary>
internal sealed class OwnProcess
{
    private const int AtFdcwd = -100, ORdwr = 2, OCloexec = 0x80000;

    /// <summary>"boot" or "gofer".</summary>
    public required string Subcommand { get; init; }

    /// <summary>The container's id, for ps(1).</summary>
    public required string Id { get; init; }

    /// <summary>The configuration's descriptor.</summary>
    public required int ConfigFd { get; init; }

    /// <summary>Descriptors (3 and above) the process gets, under the same numbers; all others stay behind.</summary>
    public required List<int> KeptFds { get; init; }

    /// <summary>What becomes its standard error; -1 for /dev/null.</summary>
    public int StderrFd { get; init; } = -1;

    /// <summary>Namespaces it gets of its own.</summary>
    public required ulong CloneFlags { get; init; }

    /// <summary>Namespaces it joins: a descriptor and its CLONE_NEW* type.</summary>
    public List<(int Fd, ulong Type)> Joined { get; } = [];

    /// <summary>The ids of its new user namespace; null when it stays in ours.</summary>
    public UserMapping? Mapping { get; init; }

    /// <summary>Starts the process.</summary>
    /// <returns>Its PID.</returns>
    /// <exception cref="RunscException">The host refused; nothing is left behind.</exception>
    public int Start()
    {
        int devNull = HostCalls.Openat(AtFdcwd, "/dev/null\0"u8, ORdwr | OCloexec, 0).OrThrow("open /dev/null").Int;
        try
        {
            using HostChild script = new();
            _ = script.Setsid().PlaceFd(devNull, 0).PlaceFd(devNull, 1).PlaceFd(StderrFd >= 0 ? StderrFd : devNull, 2);
            foreach ((int fd, ulong type) in Joined)
            {
                _ = script.Setns(fd, (int)type);
            }

            return Mapping is { NeedsHelper: true } ? StartMapped(script) : StartPlain(script);
        }
        finally
        {
            _ = HostCalls.Close(devNull);
        }
    }

    private int StartPlain(HostChild script)
    {
        List<int> kept = [ConfigFd, .. KeptFds];
        int free = Keep(script, kept);
        if (Mapping is { } map)
        {
            _ = script.WriteFile("/proc/self/setgroups", "deny", free)
                .WriteFile("/proc/self/uid_map", map.SingleUid, free)
                .WriteFile("/proc/self/gid_map", map.SingleGid, free);
        }

        Exec(script);
        HostResult pid = script.Spawn(CloneFlags);
        return pid.IsError ? throw Refused(script) : pid.Int;
    }

    /// <summary>The child waits on a pipe while newuidmap and newgidmap write its maps.</summary>
    private int StartMapped(HostChild script)
    {
        FdPair pipe = default;
        HostCalls.Pipe2(ref pipe, OCloexec).OrThrow("pipe2");
        List<int> kept = [ConfigFd, pipe.First, .. KeptFds];
        _ = Keep(script, kept);
        _ = script.AwaitByte(pipe.First).Call("close", 3, pipe.First);
        Exec(script);
        HostResult pid = script.SpawnCopied(CloneFlags);
        _ = HostCalls.Close(pipe.First);
        try
        {
            if (pid.IsError)
            {
                throw Refused(script);
            }

            Mapping!.Write(pid.Int);
            HostCalls.Write(pipe.Second, "x"u8).OrThrow("release the child");
            return pid.Int;
        }
        catch
        {
            if (!pid.IsError)
            {
                _ = HostCalls.Kill(pid.Int, 9);
                int status = 0;
                _ = HostCalls.Wait4(pid.Int, ref status, 0);
            }

            throw;
        }
        finally
        {
            _ = HostCalls.Close(pipe.Second);
        }
    }

    /// <summary>Closes all but the kept descriptors; returns the lowest free one.</summary>
    private static int Keep(HostChild script, List<int> kept)
    {
        kept.Sort();
        int free = -1;
        int next = 3;
        foreach (int fd in kept)
        {
            if (fd > next)
            {
                _ = script.Call("close_range", 436, next, fd - 1, 0);
                free = free < 0 ? next : free;
            }

            _ = script.PlaceFd(fd, fd);
            next = fd + 1;
        }

        _ = script.CloseFrom(next);
        return free < 0 ? next : free;
    }

    private void Exec(HostChild script)
    {
        List<string> environment = [];
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
        {
            // Settings of the runtime that runs us; nothing else of the caller's environment goes in.
            if (entry.Key is string key && key.StartsWith("DOTNET_", StringComparison.Ordinal))
            {
                environment.Add($"{key}={entry.Value}");
            }
        }

        string fd = string.Create(CultureInfo.InvariantCulture, $"{ChildEntry.ConfigArgument}{ConfigFd}");
        _ = script.Exec("/proc/self/exe", [Subcommand == "boot" ? "runsc-sandbox" : "runsc-gofer", Subcommand, fd, Id], environment);
    }

    private RunscException Refused(HostChild script)
    {
        string what = script.FailedStep ?? "start";
        string hint = (CloneFlags & Sandbox.CloneFlags.NewUser) != 0 && what is "clone" or "write /proc/self/uid_map"
            ? "; without root a user namespace is needed, and this host does not allow one (see /proc/sys/user/max_user_namespaces, kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)"
            : script.FailedError == HostErrno.EPERM ? "; the namespaces of a sandbox need root (CAP_SYS_ADMIN) or --rootless" : "";
        return new RunscException($"cannot start the {Subcommand} process: {what}: {script.FailedError}{hint}");
    }
}
