// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Linq;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Dev;
using CVisor.FileSystems.Gofer;
using CVisor.FileSystems.Overlay;
using CVisor.FileSystems.Proc;
using CVisor.FileSystems.Sys;
using CVisor.FileSystems.Terminals;
using CVisor.FileSystems.Tmpfs;
using CVisor.Runsc.Control;

namespace CVisor.Runsc.Boot;

/// <summary>Makes the container's mount namespace from the configuration.</summary>
internal static class MountBuilder
{
    internal static MountNamespace Build(Kernel kernel, BootConfig config, SentryLog log)
    {
        Devices.Register();
        DevptsFileSystem.Register();
        MountNamespace? mounts = null;
        List<Mount> readOnly = [];
        List<GoferFileSystem> trees = [];
        foreach (BootMount description in InOrder(config.Mounts))
        {
            if (MakeFileSystem(kernel, config, description) is not { } fileSystem)
            {
                log.Info($"mount {description.Destination}: file system {description.Kind} is not part of this build; left out");
                continue;
            }

            if (fileSystem is GoferFileSystem tree)
            {
                trees.Add(tree);
            }

            // Mount points below may have to be made: read-only comes last.
            MountFlags flags = FlagsOf(description) | (config.Flags.AllowSuid ? MountFlags.None : MountFlags.NoSetId);
            Mount mount = new(fileSystem, fileSystem.RootDentry, flags & ~MountFlags.ReadOnly, description.Source);
            if ((flags & MountFlags.ReadOnly) != 0)
            {
                readOnly.Add(mount);
            }

            if (mounts is null)
            {
                if (description.Destination != "/")
                {
                    throw new BootException($"the first mount must be \"/\", not \"{GuestText.ToText(description.Destination)}\"");
                }

                mounts = new MountNamespace(mount);
                continue;
            }

            Attach(mounts, mount, description, log);
        }

        if (mounts is not null)
        {
            DeviceNodes.Make(mounts.Root.RootPath, config.Devices);
        }

        trees.ForEach(static tree => tree.MakesMountPoints = false);
        foreach (Mount mount in readOnly)
        {
            mounts?.SetFlags(mount, mount.Flags | MountFlags.ReadOnly);
        }

        return mounts ?? throw new BootException("the container has no root mount");
    }

    /// <summary>A mount comes before those below it; the order given holds for the rest.</summary>
    private static IEnumerable<BootMount> InOrder(IEnumerable<BootMount> mounts) =>
        mounts.OrderBy(static mount => mount.Destination.Split('/', StringSplitOptions.RemoveEmptyEntries).Length);

    private static void Attach(MountNamespace mounts, Mount mount, BootMount description, SentryLog log)
    {
        VfsPath root = new(mounts.Root, mounts.Root.Root);
        Errno error = VirtualFileSystem.Resolve(OperationContext.Kernel, root, root, description.Destination, WalkFlags.None, out VfsPath place);
        if (error == Errno.ENOENT)
        {
            MakeMountPoint(root, description);
            error = VirtualFileSystem.Resolve(OperationContext.Kernel, root, root, description.Destination, WalkFlags.None, out place);
        }

        if (error == Errno.None)
        {
            error = mounts.Attach(mount, place);
            place.Unreference();
        }

        if (error != Errno.None)
        {
            throw new BootException($"mount {GuestText.ToText(description.Destination)}: {error}");
        }

        log.Debug($"mounted {description.Kind} at {description.Destination}");
    }

    private static void MakeMountPoint(VfsPath root, BootMount description)
    {
        string[] parts = description.Destination.Split('/', StringSplitOptions.RemoveEmptyEntries);
        string path = "";
        for (int i = 0; i < parts.Length; i++)
        {
            path += "/" + parts[i];
            bool isFile = i == parts.Length - 1 && description.IsFile;
            Errno error = isFile
                ? VirtualFileSystem.MakeNode(OperationContext.Kernel, root, root, path, (uint)FileType.Regular | 0x1a4, 0)
                : VirtualFileSystem.MakeDirectory(OperationContext.Kernel, root, root, path, 0x1ed);
            if (error is not (Errno.None or Errno.EEXIST))
            {
                throw new BootException($"make the mount point {GuestText.ToText(path)}: {error}");
            }
        }
    }

