// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;

namespace CVisor.Core.Vfs;

/// <summary>Changes of attributes (chmod(2), chown(2), utimensat(2), truncate(2); setattr_prepare()).</summary>
public static partial class VirtualFileSystem
{
    private const uint GroupExecute = 8;

    /// <summary>"Leave as it is", in chown(2).</summary>
    public const uint NoId = uint.MaxValue;

    /// <summary>Reads a place's attributes.</summary>
    public static Errno GetAttributes(VfsPath place, out Attributes attributes)
    {
        if (place.Dentry!.Inode is { } inode)
        {
            return inode.GetAttributes(out attributes);
        }

        attributes = default;
        return Errno.ENOENT;
    }

    /// <summary>Sets the permission bits.</summary>
    public static Errno SetMode(in OperationContext context, VfsPath place, uint mode)
    {
        Errno error = BeginChange(place, out Inode inode, out Attributes attributes);
        if (error != Errno.None)
        {
            return error;
        }

        if (!IsOwner(context.Credentials, attributes))
        {
            return Errno.EPERM;
        }

        mode &= ModeBits.PermissionMask;
        if (!context.Credentials.IsInGroup(attributes.Gid) && !context.Credentials.Has(Capability.Fsetid))
        {
            mode &= ~ModeBits.SetGid;
        }

        return Change(context, place, inode, new AttributeChange { Mask = AttributeMask.Mode, Mode = mode });
    }

    /// <summary>Sets owner and group; <see cref="NoId"/> leaves one as it is.</summary>
    public static Errno SetOwner(in OperationContext context, VfsPath place, uint uid, uint gid)
    {
        Errno error = BeginChange(place, out Inode inode, out Attributes attributes);
        if (error != Errno.None)
        {
            return error;
        }

        UserCredentials credentials = context.Credentials;
        bool mayChown = credentials.Has(Capability.Chown);
        bool ownsIt = credentials.FileUid == attributes.Uid;
        if (uid != NoId && !mayChown && !(ownsIt && uid == attributes.Uid))
        {
            return Errno.EPERM;
        }

        if (gid != NoId && !mayChown && !(ownsIt && (gid == attributes.Gid || credentials.IsInGroup(gid))))
        {
            return Errno.EPERM;
        }

        AttributeChange change = new() { Uid = uid, Gid = gid };
        change.Mask |= uid != NoId ? AttributeMask.Uid : AttributeMask.None;
        change.Mask |= gid != NoId ? AttributeMask.Gid : AttributeMask.None;
        _ = DropSetIdBits(ref change, attributes);
        return Change(context, place, inode, change);
    }

    /// <summary>Sets the times.</summary>
    /// <param name="context">Who.</param>
    /// <param name="place">The file.</param>
    /// <param name="change">Times only; with nothing set, nothing happens.</param>
    /// <param name="bothNow">Whether both times are set to now, which a writer of the file may do too.</param>
    public static Errno SetTimes(in OperationContext context, VfsPath place, in AttributeChange change, bool bothNow)
    {
        if (change.Mask == AttributeMask.None)
        {
            return Errno.None;
        }

        Errno error = BeginChange(place, out Inode inode, out Attributes attributes);
        if (error != Errno.None)
        {
            return error;
        }

        if (!IsOwner(context.Credentials, attributes))
        {
            error = bothNow ? inode.CheckAccess(context.Credentials, AccessMode.Write) : Errno.EPERM;
        }

        return error != Errno.None ? error : Change(context, place, inode, change);
    }

    /// <summary>Sets the length of a file by path (truncate(2)).</summary>
    public static Errno Truncate(in OperationContext context, VfsPath place, ulong sizeBytes)
    {
        if (place.Dentry!.Inode is not { } inode)
        {
            return Errno.ENOENT;
        }

        if (inode.Type != FileType.Regular)
        {
            return inode.Type == FileType.Directory ? Errno.EISDIR : Errno.EINVAL;
        }

        Errno error = CheckAccess(context.Credentials, place, AccessMode.Write);
        if (error != Errno.None)
        {
            return error;
        }

        if (!inode.TryAddWriter())
        {
            return Errno.ETXTBSY;
        }

        error = TruncateInode(context, inode, sizeBytes);
        inode.RemoveWriter();
        if (error == Errno.None)
        {
            FileEvents.OnChanged(place, FileEventMask.Modify);
        }

        return error;
    }

    /// <summary>Sets the length of an open file (ftruncate(2)).</summary>
    public static Errno Truncate(in OperationContext context, FileDescription file, ulong sizeBytes)
    {
        if (!file.IsWritable || file.Inode is not { Type: FileType.Regular } inode)
        {
            return Errno.EINVAL;
        }

        Errno error = TruncateInode(context, inode, sizeBytes);
        if (error == Errno.None)
        {
            FileEvents.OnModified(file);
        }

        return error;
    }

    /// <summary>Drops the set-ID bits of a file that is being written, as file_remove_privs() does.</summary>
    public static Errno DropPrivileges(in OperationContext context, Inode inode)
    {
        if (context.Credentials.Has(Capability.Fsetid))
        {
            return Errno.None;
        }

        Errno error = inode.GetAttributes(out Attributes attributes);
        AttributeChange change = default;
        if (error == Errno.None && DropSetIdBits(ref change, attributes))
        {
            error = inode.SetAttributes(context, change);
        }

        return error;
    }

    private static Errno TruncateInode(in OperationContext context, Inode inode, ulong sizeBytes)
    {
        Errno error = inode.GetAttributes(out Attributes attributes);
        if (error != Errno.None)
        {
            return error;
        }

        AttributeChange change = new() { Mask = AttributeMask.Size, SizeBytes = sizeBytes };
        if (!context.Credentials.Has(Capability.Fsetid))
        {
            _ = DropSetIdBits(ref change, attributes);
        }

        return inode.SetAttributes(context, change);
    }

    private static bool DropSetIdBits(ref AttributeChange change, in Attributes attributes)
    {
        uint drop = attributes.Mode & ModeBits.SetUid;
        drop |= (attributes.Mode & GroupExecute) != 0 ? attributes.Mode & ModeBits.SetGid : 0;
        if (drop == 0 || attributes.Type == FileType.Directory)
        {
            return false;
        }

        change.Mask |= AttributeMask.Mode;
        change.Mode = attributes.Mode & ModeBits.PermissionMask & ~drop;
        return true;
    }

    private static Errno BeginChange(VfsPath place, out Inode inode, out Attributes attributes)
    {
        inode = place.Dentry!.Inode!;
        attributes = default;
        return inode is null ? Errno.ENOENT : place.Mount is { IsReadOnly: true } ? Errno.EROFS : inode.GetAttributes(out attributes);
    }

    private static Errno Change(in OperationContext context, VfsPath place, Inode inode, in AttributeChange change)
    {
        Errno error = inode.SetAttributes(context, change);
        if (error == Errno.None)
        {
            FileEvents.OnChanged(place, FileEventMask.Attributes);
        }

        return error;
    }
}
