// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Namespaces;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Tmpfs;
using CVisor.Runsc.Control;

namespace CVisor.Runsc.Boot;

/// <summary>What a container's specification changes in a kernel that is set up: names, hidden and read-only paths, sysctls.</summary>
internal static class ContainerSettings
{
    private const uint EmptyDirectoryMode = 0x16d; // r-xr-xr-x
    private const int MaxNameBytes = 64; // __NEW_UTS_LEN

    internal static void Apply(Kernel kernel, BootConfig config, MountNamespace mounts, SentryLog log)
    {
        UtsNamespace names = kernel.InitialNamespaces.Uts;
        if (config.Hostname.Length > 0)
        {
            names.HostName = CheckName("hostname", config.Hostname);
        }

        if (config.Domainname.Length > 0)
        {
            names.DomainName = CheckName("domainname", config.Domainname);
        }

        VfsPath root = mounts.Root.RootPath;
        foreach (BootSetting setting in config.Sysctls)
        {
            SetSysctl(names, root, setting, log);
        }

        // Read-only ones may hold masked ones: those come second.
        foreach (string path in config.ReadonlyPaths)
        {
            MakeReadOnly(mounts, root, path);
        }

        foreach (string path in config.MaskedPaths)
        {
            Mask(kernel, mounts, root, path);
        }
    }

    private static string CheckName(string field, string name) =>
        name.Length <= MaxNameBytes ? name : throw new BootException($"config.json: {field}: longer than {MaxNameBytes} bytes");

    private static void SetSysctl(UtsNamespace names, VfsPath root, BootSetting setting, SentryLog log)
    {
        switch (setting.Name)
        {
            case "kernel.hostname":
                names.HostName = CheckName("linux.sysctl.kernel.hostname", setting.Value);
                return;
            case "kernel.domainname":
                names.DomainName = CheckName("linux.sysctl.kernel.domainname", setting.Value);
                return;
        }

        // As sysctl(8): dots are slashes and the reverse.
        char[] path = setting.Name.ToCharArray();
        for (int i = 0; i < path.Length; i++)
        {
            path[i] = path[i] switch { '.' => '/', '/' => '.', char other => other };
        }

        Errno error = Write(root, "/proc/sys/" + new string(path), setting.Value + "\n");
        if (error != Errno.None)
        {
            // Docker sets some in every container, so a kernel that has no such switch must not refuse to start.
            log.Info($"config.json: linux.sysctl.{setting.Name}: not set: {error}");
        }
    }

    private static Errno Write(VfsPath root, string path, string text)
    {
        Blocking<OpenResult> opening = VirtualFileSystem.Open(OperationContext.Kernel, root, root, path, OpenFlags.WriteOnly);
        if (!opening.IsCompleted)
        {
            return Errno.EINVAL;
        }

        OpenResult opened = opening.Take();
        if (opened.Description is not { } file)
        {
            return opened.Error;
        }

        IoBuffer buffer = new(KernelString.ToBytes(text));
        IoResult written = file.Write(null, ref buffer);
        file.Unreference();
        return written.Error;
    }

    private static void MakeReadOnly(MountNamespace mounts, VfsPath root, string path)
    {
        if (!Find(root, path, out VfsPath place))
        {
            return;
        }

        Mount copy = MountNamespace.Bind(place);
        Errno error = mounts.Attach(copy, place);
        if (error == Errno.None)
        {
            mounts.AttachCopies(place, copy);
            mounts.SetFlags(copy, copy.Flags | MountFlags.ReadOnly);
        }

        place.Unreference();
        Check(error, "readonlyPaths", path);
    }

    private static void Mask(Kernel kernel, MountNamespace mounts, VfsPath root, string path)
    {
        if (!Find(root, path, out VfsPath place))
        {
            return;
        }

        Errno error;
        if (place.Dentry!.IsDirectory)
        {
            TmpfsFileSystem empty = new(kernel.Memory, new TmpfsOptions { RootMode = EmptyDirectoryMode });
            error = mounts.Attach(new Mount(empty, MountFlags.ReadOnly, "tmpfs"), place);
        }
        else
        {
            error = MaskFile(mounts, root, place);
        }

        place.Unreference();
        Check(error, "maskedPaths", path);
    }

    private static Errno MaskFile(MountNamespace mounts, VfsPath root, VfsPath place)
    {
        Errno error = VirtualFileSystem.Resolve(OperationContext.Kernel, root, root, "/dev/null", WalkFlags.None, out VfsPath nothing);
        if (error != Errno.None)
        {
            return error;
        }

        error = mounts.Attach(MountNamespace.Bind(nothing), place);
        nothing.Unreference();
        return error;
    }

    /// <summary>Finds a path; what does not exist needs neither mask nor lock.</summary>
    private static bool Find(VfsPath root, string path, out VfsPath place) =>
        VirtualFileSystem.Resolve(OperationContext.Kernel, root, root, path, WalkFlags.None, out place) == Errno.None;

    private static void Check(Errno error, string field, string path)
    {
        if (error != Errno.None)
        {
            throw new BootException($"config.json: linux.{field}: {GuestText.ToText(path)}: {error}");
        }
    }
}
