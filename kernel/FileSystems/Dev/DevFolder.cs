// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Tmpfs;

namespace CVisor.FileSystems.Dev;

/// <summary>A container's /dev: a tmpfs that holds what the OCI runtime specification asks for ("Default Devices", "Dev symbolic links").</summary>
public static class DevFolder
{
    private static readonly (string Name, uint Major, uint Minor)[] s_devices =
    [
        ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
    ];

    private static readonly (string Name, string Target)[] s_links =
    [
        ("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2"),
    ];

    /// <summary>Makes the file system.</summary>
    /// <param name="memory">Where its pages come from.</param>
    /// <param name="options">Of the tmpfs.</param>
    /// <returns>None and the file system, or why an entry could not be made (ENOSPC with a small nr_inodes).</returns>
    public static Errno Make(SandboxMemory memory, TmpfsOptions options, out FileSystem fileSystem)
    {
        TmpfsFileSystem files = new(memory, options);
        fileSystem = files;
        VfsPath root = new(files.InternalMount, files.RootDentry);
        OperationContext kernel = OperationContext.Kernel;
        foreach ((string name, uint major, uint minor) in s_devices)
        {
            Errno error = VirtualFileSystem.MakeNode(kernel, root, root, name, (uint)FileType.CharacterDevice | 0x1b6, DeviceNumber.Make(major, minor));
            if (error != Errno.None)
            {
                return error;
            }
        }

        foreach ((string name, string target) in s_links)
        {
            Errno error = VirtualFileSystem.MakeSymlink(kernel, root, root, name, target);
            if (error != Errno.None)
            {
                return error;
            }
        }

        Errno made = VirtualFileSystem.MakeDirectory(kernel, root, root, "pts", 0x1ed);
        return made != Errno.None ? made : VirtualFileSystem.MakeDirectory(kernel, root, root, "shm", ModeBits.Sticky | 0x1ff);
    }
}
