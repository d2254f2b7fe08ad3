// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Tasks;

namespace CVisor.Core.Vfs;

/// <summary>Opens a device or FIFO, whichever file system its node lies in. Holds no state of its own: that is the task's, the inode's or the device object's.</summary>
/// <param name="inode">The node.</param>
/// <param name="context">Who.</param>
/// <param name="path">Where the node was found.</param>
/// <param name="flags">The flags.</param>
/// <returns>The description, with one reference, or an errno.</returns>
public delegate Blocking<OpenResult> SpecialFileOpener(Inode inode, OperationContext context, VfsPath path, OpenFlags flags);

/// <summary>The drivers behind device nodes and FIFOs. Filled by the boot code before the first guest runs.</summary>
public static class SpecialFiles
{
    private static readonly Lock s_lock = new();
    private static volatile Dictionary<(FileType Type, uint Major, uint Minor), SpecialFileOpener> s_drivers = [];
    private static SpecialFileOpener? s_fifo;

    /// <summary>Stands for every minor of a major.</summary>
    public const uint AnyMinor = uint.MaxValue;

    /// <summary>What opens FIFOs.</summary>
    public static SpecialFileOpener? Fifo
    {
        get => Volatile.Read(ref s_fifo);
        set => Volatile.Write(ref s_fifo, value);
    }

    /// <summary>Names what opens a device; a later driver of the same number replaces an earlier one.</summary>
    /// <param name="type">Character or block device.</param>
    /// <param name="major">Major number.</param>
    /// <param name="minor">Minor number, or <see cref="AnyMinor"/>.</param>
    /// <param name="opener">The driver.</param>
    public static void Register(FileType type, uint major, uint minor, SpecialFileOpener opener)
    {
        lock (s_lock)
        {
            s_drivers = new Dictionary<(FileType, uint, uint), SpecialFileOpener>(s_drivers) { [(type, major, minor)] = opener };
        }
    }

    /// <summary>Opens a node: ENXIO for a socket or a device without a driver.</summary>
    public static Blocking<OpenResult> Open(Inode inode, OperationContext context, VfsPath path, OpenFlags flags)
    {
        if (inode.Type == FileType.Fifo && Fifo is { } fifo)
        {
            return fifo(inode, context, path, flags);
        }

        if (inode.Type is not (FileType.CharacterDevice or FileType.BlockDevice))
        {
            return (OpenResult)Errno.ENXIO;
        }

        Errno error = inode.GetAttributes(out Attributes attributes);
        if (error != Errno.None)
        {
            return (OpenResult)error;
        }

        uint major = DeviceNumber.Major(attributes.RawDevice);
        uint minor = DeviceNumber.Minor(attributes.RawDevice);
        Dictionary<(FileType, uint, uint), SpecialFileOpener> drivers = s_drivers;
        return drivers.TryGetValue((inode.Type, major, minor), out SpecialFileOpener? opener) || drivers.TryGetValue((inode.Type, major, AnyMinor), out opener)
            ? opener(inode, context, path, flags)
            : (OpenResult)Errno.ENXIO;
    }
}
