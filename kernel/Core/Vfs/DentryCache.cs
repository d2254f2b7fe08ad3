// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Core.Vfs;

/// <summary>Keeps unused dentries of file systems whose names hold, and lets go of the rest.</summary>
public static class DentryCache
{
    internal static void OnUnused(Dentry dentry)
    {
        if (dentry.IsUnlinked && dentry.Inode is { } inode)
        {
            dentry.Inode = null;
            inode.Unreference();
        }
    }
}
