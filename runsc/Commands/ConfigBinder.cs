// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Host;
using CVisor.Runsc.Cli;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Commands;

/// <summary>Makes a <see cref="RuntimeConfig"/> of the global flags.</summary>
public static class ConfigBinder
{
    private const string AnnotationPrefix = "dev.gvisor.flag.";

    /// <summary>Binds flags.</summary>
    /// <exception cref="RunscException">A value is wrong, or two flags exclude each other.</exception>
    public static RuntimeConfig Bind(ParsedFlags flags)
    {
        Overlay2 overlay = flags.Boolean("overlay")
            ? new Overlay2(OverlayScope.All, OverlayMedium.Memory)
            : Overlay2.Parse(flags.Text("overlay2"))
                ?? throw new RunscException($"invalid value \"{flags.Text("overlay2")}\" for flag --overlay2: must be none or {{root|all}}:{{memory|self|dir=/path}}[,size=N]");
        bool isRootShared = flags.Text("file-access") == "shared";
        if (isRootShared && overlay.Scope != OverlayScope.None && flags.IsSet("overlay2"))
        {
            throw new RunscException("--file-access=shared and --overlay2 exclude each other: nobody outside sees what an overlay holds; give --overlay2=none");
        }

        long logSize = flags.Integer("strace-log-size");
        return new RuntimeConfig
        {
            Root = flags.Text("root") is { Length: > 0 } root ? CommandContext.FullPath(root) : DefaultRoot(),
            Log = flags.Text("log"),
            DebugLog = flags.Text("debug-log"),
            Debug = flags.Boolean("debug"),
            DebugLogFormat = flags.Text("debug-log-format"),
            DebugCommand = flags.Text("debug-command"),
            PanicLog = flags.Text("panic-log"),
            AlsoLogToStderr = flags.Boolean("alsologtostderr"),
            Strace = flags.Boolean("strace"),
            StraceSyscalls = flags.Text("strace-syscalls"),
            StraceLogSizeBytes = logSize is >= 0 and <= 1 << 20 ? (int)logSize : throw new RunscException("--strace-log-size must be between 0 and 1048576"),
            Platform = flags.Text("platform"),
            Network = flags.Text("network"),
            NetRaw = flags.Boolean("net-raw"),
            RootShared = isRootShared,
            MountsShared = flags.Text("file-access-mounts") == "shared",
            Overlay = isRootShared ? Overlay2.Off : overlay,
            DirectFs = flags.Boolean("directfs"),
            HostUds = flags.Text("host-uds"),
            HostFifo = flags.Text("host-fifo"),
            WatchdogAction = flags.Text("watchdog-action"),
            IgnoreCgroups = flags.Boolean("ignore-cgroups"),
            SystemdCgroup = flags.Boolean("systemd-cgroup"),
            Rootless = flags.Boolean("rootless"),
            AllowSuid = flags.Boolean("allow-suid"),
            OciSeccomp = flags.Boolean("oci-seccomp"),
            CpuNumFromQuota = flags.Boolean("cpu-num-from-quota"),
            AllowFlagOverride = flags.Boolean("allow-flag-override"),
        };
    }

    /// <summary>Applies a bundle's <c>dev.gvisor.flag.NAME</c> annotations to the flags and binds them again.</summary>
    /// <remarks>
    /// The author of a bundle is trusted less than the host's owner: without --allow-flag-override only flags that
    /// weaken nothing may be set, and an overlay may not name a directory.
    /// </remarks>
    public static RuntimeConfig BindWithAnnotations(ParsedFlags flags, RuntimeConfig config, Dictionary<string, string>? annotations)
    {
        bool isChanged = false;
        foreach ((string key, string value) in annotations ?? [])
        {
            if (!key.StartsWith(AnnotationPrefix, StringComparison.Ordinal))
            {
                continue;
            }

            string name = key[AnnotationPrefix.Length..];
            FlagDefinition definition = flags.Find(name) ?? throw new RunscException($"config.json: annotations.{key}: there is no flag --{name}");
            bool isAllowed = config.AllowFlagOverride || (definition.Overridable && (name != "overlay2" || !value.Contains("dir=", StringComparison.Ordinal)));
            if (!isAllowed)
            {
                throw new RunscException($"config.json: annotations.{key}: the flag may not be set by a bundle; --allow-flag-override allows it");
            }

            if (flags.Set(definition, value) is { } complaint)
            {
                throw new RunscException($"config.json: annotations.{key}: {complaint}");
            }

            isChanged = true;
        }

        return isChanged ? Bind(flags) : config;
    }

    private static string DefaultRoot() =>
        Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR") is { Length: > 0 } runtime && HostCalls.Geteuid().Value != 0 ? runtime + "/runsc"
        : HostCalls.Geteuid().Value == 0 ? "/var/run/runsc"
        : $"/tmp/runsc-{HostCalls.Geteuid().Value}";
}
