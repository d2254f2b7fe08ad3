// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Dev;

/// <summary>The devices of this kernel, by number (Linux's admin-guide/devices.txt). Their nodes may lie in any file system.</summary>
public static class Devices
{
    /// <summary>The memory devices' major number.</summary>
    internal const uint MemoryMajor = 1;

    /// <summary>Makes the devices' nodes open.</summary>
    public static void Register()
    {
        RegisterMemory(3, static (path, flags) => new NullDescription(path, flags));
        RegisterMemory(5, static (path, flags) => new ZeroDescription(path, flags));
        RegisterMemory(7, static (path, flags) => new FullDescription(path, flags));
        RegisterMemory(8, static (path, flags) => new RandomDescription(path, flags));
        RegisterMemory(9, static (path, flags) => new RandomDescription(path, flags));
    }

    private static void RegisterMemory(uint minor, Func<VfsPath, OpenFlags, FileDescription> make) =>
        SpecialFiles.Register(FileType.CharacterDevice, MemoryMajor, minor, (_, _, path, flags) => (OpenResult)make(path, flags));
}
