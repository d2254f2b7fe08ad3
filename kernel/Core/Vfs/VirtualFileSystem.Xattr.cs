// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Credentials;

namespace CVisor.Core.Vfs;

/// <summary>Extended attributes (xattr(7), xattr_permission()).</summary>
public static partial class VirtualFileSystem
{
    /// <summary>The longest value in bytes (XATTR_SIZE_MAX).</summary>
    public const int MaximumXattrValue = 65536;

    /// <summary>Reads an extended attribute.</summary>
    public static Errno GetExtendedAttribute(in OperationContext context, VfsPath place, string name, out byte[] value)
    {
        value = [];
        Errno error = CheckXattr(context.Credentials, place, name, AccessMode.Read, Errno.ENODATA, out Inode inode);
        return error != Errno.None ? error : inode.GetExtendedAttribute(context, name, out value);
    }

    /// <summary>Sets an extended attribute; flags are XATTR_CREATE (1), XATTR_REPLACE (2).</summary>
    public static Errno SetExtendedAttribute(in OperationContext context, VfsPath place, string name, ReadOnlySpan<byte> value, int flags)
    {
        Errno error = CheckXattr(context.Credentials, place, name, AccessMode.Write, Errno.EPERM, out Inode inode);
        error = error != Errno.None ? error : inode.SetExtendedAttribute(context, name, value, flags);
        if (error == Errno.None)
        {
            FileEvents.OnChanged(place, FileEventMask.Attributes);
        }

        return error;
    }

    /// <summary>Removes an extended attribute.</summary>
    public static Errno RemoveExtendedAttribute(in OperationContext context, VfsPath place, string name)
    {
        Errno error = CheckXattr(context.Credentials, place, name, AccessMode.Write, Errno.EPERM, out Inode inode);
        error = error != Errno.None ? error : inode.RemoveExtendedAttribute(context, name);
        if (error == Errno.None)
        {
            FileEvents.OnChanged(place, FileEventMask.Attributes);
        }

        return error;
    }

    /// <summary>The names of the extended attributes that the caller may know of.</summary>
    public static Errno ListExtendedAttributes(in OperationContext context, VfsPath place, out List<string> names)
    {
        names = [];
        if (place.Dentry!.Inode is not { } inode)
        {
            return Errno.ENOENT;
        }

        Errno error = inode.ListExtendedAttributes(context, out string[] all);
        if (error != Errno.None)
        {
            return error == Errno.EOPNOTSUPP ? Errno.None : error;
        }

        bool seesTrusted = context.Credentials.Has(Capability.SysAdmin);
        foreach (string name in all)
        {
            if (seesTrusted || !name.StartsWith("trusted.", StringComparison.Ordinal))
            {
                names.Add(name);
            }
        }

        return Errno.None;
    }

    private static Errno CheckXattr(UserCredentials credentials, VfsPath place, string name, AccessMode access, Errno refusal, out Inode inode)
    {
        inode = place.Dentry!.Inode!;
        if (inode is null)
        {
            return Errno.ENOENT;
        }

        bool writes = access == AccessMode.Write;
        if (writes && place.Mount is { IsReadOnly: true })
        {
            return Errno.EROFS;
        }

        if (name.StartsWith("user.", StringComparison.Ordinal) && name.Length > 5)
        {
            if (inode.Type is not (FileType.Regular or FileType.Directory))
            {
                return refusal;
            }

            if (inode.Type == FileType.Directory && writes)
            {
                Errno error = inode.GetAttributes(out Attributes attributes);
                if (error != Errno.None || ((attributes.Mode & ModeBits.Sticky) != 0 && !IsOwner(credentials, attributes)))
                {
                    return error != Errno.None ? error : Errno.EPERM;
                }
            }

            return inode.CheckAccess(credentials, access);
        }

        if (name.StartsWith("trusted.", StringComparison.Ordinal) && name.Length > 8)
        {
            return credentials.Has(Capability.SysAdmin) ? Errno.None : refusal;
        }

        if (name.StartsWith("security.", StringComparison.Ordinal) && name.Length > 9)
        {
            bool may = !writes || credentials.Has(name == "security.capability" ? Capability.Setfcap : Capability.SysAdmin);
            return may ? Errno.None : Errno.EPERM;
        }

        return Errno.EOPNOTSUPP;
    }
}
