// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;

namespace CVisor.FileSystems.Gofer;

/// <summary>A host file to map: its pages are the host's own page cache, by the donated descriptor.</summary>
/// <param name="inode">The file.</param>
internal sealed class GoferMemorySource(GoferInode inode) : MemorySource
{
    private const ulong PageSize = 4096;

    /// <inheritdoc/>
    public override Errno GetMemory(ulong offset, ulong maximumLength, bool write, out MemoryExtent extent)
    {
        extent = default;
        Errno error = inode.GetSize(out ulong size);
        if (error != Errno.None)
        {
            return error;
        }

        ulong pages = (size + (PageSize - 1)) & ~(PageSize - 1);
        MemoryFile? file = (write ? inode.Writer : inode.Reader).Memory;
        if (offset >= pages || file is null)
        {
            return Errno.ENXIO;
        }

        ulong length = Math.Min(maximumLength, pages - offset);
        file.Reference(offset, length);
        extent = new MemoryExtent(file, offset, length);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno Sync(ulong offset, ulong length) => inode.SyncWriter();

    /// <inheritdoc/>
    public override void Reference()
    {
        // The handles were acquired by the description that is being mapped, so this opens nothing and cannot fail.
        inode.Reference();
        inode.Keep();
    }

    /// <inheritdoc/>
    public override void Unreference()
    {
        inode.Discard();
        inode.Unreference();
    }

    /// <inheritdoc/>
    public override bool TryDescribe(out ulong device, out ulong inodeNumber, out string path)
    {
        path = "";
        Errno error = inode.GetAttributes(out Core.Vfs.Attributes attributes);
        device = attributes.Device;
        inodeNumber = attributes.Inode;
        return error == Errno.None;
    }
}