    private static FileSystem? MakeFileSystem(Kernel kernel, BootConfig config, BootMount description)
    {
        switch (description.Kind)
        {
            case BootMountKind.Gofer:
                int socket = config.Fds.GoferSockets[description.GoferIndex];
                Errno error = GoferFileSystem.Attach(socket, description.Exclusive ? GoferSharing.Exclusive : GoferSharing.Shared, config.Flags.DirectFs, out GoferFileSystem? files);
                if (error != Errno.None)
                {
                    throw new BootException($"connect to the gofer for {GuestText.ToText(description.Destination)}: {error}");
                }

                // Mount points that the tree lacks are made in memory, here or in the upper layer.
                files!.MakesMountPoints = description.Overlay == BootOverlay.None;
                return description.Overlay == BootOverlay.None || description.IsFile
                    ? files
                    : new OverlayFileSystem(files, new TmpfsFileSystem(description.FilestoreFd >= 0 ? SandboxMemory.Adopt(description.FilestoreFd) : kernel.Memory, new TmpfsOptions { SizeLimitBytes = (ulong)Math.Max(0, description.OverlaySizeBytes) }));
            case BootMountKind.Tmpfs:
                return new TmpfsFileSystem(kernel.Memory, TmpfsOptionsOf(description, kernel));
            case BootMountKind.Dev:
                TmpfsOptions options = TmpfsOptionsOf(description, kernel) with { TypeName = description.Source == "tmpfs" ? "tmpfs" : "devtmpfs" };
                options = Array.Exists(description.Options, static option => option.StartsWith("mode=", StringComparison.Ordinal)) ? options : options with { RootMode = 0x1ed };
                error = DevFolder.Make(kernel.Memory, options, out FileSystem devices);
                return error == Errno.None ? devices : throw new BootException($"fill {GuestText.ToText(description.Destination)}: {error}");
            case BootMountKind.Devpts:
                return new DevptsFileSystem(kernel.Tasks, DevptsOptionsOf(description));
            case BootMountKind.Mqueue or BootMountKind.Cgroup:
                return new TmpfsFileSystem(kernel.Memory, new TmpfsOptions { TypeName = description.Kind == BootMountKind.Mqueue ? "mqueue" : "cgroup", RootMode = 0x3ff });
            case BootMountKind.Proc:
                return new ProcFileSystem(kernel, kernel.Tasks.RootPids, kernel.ProcessorCount, kernel.TotalMemoryBytes);
            case BootMountKind.Sysfs:
                return new SysFileSystem(kernel.ProcessorCount);
            default:
                return null;
        }
    }

    private static TmpfsOptions TmpfsOptionsOf(BootMount description, Kernel kernel)
    {
        TmpfsOptions options = new() { DefaultSizeBytes = kernel.TotalMemoryBytes / 2 };
        foreach (string option in description.Options)
        {
            string value = option[(option.IndexOf('=', StringComparison.Ordinal) + 1)..];
            options = option switch
            {
                _ when option.StartsWith("mode=", StringComparison.Ordinal) => options with { RootMode = Convert.ToUInt32(value, 8) & 0xfff },
                _ when option.StartsWith("uid=", StringComparison.Ordinal) => options with { RootUid = uint.Parse(value, CultureInfo.InvariantCulture) },
                _ when option.StartsWith("gid=", StringComparison.Ordinal) => options with { RootGid = uint.Parse(value, CultureInfo.InvariantCulture) },
                _ when option.StartsWith("size=", StringComparison.Ordinal) => options with { SizeLimitBytes = ParseSize(value), DefaultSizeBytes = 0 },
                _ => options,
            };
        }

        return options;
    }

    private static DevptsOptions DevptsOptionsOf(BootMount description)
    {
        Errno error = DevptsOptions.TryParse(string.Join(',', description.Options), out DevptsOptions options);
        return error == Errno.None ? options : throw new BootException($"mount {GuestText.ToText(description.Destination)}: unknown options {string.Join(',', description.Options)}");
    }

    private static ulong ParseSize(string value)
    {
        int shift = value.Length == 0 ? 0 : char.ToLowerInvariant(value[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, _ => 0 };
        return ulong.TryParse(shift == 0 ? value : value[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong size) && size < 1UL << 33 ? size << shift : 0;
    }

    private static MountFlags FlagsOf(BootMount description) =>
        (description.ReadOnly ? MountFlags.ReadOnly : 0) | (description.NoSuid ? MountFlags.NoSetId : 0) | (description.NoDev ? MountFlags.NoDevices : 0) |
        (description.NoExec ? MountFlags.NoExecute : 0) | (description.NoAtime ? MountFlags.NoAccessTime : MountFlags.RelativeAccessTime);
}
