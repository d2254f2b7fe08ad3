// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Proc;
using CVisor.FileSystems.Sys;
using CVisor.FileSystems.Terminals;
using CVisor.FileSystems.Tmpfs;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems;

/// <summary>Makes a file system for mount(2).</summary>
/// <param name="task">Who mounts it.</param>
/// <param name="options">The comma-separated options that are the file system's own.</param>
/// <param name="fileSystem">The file system.</param>
/// <returns>None; EINVAL for options that it does not know; EPERM.</returns>
public delegate Errno FileSystemMaker(Task task, string options, out FileSystem? fileSystem);

/// <summary>The types that guests can mount, by their names.</summary>
public static class MountableTypes
{
    private static readonly Lock s_lock = new();
    private static volatile Dictionary<string, FileSystemMaker> s_makers = new(StringComparer.Ordinal)
    {
        ["tmpfs"] = MakeTmpfs,
        ["ramfs"] = MakeRamfs,
        ["mqueue"] = MakeMqueue,
        ["proc"] = MakeProc,
        ["sysfs"] = MakeSys,
        ["devpts"] = MakeDevpts,
    };

    /// <summary>Adds a type, or replaces it.</summary>
    public static void Register(string typeName, FileSystemMaker maker)
    {
        lock (s_lock)
        {
            s_makers = new Dictionary<string, FileSystemMaker>(s_makers, StringComparer.Ordinal) { [typeName] = maker };
        }
    }

    /// <summary>Whether there is such a type.</summary>
    public static bool IsKnown(string typeName) => s_makers.ContainsKey(typeName);

    /// <summary>Makes a file system; ENODEV when there is no such type.</summary>
    public static Errno Make(string typeName, Task task, string options, out FileSystem? fileSystem)
    {
        fileSystem = null;
        return s_makers.TryGetValue(typeName, out FileSystemMaker? maker) ? maker(task, options, out fileSystem) : Errno.ENODEV;
    }

    private static Errno MakeTmpfs(Task task, string options, out FileSystem? fileSystem)
    {
        TmpfsOptions defaults = new() { RootUid = task.Credentials.FileUid, RootGid = task.Credentials.FileGid, DefaultSizeBytes = task.Kernel.TotalMemoryBytes / 2 };
        Errno error = TmpfsOptionText.TryParse(options, task.Kernel.TotalMemoryBytes, defaults, out TmpfsOptions parsed);
        fileSystem = error == Errno.None ? new TmpfsFileSystem(task.Kernel.Memory, parsed) : null;
        return error;
    }

    // ramfs takes what it does not know and knows mode= only.
    private static Errno MakeRamfs(Task task, string options, out FileSystem? fileSystem)
    {
        string known = string.Join(',', Array.FindAll(options.Split(','), static option => option.StartsWith("mode=", StringComparison.Ordinal)));
        Errno error = TmpfsOptionText.TryParse(known, 0, new TmpfsOptions { TypeName = "ramfs", RootMode = 0x1ed }, out TmpfsOptions parsed);
        fileSystem = error == Errno.None ? new TmpfsFileSystem(task.Kernel.Memory, parsed) : null;
        return error;
    }

    private static Errno MakeMqueue(Task task, string options, out FileSystem? fileSystem)
    {
        fileSystem = new TmpfsFileSystem(task.Kernel.Memory, new TmpfsOptions { TypeName = "mqueue", RootMode = 0x3ff });
        return Errno.None;
    }

    private static Errno MakeDevpts(Task task, string options, out FileSystem? fileSystem)
    {
        Errno error = DevptsOptions.TryParse(options, out DevptsOptions parsed);
        fileSystem = error == Errno.None ? new DevptsFileSystem(task.Kernel.Tasks, parsed) : null;
        return error;
    }

    private static Errno MakeProc(Task task, string options, out FileSystem? fileSystem)
    {
        fileSystem = new ProcFileSystem(task.Kernel, task.PidNamespace, task.Kernel.ProcessorCount, task.Kernel.TotalMemoryBytes);
        return Errno.None;
    }

    private static Errno MakeSys(Task task, string options, out FileSystem? fileSystem)
    {
        fileSystem = new SysFileSystem(task.Kernel.ProcessorCount);
        return Errno.None;
    }
}
