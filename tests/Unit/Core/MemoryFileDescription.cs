// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.Core.Tests;

/// <summary>A program image in memory, as an open file.</summary>
internal sealed class MemoryFileDescription(byte[] content, SandboxMemory memory) : FileDescription(default, OpenFlags.ReadOnly)
{
    public override IoResult ReadAt(Task? task, ref IoBuffer destination, long offset)
    {
        if (offset >= content.Length)
        {
            return 0;
        }

        Errno error = destination.CopyOut(content.AsSpan((int)offset), out int copied);
        return error != Errno.None ? error : copied;
    }

    public override Errno ConfigureMap(Task? task, ref MapRequest request)
    {
        request.Source = new ContentSource(content, memory);
        return Errno.None;
    }

    private sealed class ContentSource(byte[] content, SandboxMemory memory) : MemorySource
    {
        public override Errno GetMemory(ulong offset, ulong maximumLength, bool write, out MemoryExtent extent)
        {
            extent = default;
            if (offset >= (ulong)content.Length)
            {
                return Errno.ENXIO;
            }

            Errno error = memory.Allocate(4096, out ulong at);
            if (error != Errno.None)
            {
                return error;
            }

            int length = (int)Math.Min(4096, (ulong)content.Length - offset);
            _ = Host.SafeMemory.Write(memory.GetAddress(at, 4096, out _), content.AsSpan((int)offset, length));
            extent = new MemoryExtent(memory, at, 4096);
            return Errno.None;
        }

        public override void Reference()
        {
        }

        public override void Unreference()
        {
        }
    }
}
