// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Dev;

/// <summary>An open memory device (mem(4)): always ready, without an offset that means something.</summary>
internal abstract class DeviceDescription(VfsPath path, OpenFlags flags) : FileDescription(path, flags)
{
    /// <inheritdoc/>
    public override bool IsSeekable => true;

    /// <inheritdoc/>
    public sealed override IoResult ReadAt(Task? task, ref IoBuffer destination, long offset) => Read(task, ref destination);

    /// <inheritdoc/>
    public sealed override IoResult WriteAt(Task? task, ref IoBuffer source, long offset) => Write(task, ref source);

    /// <summary>The offset stays 0 (null_lseek(), noop_llseek()).</summary>
    public sealed override IoResult Seek(long offset, int whence) => 0;

    /// <summary>Takes all that is written without looking at it, and so without a fault (write_null()).</summary>
    protected static IoResult Discard(ref IoBuffer source)
    {
        long length = source.Remaining;
        source.Skip(length);
        return length;
    }

    /// <summary>Fills the buffer with zeros (read_iter_zero()).</summary>
    protected static IoResult Zeros(ref IoBuffer destination)
    {
        Errno error = destination.ZeroOut(destination.Remaining, out long zeroed);
        return zeroed > 0 || error == Errno.None ? zeroed : error;
    }
}

/// <summary>/dev/null.</summary>
internal sealed class NullDescription(VfsPath path, OpenFlags flags) : DeviceDescription(path, flags)
{
    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination) => 0;

    /// <inheritdoc/>
    public override IoResult Write(Task? task, ref IoBuffer source) => Discard(ref source);
}

/// <summary>/dev/full.</summary>
internal sealed class FullDescription(VfsPath path, OpenFlags flags) : DeviceDescription(path, flags)
{
    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination) => Zeros(ref destination);

    /// <inheritdoc/>
    public override IoResult Write(Task? task, ref IoBuffer source) => Errno.ENOSPC;
}

/// <summary>/dev/zero.</summary>
internal sealed class ZeroDescription(VfsPath path, OpenFlags flags) : DeviceDescription(path, flags)
{
    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination) => Zeros(ref destination);

    /// <inheritdoc/>
    public override IoResult Write(Task? task, ref IoBuffer source) => Discard(ref source);

    /// <summary>A mapping is anonymous memory, whatever the offset; a shared one lasts through a fork (mmap_zero()).</summary>
    public override Errno ConfigureMap(Task? task, ref MapRequest request)
    {
        if (task is null)
        {
            return Errno.ENODEV;
        }

        request.Offset = 0;
        request.Name = "/dev/zero";
        if (request.IsShared)
        {
            const ulong PageMask = MemoryManager.PageSize - 1;
            request.Source = new SharedAnonymousMemory(task.Kernel.Memory, (request.Length + PageMask) & ~PageMask);
            request.Name = "/dev/zero (deleted)";
        }

        return Errno.None;
    }
}
