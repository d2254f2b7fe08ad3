// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using CVisor.Host;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>Makes containers.</summary>
public static class ContainerFactory
{
    /// <summary>Makes a container, and starts its process when <see cref="CreateOptions.Start"/> says so.</summary>
    /// <param name="store">The state directory.</param>
    /// <param name="options">What it is made from.</param>
    /// <param name="launched">Its processes, our children; the caller waits for them or lets them be.</param>
    /// <exception cref="RunscException">It could not be made; nothing is left behind.</exception>
    public static Container Create(StateStore store, CreateOptions options, out LaunchedSandbox launched)
    {
        StateStore.CheckId(options.Id);
        store.EnsureRoot();
        using StateLock held = store.Lock(options.Id);
        if (store.Exists(options.Id))
        {
            throw new RunscException($"container with id exists: {options.Id}");
        }

        // Left by a command that was killed; we hold the lock.
        File.Delete(store.SocketPath(options.Id));
        ContainerCgroup? cgroup = null;
        LaunchedSandbox? processes = null;
        try
        {
            MountPlan mounts = MountPlanner.Plan(options.Spec, options.Bundle, options.Config);
            mounts.Warnings.ForEach(options.Warn);
            WarnIgnored(options);
            bool isMapped = NeedsUserNamespace(options, out UserMapping? mapping);
            if (!options.Config.IgnoreCgroups && !isMapped)
            {
                cgroup = ContainerCgroup.Create(options.Id, options.Spec.Linux, options.Config.SystemdCgroup);
            }

            bool hasCreateHooks = options.Spec.Hooks is { } hooks && (hooks.Prestart is { Length: > 0 } || hooks.CreateRuntime is { Length: > 0 } || hooks.CreateContainer is { Length: > 0 });
            bool startsAtOnce = options.Start && !hasCreateHooks;
            processes = Launch(store, options, mounts, mapping, cgroup, startsAtOnce);
            ContainerState state = NewState(options, processes, cgroup);
            _ = processes.NextReport();
            if (hasCreateHooks)
            {
                OciState hookState = Container.Describe(state, "creating");
                HookRunner.Run(options.Spec.Hooks!.Prestart, "prestart", hookState);
                HookRunner.Run(options.Spec.Hooks.CreateRuntime, "createRuntime", hookState);
                HookRunner.Run(options.Spec.Hooks.CreateContainer, "createContainer", hookState);
            }

            if (startsAtOnce)
            {
                _ = processes.NextReport();
                state = state with { Started = true };
            }

            if (options.PidFile.Length > 0)
            {
                PidFile.Write(options.PidFile, processes.SandboxPid);
            }

            store.Save(state);
            Container container = new(store, state);
            if (options.Start && !startsAtOnce)
            {
                container.StartLocked();
            }

            if (options.Start)
            {
                container.RunPoststart(options.Warn);
            }

            launched = processes;
            return container;
        }
        catch
        {
            processes?.Kill();
            processes?.Dispose();
            if (cgroup is not null)
            {
                ContainerCgroup.Remove(cgroup.Made);
            }

            store.Remove(options.Id);
            throw;
        }
    }

