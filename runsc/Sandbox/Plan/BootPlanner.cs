// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.IO;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>Puts together what the sandbox process is told.</summary>
internal static class BootPlanner
{
    /// <summary>Makes the configuration.</summary>
    /// <param name="request">What is started.</param>
    /// <param name="goferSockets">The sandbox's ends.</param>
    /// <param name="control">The listening control socket.</param>
    /// <param name="start">The start pipe's write end.</param>
    /// <param name="fds">Takes over descriptors made here.</param>
    public static BootConfig Plan(LaunchRequest request, int[] goferSockets, int control, int start, FdKeeper fds)
    {
        OciSpec spec = request.Spec;
        RuntimeConfig config = request.Config;
        List<BootMount> mounts = [];
        foreach (BootMount mount in request.Mounts.Mounts)
        {
            mounts.Add(mount.Overlay == BootOverlay.Filestore ? WithFilestore(mount, request.Mounts.Trees[mount.GoferIndex], fds) : mount);
        }

        List<BootSetting> sysctls = [];
        foreach ((string name, string value) in spec.Linux?.Sysctl ?? [])
        {
            sysctls.Add(new BootSetting(name, value));
        }

        return new BootConfig
        {
            ContainerId = request.Id,
            Process = request.Process,
            Mounts = [.. mounts],
            Hostname = GuestText.FromText(string.IsNullOrEmpty(spec.Hostname) ? HostName() : spec.Hostname),
            Domainname = GuestText.FromText(spec.Domainname ?? ""),
            MaskedPaths = GuestText.FromText(spec.Linux?.MaskedPaths ?? []),
            ReadonlyPaths = GuestText.FromText(spec.Linux?.ReadonlyPaths ?? []),
            Sysctls = [.. sysctls],
            Devices = Array.ConvertAll(spec.Linux?.Devices ?? [], PlanDevice),
            Seccomp = config.OciSeccomp && spec.Linux?.Seccomp is { } seccomp ? SeccompPlanner.Plan(seccomp) : null,
            Flags = Flags(config, request.Mapping is not null),
            Fds = new BootFds
            {
                Control = control,
                Start = start,
                Stdio = request.Stdio,
                Passed = request.Passed,
                GoferSockets = goferSockets,
                DebugLog = request.DebugLog,
                PanicLog = request.PanicLog,
                UserLog = request.UserLog,
                ExitStatus = request.ExitStatus,
            },
            Jail = SandboxLauncher.SandboxJail(request),
            CpuCount = config.CpuNumFromQuota ? CpusOfQuota(spec.Linux?.Resources?.Cpu) : 0,
            TotalMemoryBytes = Math.Max(spec.Linux?.Resources?.Memory?.Limit ?? 0, 0),
            StartAtOnce = request.StartAtOnce,
        };
    }

    private static BootDevice PlanDevice(OciDevice device)
    {
        const uint PermissionBits = 0xfff;
        const uint DefaultMode = 0x1b6; // rw-rw-rw-
        bool hasNumber = device.Type != "p";
        return new BootDevice(
            GuestText.FromText(device.Path!),
            device.Type == "u" ? 'c' : device.Type![0],
            hasNumber ? (uint)device.Major : 0,
            hasNumber ? (uint)device.Minor : 0,
            (device.FileMode ?? DefaultMode) & PermissionBits,
            device.Uid ?? 0,
            device.Gid ?? 0);
    }

    /// <summary>A UTS namespace starts with the names of the one it was made in (uts_namespaces(7)).</summary>
    private static string HostName()
    {
        try
        {
            return File.ReadAllText("/proc/sys/kernel/hostname").TrimEnd('\n');
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static BootMount WithFilestore(BootMount mount, PlannedTree tree, FdKeeper fds)
    {
        int fd = SandboxLauncher.OpenFilestore(tree.FilestoreDirectory!);

        // A read-only or too simple file system holds no such file; sandbox memory does as well.
        return fd < 0 ? mount with { Overlay = BootOverlay.Memory } : mount with { FilestoreFd = fds.Own(fd) };
    }

    private static BootFlags Flags(RuntimeConfig config, bool isRootless) => new()
    {
        Platform = config.Platform,
        Debug = config.Debug,
        DebugLogFormat = config.DebugLogFormat,
        AlsoLogToStderr = config.AlsoLogToStderr,
        Strace = config.Strace,
        StraceSyscalls = config.StraceSyscalls.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
        StraceLogSizeBytes = config.StraceLogSizeBytes,
        Network = config.Network,
        NetRaw = config.NetRaw,
        DirectFs = config.DirectFs,
        HostUds = config.HostUds,
        HostFifo = config.HostFifo,
        WatchdogAction = config.WatchdogAction,
        AllowSuid = config.AllowSuid,
        Rootless = isRootless,
    };

    /// <summary>How many CPUs a quota is worth, rounded up; 0 for no quota.</summary>
    private static int CpusOfQuota(OciCpu? cpu)
    {
        if (cpu is not { Quota: > 0, Period: > 0 })
        {
            return 0;
        }

        ulong quota = (ulong)cpu.Quota.Value;
        ulong period = cpu.Period.Value;
        ulong cpus = (quota / period) + (quota % period == 0 ? 0UL : 1UL);
        return (int)Math.Min(cpus, (ulong)Environment.ProcessorCount);
    }
}
