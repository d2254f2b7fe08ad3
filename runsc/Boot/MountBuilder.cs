// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Gofer;
using CVisor.FileSystems.Proc;
using CVisor.FileSystems.Sys;
using CVisor.Host;
using CVisor.Runsc.Control;

namespace CVisor.Runsc.Boot;

/// <summary>Makes the container's mount namespace from the configuration.</summary>
internal static class MountBuilder
{
    internal static MountNamespace Build(Kernel kernel, BootConfig config, SentryLog log)
    {
        MountNamespace? mounts = null;
        foreach (BootMount description in config.Mounts)
        {
            if (MakeFileSystem(kernel, config, description) is not { } fileSystem)
            {
                log.Info($"mount {description.Destination}: file system {description.Kind} is not part of this build; left out");
                continue;
            }

            Mount mount = new(fileSystem, fileSystem.RootDentry, FlagsOf(description), description.Source);
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

        return mounts ?? throw new BootException("the container has no root mount");
    }

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
                Errno error = GoferFileSystem.Attach(socket, description.Exclusive ? GoferSharing.Exclusive : GoferSharing.Shared, out GoferFileSystem? files);
                if (error != Errno.None)
                {
                    throw new BootException($"connect to the gofer for {GuestText.ToText(description.Destination)}: {error}");
                }

                return files!;
            case BootMountKind.Proc:
                return new ProcFileSystem(kernel, kernel.Tasks.RootPids, CpuCount(config), TotalMemory(config));
            case BootMountKind.Sysfs:
                return new SysFileSystem(CpuCount(config));
            default:
                return null;
        }
    }

    private static int CpuCount(BootConfig config) => config.CpuCount > 0 ? config.CpuCount : Environment.ProcessorCount;

    private static ulong TotalMemory(BootConfig config)
    {
        if (config.TotalMemoryBytes > 0)
        {
            return (ulong)config.TotalMemoryBytes;
        }

        HostSysinfo info = default;
        _ = HostCalls.Sysinfo(ref info).OrThrow("read the host's memory size");
        return info.TotalRam * info.Unit;
    }

    private static MountFlags FlagsOf(BootMount description) =>
        (description.ReadOnly ? MountFlags.ReadOnly : 0) | (description.NoSuid ? MountFlags.NoSetId : 0) | (description.NoDev ? MountFlags.NoDevices : 0) |
        (description.NoExec ? MountFlags.NoExecute : 0) | (description.NoAtime ? MountFlags.NoAccessTime : MountFlags.RelativeAccessTime);
}
