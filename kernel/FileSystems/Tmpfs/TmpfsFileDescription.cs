// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Tmpfs;

/// <summary>An open regular file of a tmpfs, or a memfd.</summary>
public sealed class TmpfsFileDescription(TmpfsRegular file, VfsPath path, OpenFlags flags) : SeekableDescription(path, flags)
{
    /// <summary>The file.</summary>
    public TmpfsRegular File => file;

    /// <inheritdoc/>
    public override IoResult ReadAt(Task? task, ref IoBuffer destination, long offset)
    {
        IoResult result = file.Read(ref destination, offset);
        if (result.Count > 0)
        {
            file.TouchAccess(Path, Flags);
        }

        return result;
    }

    /// <inheritdoc/>
    public override IoResult WriteAt(Task? task, ref IoBuffer source, long offset) => Write(task, ref source, ref offset);

    /// <inheritdoc/>
    public override Errno Sync(bool dataOnly) => Errno.None;

    /// <inheritdoc/>
    public override Errno Allocate(Task? task, int mode, long offset, long length)
    {
        Errno error = file.Allocate(mode, offset, length);
        if (error == Errno.None)
        {
            file.TouchModify();
        }

        return error;
    }

    /// <inheritdoc/>
    public override Errno ConfigureMap(Task? task, ref MapRequest request) => file.ConfigureMap(Path, ref request);

    /// <inheritdoc/>
    protected override Errno GetSize(out long sizeBytes)
    {
        sizeBytes = file.Size;
        return Errno.None;
    }

    /// <inheritdoc/>
    protected override IoResult SeekData(long offset, bool wantsHole) => file.SeekData(offset, wantsHole);

    /// <inheritdoc/>
    public override IoResult Append(Task? task, ref IoBuffer source, out long end)
    {
        end = -1;
        IoResult result = Write(task, ref source, ref end);
        end += result.Count;
        return result;
    }

    private IoResult Write(Task? task, ref IoBuffer source, ref long offset)
    {
        IoResult result = file.Write(ref source, ref offset);
        if (result.Count > 0)
        {
            file.TouchModify();
            if (task is not null)
            {
                _ = VirtualFileSystem.DropPrivileges(task.Operation, file);
            }
        }

        return result;
    }
}
