// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Text;

namespace CVisor.Core.Vfs;

/// <summary>Paths as texts: getcwd(2), /proc links and maps (d_path()).</summary>
public static class PathText
{
    /// <summary>The path of a place as seen from a root directory; " (deleted)" is appended when it has none any more.</summary>
    public static string Of(VfsPath place, VfsPath root)
    {
        string path = Of(place, root, out bool isReachable, out bool isDeleted);
        return isDeleted ? path + " (deleted)" : isReachable ? path : "(unreachable)" + path;
    }

    /// <summary>The path of a place as seen from a root directory.</summary>
    /// <param name="place">The place.</param>
    /// <param name="root">The root directory; the default for the namespace's.</param>
    /// <param name="isReachable">Whether the root was met on the way up.</param>
    /// <param name="isDeleted">Whether the name has been removed.</param>
    public static string Of(VfsPath place, VfsPath root, out bool isReachable, out bool isDeleted)
    {
        List<string> names = [];
        isDeleted = place.Dentry is { IsUnlinked: true, IsEvicted: false };
        Mount? mount = place.Mount;
        Dentry? dentry = place.Dentry;
        isReachable = !root.IsValid;
        while (dentry is not null)
        {
            if (dentry == root.Dentry && mount == root.Mount)
            {
                isReachable = true;
                break;
            }

            if (mount is not null && dentry == mount.Root)
            {
                VfsPath at = mount.MountPoint;
                if (!at.IsValid)
                {
                    // A detached mount, or a file system without names (memfd:): its own name is all there is.
                    if (dentry.Parent is null && dentry.Name.Length > 0)
                    {
                        names.Add(dentry.Name);
                    }

                    break;
                }

                (mount, dentry) = (at.Mount, at.Dentry);
                continue;
            }

            if (dentry.Parent is null)
            {
                if (dentry.Name.Length > 0)
                {
                    names.Add(dentry.Name);
                }

                break;
            }

            names.Add(dentry.Name);
            dentry = dentry.Parent;
        }

        return Join(names);
    }

    /// <summary>The path of a dentry within its file system.</summary>
    public static string WithinFileSystem(Dentry dentry)
    {
        List<string> names = [];
        for (Dentry at = dentry; at.Parent is { } parent; at = parent)
        {
            names.Add(at.Name);
        }

        return Join(names);
    }

    /// <summary>Where a mount lies, seen from a root directory; null when that cannot see it.</summary>
    internal static string? OfMountRoot(Mount mount, VfsPath root)
    {
        string path = Of(mount.RootPath, root, out bool isReachable, out _);
        return isReachable ? path : null;
    }

    private static string Join(List<string> names)
    {
        if (names.Count == 0)
        {
            return "/";
        }

        StringBuilder text = new();
        for (int i = names.Count - 1; i >= 0; i--)
        {
            _ = text.Append('/').Append(names[i]);
        }

        return text.ToString();
    }
}
