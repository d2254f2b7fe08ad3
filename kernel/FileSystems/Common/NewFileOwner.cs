// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Vfs;

namespace CVisor.FileSystems;

/// <summary>Whom a new file belongs to (inode_init_owner()).</summary>
/// <param name="Uid">The owner.</param>
/// <param name="Gid">The group.</param>
/// <param name="Mode">Permission bits.</param>
internal readonly record struct NewFileOwner(uint Uid, uint Gid, uint Mode)
{
    /// <summary>The group of a set-group-ID directory is inherited, and by directories the bit too.</summary>
    public static NewFileOwner In(in Attributes directory, in OperationContext context, uint mode, bool isDirectory) =>
        (directory.Mode & ModeBits.SetGid) == 0
            ? new NewFileOwner(context.Credentials.FileUid, context.Credentials.FileGid, mode)
            : new NewFileOwner(context.Credentials.FileUid, directory.Gid, isDirectory ? mode | ModeBits.SetGid : mode);
}
