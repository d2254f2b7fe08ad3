// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Oci;

/// <summary>The global flags, typed; names and defaults are gVisor's.</summary>
public sealed record RuntimeConfig
{
    /// <summary>--root: the state directory.</summary>
    public required string Root { get; init; }

    /// <summary>--log: where our own failures are appended as JSON lines; empty for nowhere.</summary>
    public string Log { get; init; } = "";

    /// <summary>--debug-log: a file, or with a trailing slash a directory; %TIMESTAMP%, %COMMAND%, %ID%, %CID% are replaced.</summary>
    public string DebugLog { get; init; } = "";

    /// <summary>--debug.</summary>
    public bool Debug { get; init; }

    /// <summary>--debug-log-format: "text", "json" or "json-k8s".</summary>
    public string DebugLogFormat { get; init; } = "text";

    /// <summary>--debug-command: debug logs only for these commands; empty for all.</summary>
    public string DebugCommand { get; init; } = "";

    /// <summary>--panic-log.</summary>
    public string PanicLog { get; init; } = "";

    /// <summary>--alsologtostderr.</summary>
    public bool AlsoLogToStderr { get; init; }

    /// <summary>--strace.</summary>
    public bool Strace { get; init; }

    /// <summary>--strace-syscalls, a comma-separated list; empty for all.</summary>
    public string StraceSyscalls { get; init; } = "";

    /// <summary>--strace-log-size in bytes.</summary>
    public int StraceLogSizeBytes { get; init; } = 1024;

    /// <summary>--platform.</summary>
    public string Platform { get; init; } = "systrap";

    /// <summary>--network.</summary>
    public string Network { get; init; } = "sandbox";

    /// <summary>--net-raw.</summary>
    public bool NetRaw { get; init; }

    /// <summary>--file-access is "shared" instead of "exclusive".</summary>
    public bool RootShared { get; init; }

    /// <summary>--file-access-mounts is "shared" (the default) instead of "exclusive".</summary>
    public bool MountsShared { get; init; } = true;

    /// <summary>--overlay2.</summary>
    public Overlay2 Overlay { get; init; } = Overlay2.Default;

    /// <summary>--directfs.</summary>
    public bool DirectFs { get; init; } = true;

    /// <summary>--host-uds.</summary>
    public string HostUds { get; init; } = "none";

    /// <summary>--host-fifo.</summary>
    public string HostFifo { get; init; } = "none";

    /// <summary>--watchdog-action.</summary>
    public string WatchdogAction { get; init; } = "log";

    /// <summary>--ignore-cgroups.</summary>
    public bool IgnoreCgroups { get; init; }

    /// <summary>--systemd-cgroup.</summary>
    public bool SystemdCgroup { get; init; }

    /// <summary>--rootless.</summary>
    public bool Rootless { get; init; }

    /// <summary>--allow-suid.</summary>
    public bool AllowSuid { get; init; }

    /// <summary>--oci-seccomp.</summary>
    public bool OciSeccomp { get; init; }

    /// <summary>--cpu-num-from-quota.</summary>
    public bool CpuNumFromQuota { get; init; } = true;

    /// <summary>--allow-flag-override: a bundle's annotations may set any flag.</summary>
    public bool AllowFlagOverride { get; init; }
}
