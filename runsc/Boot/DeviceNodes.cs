// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Runsc.Control;

namespace CVisor.Runsc.Boot;

/// <summary>Makes the device nodes of linux.devices. A node of a device that this kernel has no driver for is there, and opening it is ENXIO.</summary>
internal static class DeviceNodes
{
    private const uint DirectoryMode = 0x1ed; // rwxr-xr-x

    internal static void Make(VfsPath root, BootDevice[] devices)
    {
        foreach (BootDevice device in devices)
        {
            // The terminals' file system brings its own, as everywhere (runc leaves it out, too).
            if (device.Path != "/dev/ptmx")
            {
                Errno error = Make(root, device);
                if (error != Errno.None)
                {
                    throw new BootException($"config.json: linux.devices: {GuestText.ToText(device.Path)}: {(error == Errno.EEXIST ? "something else is there already" : error)}");
                }
            }
        }
    }

    private static Errno Make(VfsPath root, BootDevice device)
    {
        OperationContext kernel = OperationContext.Kernel;
        FileType type = device.Type switch { 'b' => FileType.BlockDevice, 'p' => FileType.Fifo, _ => FileType.CharacterDevice };
        ulong number = DeviceNumber.Make(device.Major, device.Minor);
        Errno error = VirtualFileSystem.MakeNode(kernel, root, root, device.Path, (uint)type | device.Mode, number);
        if (error == Errno.ENOENT)
        {
            error = MakeParents(root, device.Path);
            error = error == Errno.None ? VirtualFileSystem.MakeNode(kernel, root, root, device.Path, (uint)type | device.Mode, number) : error;
        }

        bool isNew = error == Errno.None;
        if (error is not (Errno.None or Errno.EEXIST))
        {
            return error;
        }

        error = VirtualFileSystem.Resolve(kernel, root, root, device.Path, WalkFlags.None, out VfsPath place);
        if (error != Errno.None)
        {
            return error;
        }

        error = place.Dentry!.Inode!.GetAttributes(out Attributes attributes);
        if (error == Errno.None && !isNew && (attributes.Type != type || (type != FileType.Fifo && attributes.RawDevice != number)))
        {
            error = Errno.EEXIST;
        }

        // The owner first: changing it drops bits of the mode.
        error = error == Errno.None ? VirtualFileSystem.SetOwner(kernel, place, device.Uid, device.Gid) : error;
        error = error == Errno.None ? VirtualFileSystem.SetMode(kernel, place, device.Mode) : error;
        place.Unreference();
        return error;
    }

    private static Errno MakeParents(VfsPath root, string path)
    {
        for (int end = path.IndexOf('/', 1); end > 0; end = path.IndexOf('/', end + 1))
        {
            Errno error = VirtualFileSystem.MakeDirectory(OperationContext.Kernel, root, root, path[..end], DirectoryMode);
            if (error is not (Errno.None or Errno.EEXIST))
            {
                return error;
            }
        }

        return Errno.None;
    }
}
