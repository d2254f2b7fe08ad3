// SPDX-License-Identifier: Apache-2.0
using System.Text;
using CVisor.Host;
using CVisor.Runsc.Control;

namespace CVisor.Runsc.Sandbox;

/// <summary>
/// Detached mounts: a private copy of a tree's mounts that hangs in no namespace and is reached by its descriptor alone.
/// Nothing above the tree exists from there, so neither ".." nor a symlink leads out of it.
/// </summary>
internal static class TreeMount
{
    private const int AtFdcwd = -100;
    private const uint OpenTreeClone = 1, AtRecursive = 0x8000, AtEmptyPath = 0x1000, OCloexec = 0x80000;
    private const ulong MountAttrRdonly = 1, MountAttrNodev = 4, MsSlave = 0x80000;
    private const int OPath = 0x200000, ODirectory = 0x10000;

    /// <summary>
    /// Opens this process's /proc/self/fd as a mount of its own, the only way to open the file of an O_PATH descriptor
    /// again. From a mount of that directory alone, ".." does not lead to the rest of /proc.
    /// </summary>
    public static int OpenDescriptors()
    {
        HostResult fd = HostCalls.OpenTree(AtFdcwd, "/proc/self/fd\0"u8, OpenTreeClone | OCloexec);
        if (fd.IsError)
        {
            // Without the right to mount (rootless on an odd host), /proc itself has to do.
            fd = HostCalls.Openat(AtFdcwd, "/proc/self/fd\0"u8, OPath | ODirectory | (int)OCloexec, 0);
        }

        return fd.OrThrow("open /proc/self/fd").Int;
    }

    /// <summary>Opens a tree (O_PATH, inheritable by nobody).</summary>
    public static int Open(GoferTree tree)
    {
        uint flags = OpenTreeClone | OCloexec | (tree.Recursive ? AtRecursive : 0);
        HostResult fd = HostCalls.OpenTree(AtFdcwd, Encoding.UTF8.GetBytes(tree.Source + '\0'), flags);
        if (fd.Error == HostErrno.EINVAL && !tree.Recursive)
        {
            // Mounts below it that came from another user namespace are locked to it; then they come along.
            fd = HostCalls.OpenTree(AtFdcwd, Encoding.UTF8.GetBytes(tree.Source + '\0'), flags | AtRecursive);
        }

        fd.OrThrow($"open the file tree {tree.Source}");

        // Nobody opens the host's devices by way of a container's files.
        // What the host mounts below it later shows here; nothing that happens here shows on the host.
        MountAttr attributes = new() { Set = MountAttrNodev | (tree.ReadOnly ? MountAttrRdonly : 0), Propagation = MsSlave };
        HostCalls.MountSetattr(fd.Int, "\0"u8, AtEmptyPath | AtRecursive, ref attributes).OrThrow($"set the attributes of the file tree {tree.Source}");

        return fd.Int;
    }
}
