// SPDX-License-Identifier: Apache-2.0
using System.Buffers;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Overlay;

/// <content>Copying up.</content>
internal sealed partial class OverlayInode
{
    private const int CopyBytes = 1 << 20;
    private const int SeekData = 3, SeekHole = 4;

    private OverlaySource? _source;

    /// <summary>Makes the file one of the upper file system, unless it is.</summary>
    /// <param name="dataBytes">How much of its data is still wanted.</param>
    internal Errno CopyUp(ulong dataBytes = ulong.MaxValue)
    {
        if (IsAbove)
        {
            return Errno.None;
        }

        lock (_copyLock)
        {
            if (IsAbove)
            {
                return Errno.None;
            }

            Errno error = _lower!.GetAttributes(out Attributes attributes);
            string target = "";
            if (error == Errno.None && Type == FileType.Symlink)
            {
                error = _lower.ReadLink(OperationContext.Kernel, out target);
            }

            if (error != Errno.None)
            {
                return error;
            }

            NewFileOwner owner = new(attributes.Uid, attributes.Gid, attributes.Mode & ModeBits.PermissionMask);
            error = _fs.MakeAbove(Type, owner, attributes.RawDevice, target, out string name, out Inode? made);
            if (error != Errno.None)
            {
                return error;
            }

            error = Type == FileType.Regular ? CopyData(made!, Math.Min(dataBytes, attributes.SizeBytes)) : Errno.None;
            if (error == Errno.None)
            {
                error = CopyAttributes(made!, in attributes);
            }

            if (error != Errno.None)
            {
                _fs.DropAbove(name, made!);
                return error;
            }

            _upperName = name;
            Volatile.Write(ref _upper, made);
        }

        HoldItself();
        Volatile.Read(ref _source)?.Switch(_upper!);
        return Errno.None;
    }

    /// <summary>The lower file as something to map; it goes over to the copy when there is one.</summary>
    internal OverlaySource SourceOver(MemorySource below)
    {
        OverlaySource source = _source ?? Interlocked.CompareExchange(ref _source, new OverlaySource(this, below), null) ?? _source!;
        if (Volatile.Read(ref _upper) is { } upper)
        {
            source.Switch(upper); // copied up meanwhile, before there was a source to tell
        }

        return source;
    }

    private void OnTruncated(ulong sizeBytes)
    {
        if (Volatile.Read(ref _source) is { } source)
        {
            ulong firstPageGone = (sizeBytes + 4095) & ~4095UL;
            source.Mappings.Invalidate(source, firstPageGone, ulong.MaxValue);
        }
    }

    private Errno CopyData(Inode to, ulong length)
    {
        if (length == 0)
        {
            return Errno.None;
        }

        OpenResult source = _lower!.Open(OperationContext.Kernel, default, OpenFlags.ReadOnly).Take();
        if (source.Description is null)
        {
            return source.Error;
        }

        OpenResult destination = to.Open(OperationContext.Kernel, default, OpenFlags.WriteOnly).Take();
        Errno error = destination.Error;
        if (destination.Description is not null)
        {
            error = CopyData(source.Description, destination.Description, (long)length);
            destination.Description.Unreference();
        }

        source.Description.Unreference();
        if (error == Errno.None)
        {
            // Whatever ends in a hole was not written.
            OperationContext kernel = OperationContext.Kernel;
            error = to.SetAttributes(in kernel, new AttributeChange { Mask = AttributeMask.Size, SizeBytes = length });
        }

        return error;
    }

    // Holes stay holes.
    private static Errno CopyData(FileDescription from, FileDescription to, long length)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(length, CopyBytes));
        Errno error = Errno.None;
        long position = 0;
        while (position < length && error == Errno.None)
        {
            IoResult data = from.Seek(position, SeekData);
            if (data.IsError)
            {
                error = data.Error == Errno.ENXIO ? Errno.None : data.Error; // a hole to the end
                break;
            }

            IoResult hole = from.Seek(data.Count, SeekHole);
            long end = hole.IsError ? length : Math.Min(hole.Count, length);
            position = data.Count;
            while (position < end)
            {
                int wanted = (int)Math.Min(end - position, buffer.Length);
                IoBuffer read = new(buffer.AsMemory(0, wanted));
                IoResult got = from.ReadAt(null, ref read, position);
                if (got.IsError || got.Count == 0)
                {
                    error = got.Error;
                    end = length; // shorter than it was: the rest is a hole
                    position = length;
                    break;
                }

                IoBuffer write = new(buffer.AsMemory(0, (int)got.Count));
                IoResult put = to.WriteAt(null, ref write, position);
                if (put.IsError || put.Count != got.Count)
                {
                    error = put.IsError ? put.Error : Errno.ENOSPC;
                    break;
                }

                position += got.Count;
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return error;
    }

    private Errno CopyAttributes(Inode to, in Attributes attributes)
    {
        OperationContext kernel = OperationContext.Kernel;
        if (_lower!.ListExtendedAttributes(in kernel, out string[] names) == Errno.None)
        {
            foreach (string name in names)
            {
                Errno error = _lower.GetExtendedAttribute(in kernel, name, out byte[] value);
                if (error == Errno.None)
                {
                    error = to.SetExtendedAttribute(in kernel, name, value, 0);
                }

                if (error is not (Errno.None or Errno.EOPNOTSUPP or Errno.ENODATA))
                {
                    return error;
                }
            }
        }

        // Mode again: writing the data, or changing the owner, may have cleared set-ID bits. Times last.
        AttributeChange change = new()
        {
            Mask = AttributeMask.AccessTime | AttributeMask.ModifyTime | (Type == FileType.Symlink ? AttributeMask.None : AttributeMask.Mode),
            Mode = attributes.Mode & ModeBits.PermissionMask,
            AccessTimeNs = attributes.AccessTimeNs,
            ModifyTimeNs = attributes.ModifyTimeNs,
        };
        return to.SetAttributes(in kernel, in change);
    }
}
