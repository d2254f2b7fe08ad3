// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>Turns a spec's root and mounts into a <see cref="MountPlan"/>.</summary>
public static class MountPlanner
{
    /// <summary>Plans the mounts of a validated spec.</summary>
    /// <param name="spec">The spec.</param>
    /// <param name="bundle">The bundle's absolute path; relative sources start there.</param>
    /// <param name="config">The overlay and file access flags.</param>
    public static MountPlan Plan(OciSpec spec, string bundle, RuntimeConfig config)
    {
        MountPlan plan = new();
        string rootfs = Path.GetFullPath(spec.Root!.Path!, bundle);
        string file = Path.Combine(bundle, "config.json");
        if (!Directory.Exists(rootfs))
        {
            throw new RunscException($"{file}: root.path: {rootfs} is no directory");
        }

        AddTree(plan, new BootMount { Destination = "/", Kind = BootMountKind.Gofer, ReadOnly = spec.Root.Readonly, Exclusive = !config.RootShared }, rootfs, true, config, isRoot: true);
        OciMount[] mounts = spec.Mounts ?? [];
        AddMandatory(plan, mounts);
        for (int i = 0; i < mounts.Length; i++)
        {
            Add(plan, mounts[i], file, i, bundle, config);
        }

        return plan;
    }

    /// <summary>What every container has, mounted first unless the spec mounts it itself.</summary>
    private static void AddMandatory(MountPlan plan, OciMount[] mounts)
    {
        ReadOnlySpan<(string Path, BootMountKind Kind, string[] Options)> wanted =
        [
            ("/proc", BootMountKind.Proc, []),
            ("/sys", BootMountKind.Sysfs, []),
            ("/dev", BootMountKind.Dev, []),
            ("/dev/pts", BootMountKind.Devpts, ["gid=5", "mode=620", "ptmxmode=666"]),
            ("/dev/shm", BootMountKind.Tmpfs, ["mode=1777"]),
        ];
        foreach ((string path, BootMountKind kind, string[] options) in wanted)
        {
            if (!Array.Exists(mounts, mount => Normalize(mount.Destination!) == path))
            {
                plan.Mounts.Add(new BootMount
                {
                    Destination = path,
                    Kind = kind,
                    Options = options,
                    Source = SourceName(kind),
                    NoSuid = true,
                    NoExec = kind is not (BootMountKind.Tmpfs or BootMountKind.Dev),
                    ReadOnly = kind == BootMountKind.Sysfs,
                });
            }
        }
    }

    private static void Add(MountPlan plan, OciMount mount, string file, int index, string bundle, RuntimeConfig config)
    {
        MountOptions options = MountOptions.Parse(mount.Options);
        string destination = Normalize(mount.Destination!);
        string name = string.Create(CultureInfo.InvariantCulture, $"mounts[{index}]");
        BootMount boot = new()
        {
            Destination = GuestText.FromText(destination),
            Kind = BootMountKind.Gofer,
            ReadOnly = options.ReadOnly,
            NoSuid = options.NoSuid,
            NoDev = options.NoDev,
            NoExec = options.NoExec,
            NoAtime = options.NoAtime,
            Options = GuestText.FromText([.. options.Data]),
        };
        if (MountOptions.IsBind(mount))
        {
            string source = Path.GetFullPath(mount.Source!, bundle);
            bool isDirectory = Directory.Exists(source);
            if (!isDirectory && !Path.Exists(source))
            {
                throw new RunscException($"{file}: {name}.source: {source}: no such file or directory");
            }

            AddTree(plan, boot with { IsFile = !isDirectory, Exclusive = !config.MountsShared, Options = [] }, source, options.Recursive, config, isRoot: false);
            return;
        }

        BootMountKind? kind = mount.Type switch
        {
            // The sentry's own /dev stands in for the empty tmpfs that runc fills with device nodes.
            "tmpfs" when destination == "/dev" => BootMountKind.Dev,
            "tmpfs" => BootMountKind.Tmpfs,
            "devtmpfs" => BootMountKind.Dev,
            "proc" => BootMountKind.Proc,
            "sysfs" => BootMountKind.Sysfs,
            "devpts" => BootMountKind.Devpts,
            "mqueue" => BootMountKind.Mqueue,
            "cgroup" or "cgroup2" => BootMountKind.Cgroup,
            _ => null,
        };
        if (kind is null)
        {
            plan.Warnings.Add($"{file}: {name}.type: \"{mount.Type}\" is not a file system of this kernel; the mount is left out");
            return;
        }

        plan.Mounts.Add(boot with { Kind = kind.Value, Source = string.IsNullOrEmpty(mount.Source) ? SourceName(kind.Value) : GuestText.FromText(mount.Source) });
    }

    private static void AddTree(MountPlan plan, BootMount mount, string source, bool recursive, RuntimeConfig config, bool isRoot)
    {
        bool isOverlaid = !mount.ReadOnly && !mount.IsFile && (config.Overlay.Scope == OverlayScope.All || (isRoot && config.Overlay.Scope == OverlayScope.Root));
        BootOverlay overlay = !isOverlaid ? BootOverlay.None : config.Overlay.Medium == OverlayMedium.Memory ? BootOverlay.Memory : BootOverlay.Filestore;
        string? filestore = overlay != BootOverlay.Filestore ? null : config.Overlay.Medium == OverlayMedium.Directory ? config.Overlay.Directory : source;
        plan.Mounts.Add(mount with
        {
            GoferIndex = plan.Trees.Count,
            Overlay = overlay,
            OverlaySizeBytes = config.Overlay.SizeBytes,
            Source = isRoot ? "none" : GuestText.FromText(source),
        });

        // Under an overlay nothing reaches the host's files, so the gofer need not be able to write them.
        plan.Trees.Add(new PlannedTree(source, mount.ReadOnly || isOverlaid, recursive, filestore));
    }

    private static string SourceName(BootMountKind kind) => kind switch
    {
        BootMountKind.Proc => "proc",
        BootMountKind.Sysfs => "sysfs",
        BootMountKind.Dev => "devtmpfs",
        BootMountKind.Devpts => "devpts",
        BootMountKind.Mqueue => "mqueue",
        BootMountKind.Cgroup => "cgroup",
        BootMountKind.Tmpfs => "tmpfs",
        _ => "none",
    };

    /// <summary>An absolute path without ".", ".." and doubled slashes.</summary>
    private static string Normalize(string path)
    {
        List<string> parts = [];
        foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part is not ("." or ".."))
            {
                parts.Add(part);
            }
        }

        return "/" + string.Join('/', parts);
    }
}
