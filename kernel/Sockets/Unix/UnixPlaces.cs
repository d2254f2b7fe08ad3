// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.Sockets.Unix;

/// <summary>Unix sockets that have a path.</summary>
internal static class UnixPlaces
{
    /// <summary>Makes a socket's file.</summary>
    /// <returns>None; EADDRINUSE when the name exists; or what the walk says.</returns>
    internal static Errno Make(Task task, string path, out VfsPath place) =>
        VirtualFileSystem.MakeSocket(task.Operation, task.Fs.Root, task.Fs.WorkingDirectory, path, 0x1ff, out place);

    /// <summary>Finds the socket that is bound to a file.</summary>
    /// <returns>None; ECONNREFUSED when nothing is bound there; EACCES without write permission.</returns>
    internal static Errno Find(Task task, string path, out UnixSocket? found)
    {
        found = null;
        Errno error = VirtualFileSystem.Resolve(task.Operation, task.Fs.Root, task.Fs.WorkingDirectory, path, WalkFlags.FollowLast, out VfsPath place);
        if (error != Errno.None)
        {
            return error;
        }

        error = place.Inode.CheckAccess(task.Credentials, AccessMode.Write);
        if (error == Errno.None)
        {
            lock (UnixSocket.States)
            {
                found = place.Inode.Type == FileType.Socket ? place.Inode.BoundEndpoint as UnixSocket : null;
                error = found is null ? Errno.ECONNREFUSED : Errno.None;
            }
        }

        place.Unreference();
        return error;
    }
}
