// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>fsopen, fsconfig, fsmount.</content>
public static partial class Handlers
{
    private const uint AttributeAccessTime = 0x70, AttributeNoAccessTime = 0x10, AttributeStrictAccessTime = 0x20, AttributeNoDirectoryAccessTime = 0x80, AttributeNoSymlinks = 0x200000;

    /// <summary>fsopen(2)</summary>
    public static partial SyscallResult Fsopen(Task task, UserPtr fsname, uint flags)
    {
        const uint CloseOnExec = 1;
        if (!MayMount(task))
        {
            return Errno.EPERM;
        }

        if ((flags & ~CloseOnExec) != 0)
        {
            return Errno.EINVAL;
        }

        Errno error = task.Memory.CopyInString(fsname, MountTextMaximum, Errno.EINVAL, out string name);
        return error != Errno.None ? error
            : !MountableTypes.IsKnown(name) ? Errno.ENODEV
            : Descriptors.Install(task, new MountContext(name), flags != 0);
    }

    /// <summary>fsconfig(2)</summary>
    public static partial SyscallResult Fsconfig(Task task, int fd, uint cmd, UserPtr key, UserPtr value, int aux)
    {
        const uint SetFlag = 0, SetString = 1, SetFd = 5, Create = 6, Reconfigure = 7, CreateExclusive = 8;
        if (fd < 0)
        {
            return Errno.EINVAL;
        }

        bool isFit = cmd switch
        {
            SetFlag => !key.IsNull && value.IsNull && aux == 0,
            SetString => !key.IsNull && !value.IsNull && aux == 0,
            Create or Reconfigure or CreateExclusive => key.IsNull && value.IsNull && aux == 0,
            _ => true,
        };
        if (!isFit)
        {
            return Errno.EINVAL;
        }

        if (cmd > CreateExclusive || cmd is > SetString and <= SetFd || cmd == Reconfigure)
        {
            return Errno.EOPNOTSUPP;
        }

        Errno error = Descriptors.Get(task, fd, Errno.EINVAL, out MountContext context);
        if (error != Errno.None)
        {
            return error;
        }

        error = cmd >= Create ? context.Create(task) : SetParameter(task, context, key, value);
        context.Unreference();
        return error;
    }

    /// <summary>fsmount(2)</summary>
    public static partial SyscallResult Fsmount(Task task, int fsfd, uint flags, uint attrFlags)
    {
        const uint CloseOnExec = 1;
        if (!MayMount(task))
        {
            return Errno.EPERM;
        }

        if ((flags & ~CloseOnExec) != 0 || !TryMountFlags(attrFlags, out MountFlags wanted))
        {
            return Errno.EINVAL;
        }

        Errno error = Descriptors.Get(task, fsfd, Errno.EINVAL, out MountContext context);
        if (error != Errno.None)
        {
            return error;
        }

        error = context.Mount(wanted, out MountNamespace? tree);
        context.Unreference();
        return error != Errno.None ? error : Descriptors.Install(task, new FloatingMountDescription(tree!), flags != 0);
    }

    private static Errno SetParameter(Task task, MountContext context, UserPtr key, UserPtr value)
    {
        const int LongestKey = 256;
        Errno error = task.Memory.CopyInString(key, LongestKey, Errno.EINVAL, out string name);
        string? text = null;
        if (error == Errno.None && !value.IsNull)
        {
            error = task.Memory.CopyInString(value, LongestKey, Errno.EINVAL, out text);
        }

        return error != Errno.None ? error : context.Set(name, text);
    }

    /// <summary>MOUNT_ATTR_* as mount flags; false for those that there are not.</summary>
    private static bool TryMountFlags(uint attributes, out MountFlags flags)
    {
        const uint Plain = (uint)(MountFlags.ReadOnly | MountFlags.NoSetId | MountFlags.NoDevices | MountFlags.NoExecute);
        flags = (MountFlags)(attributes & Plain);
        flags |= (attributes & AttributeNoDirectoryAccessTime) != 0 ? MountFlags.NoDirectoryAccessTime : MountFlags.None;
        flags |= (attributes & AttributeNoSymlinks) != 0 ? MountFlags.NoSymlinks : MountFlags.None;
        switch (attributes & AttributeAccessTime)
        {
            case 0:
                flags |= MountFlags.RelativeAccessTime;
                break;
            case AttributeNoAccessTime:
                flags |= MountFlags.NoAccessTime;
                break;
            case AttributeStrictAccessTime:
                break;
            default:
                return false;
        }

        return (attributes & ~(Plain | AttributeAccessTime | AttributeNoDirectoryAccessTime | AttributeNoSymlinks)) == 0;
    }
}
