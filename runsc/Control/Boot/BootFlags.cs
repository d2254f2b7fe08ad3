// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Control;

/// <summary>The runtime's flags that concern the sentry, by gVisor's names and values.</summary>
public sealed record BootFlags
{
    /// <summary>--platform: "ptrace", "systrap" or "kvm".</summary>
    public string Platform { get; init; } = "systrap";

    /// <summary>--debug: write debug lines to the debug log.</summary>
    public bool Debug { get; init; }

    /// <summary>--debug-log-format: "text" or "json".</summary>
    public string DebugLogFormat { get; init; } = "text";

    /// <summary>--alsologtostderr: debug lines go to descriptor 2 as well.</summary>
    public bool AlsoLogToStderr { get; init; }

    /// <summary>--strace: log every system call.</summary>
    public bool Strace { get; init; }

    /// <summary>--strace-syscalls: only these; empty for all.</summary>
    public string[] StraceSyscalls { get; init; } = [];

    /// <summary>--strace-log-size: how many bytes of a buffer are shown.</summary>
    public int StraceLogSizeBytes { get; init; } = 1024;

    /// <summary>--network: "none", "sandbox" or "host".</summary>
    public string Network { get; init; } = "sandbox";

    /// <summary>--net-raw: raw and packet sockets are allowed (CAP_NET_RAW is kept).</summary>
    public bool NetRaw { get; init; }

    /// <summary>--directfs: use descriptors the gofer gives without asking it again.</summary>
    public bool DirectFs { get; init; } = true;

    /// <summary>--host-uds: "none", "open", "create" or "all".</summary>
    public string HostUds { get; init; } = "none";

    /// <summary>--host-fifo: "none" or "open".</summary>
    public string HostFifo { get; init; } = "none";

    /// <summary>--watchdog-action: "log" or "panic".</summary>
    public string WatchdogAction { get; init; } = "log";

    /// <summary>--allow-suid: set-user-ID programs take effect.</summary>
    public bool AllowSuid { get; init; }

    /// <summary>--rootless: runsc had no root rights; the host's identity maps to the guest's.</summary>
    public bool Rootless { get; init; }

    /// <summary>The container is a test's: "--TESTONLY" switches.</summary>
    public string[] TestOnly { get; init; } = [];
}