    private static LaunchedSandbox Launch(StateStore store, CreateOptions options, MountPlan mounts, UserMapping? mapping, ContainerCgroup? cgroup, bool startsAtOnce)
    {
        using FdKeeper fds = new();
        OciProcess process = options.Spec.Process!;
        int[] stdio;
        if (options.ConsoleSocket.Length > 0)
        {
            if (!process.Terminal)
            {
                throw new RunscException("--console-socket is given, but process.terminal of config.json is false");
            }

            int slave = Pseudoterminal.Create(options.ConsoleSocket, process.ConsoleSize?.Width ?? 0, process.ConsoleSize?.Height ?? 0, fds);
            stdio = [slave, fds.Copy(slave), fds.Copy(slave)];
        }
        else
        {
            stdio = StandardStreams.Copy(fds);
        }

        List<PassedFd> passed = [];
        foreach (PassedFd one in options.Passed)
        {
            int copy = fds.Copy(one.HostFd);
            passed.Add(copy >= 0 ? new PassedFd(copy, one.GuestFd) : throw new RunscException($"descriptor {one.HostFd} is to be passed on, but it is not open"));
        }

        return SandboxLauncher.Start(new LaunchRequest
        {
            Id = options.Id,
            Spec = options.Spec,
            Process = (options.Process ?? ProcessPlanner.Plan(process, options.Config)) with { Terminal = options.HasTerminal || options.ConsoleSocket.Length > 0 },
            Mounts = mounts,
            Config = options.Config,
            ControlPath = store.SocketPath(options.Id),
            Stdio = stdio,
            Passed = [.. passed],
            Attached = options.Attached,
            StartAtOnce = startsAtOnce,
            DebugLog = OwnLog(fds, DebugLogFile.Open(options.Config, "boot", options.Id)),
            GoferDebugLog = OwnLog(fds, DebugLogFile.Open(options.Config, "gofer", options.Id)),
            PanicLog = options.Config.PanicLog.Length > 0 ? fds.Own(DebugLogFile.OpenAppending(DebugLogFile.Expand(options.Config.PanicLog, "panic", options.Id))) : -1,
            UserLog = options.UserLog.Length > 0 ? fds.Own(DebugLogFile.OpenAppending(options.UserLog)) : -1,
            ExitStatus = fds.Own(store.CreateEndFile(options.Id)),
            Mapping = mapping,
            Started = cgroup is null ? null : cgroup.Join,
        });
    }

    private static int OwnLog(FdKeeper fds, int fd) => fd < 0 ? -1 : fds.Own(fd);

    private static ContainerState NewState(CreateOptions options, LaunchedSandbox processes, ContainerCgroup? cgroup) => new()
    {
        Id = options.Id,
        OciVersion = options.Spec.OciVersion!,
        Bundle = options.Bundle,
        Rootfs = Path.GetFullPath(options.Spec.Root!.Path!, options.Bundle),
        Created = DateTime.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture),
        Owner = UserNames.Of((uint)HostCalls.Geteuid().Int),
        Sandbox = ProcessIdentity.Of(processes.SandboxPid),
        Gofer = ProcessIdentity.Of(processes.GoferPid),
        Process = options.Spec.Process!,
        Hooks = options.Spec.Hooks,
        Annotations = options.Spec.Annotations,
        Cgroups = cgroup?.Made ?? [],
    };

    /// <summary>Whether the processes get a user namespace: without root, or when the spec maps ids.</summary>
    private static bool NeedsUserNamespace(CreateOptions options, out UserMapping? mapping)
    {
        OciLinux? linux = options.Spec.Linux;
        if (HostCalls.Geteuid().Value != 0 || options.Config.Rootless)
        {
            mapping = UserMapping.Rootless();
        }
        else if (linux is { UidMappings.Length: > 0, GidMappings.Length: > 0 })
        {
            mapping = UserMapping.FromSpec(linux.UidMappings, linux.GidMappings);
        }
        else
        {
            mapping = null;
        }

        return HostCalls.Geteuid().Value != 0;
    }

    private static void WarnIgnored(CreateOptions options)
    {
        if (!string.IsNullOrEmpty(options.Spec.Process!.ApparmorProfile))
        {
            options.Warn("process.apparmorProfile is ignored: the sandbox itself confines the container");
        }

        if (options.Spec.Hooks?.StartContainer is { Length: > 0 })
        {
            options.Warn("hooks.startContainer is skipped: it would run inside the sandbox");
        }

        if (options.Spec.Linux?.Seccomp is not null && !options.Config.OciSeccomp)
        {
            options.Warn("linux.seccomp is ignored: the container's system calls do not reach the host (--oci-seccomp enforces it inside)");
        }

        if (options.Config.Network == "sandbox")
        {
            options.Warn("--network=sandbox: only loopback exists inside at present");
        }
    }
}
