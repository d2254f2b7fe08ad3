// SPDX-License-Identifier: Apache-2.0
using System.Buffers;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Vfs;
using CVisor.Gofer.Client;
using CVisor.Host;

namespace CVisor.FileSystems.Gofer;

/// <summary>An open file of the host: its donated descriptor, or a fid whose I/O the gofer does.</summary>
internal sealed class GoferHandle
{
    private readonly GoferConnection _connection;
    private readonly GoferOpen _open;
    private readonly DonatedFile? _memory;

    /// <summary>Takes an open file over.</summary>
    public GoferHandle(GoferConnection connection, GoferOpen open, bool isWritable)
    {
        _connection = connection;
        _open = open;
        _memory = open.IsDonated ? new DonatedFile(open.HostFd, isWritable) : null;
    }

    /// <summary>The host's descriptor, or -1.</summary>
    public int HostFd => _open.HostFd;

    /// <summary>The file as memory to map; null without a descriptor.</summary>
    public MemoryFile? Memory => _memory;

    /// <summary>Reads at an offset.</summary>
    public IoResult Read(ref IoBuffer destination, long offset)
    {
        if (_open.IsDonated)
        {
            return destination.TransferHost(_open.HostFd, offset, toFile: false);
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(destination.Remaining, _connection.LongestPayload));
        long total = 0;
        Errno error = Errno.None;
        while (destination.Remaining > 0)
        {
            int wanted = (int)Math.Min(destination.Remaining, buffer.Length);
            HostResult read = _connection.Read(_open.Fid, (ulong)(offset + total), buffer.AsSpan(0, wanted));
            if (read.IsError)
            {
                error = read.Error.ToGuest();
                break;
            }

            error = destination.CopyOut(buffer.AsSpan(0, read.Int), out int copied);
            total += copied;
            if (error != Errno.None || read.Int == 0)
            {
                break;
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return total > 0 ? total : error == Errno.None ? 0L : error;
    }

    /// <summary>Writes at an offset.</summary>
    public IoResult Write(ref IoBuffer source, long offset)
    {
        if (_open.IsDonated)
        {
            return source.TransferHost(_open.HostFd, offset, toFile: true);
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(source.Remaining, _connection.LongestPayload));
        long total = 0;
        Errno error = Errno.None;
        while (source.Remaining > 0)
        {
            error = source.CopyIn(buffer, out int copied);
            int sent = 0;
            while (sent < copied)
            {
                HostResult written = _connection.Write(_open.Fid, (ulong)(offset + total), buffer.AsSpan(sent, copied - sent));
                if (written.IsError || written.Int == 0)
                {
                    error = written.IsError ? written.Error.ToGuest() : Errno.EIO;
                    break;
                }

                sent += written.Int;
                total += written.Int;
            }

            if (error != Errno.None)
            {
                break;
            }
        }

        ArrayPool<byte>.Shared.Return(buffer);
        return total > 0 ? total : error == Errno.None ? 0L : error;
    }

    /// <summary>Writes the data out.</summary>
    public Errno Sync(bool dataOnly) =>
        (_open.IsDonated
            ? (dataOnly ? HostCalls.Fdatasync(_open.HostFd) : HostCalls.Fsync(_open.HostFd)).Error
            : _connection.Sync(_open.Fid, dataOnly)).ToGuest();

    /// <summary>fallocate(2).</summary>
    public Errno Allocate(int mode, long offset, long length) =>
        (_open.IsDonated
            ? HostCalls.Fallocate(_open.HostFd, mode, offset, length).Error
            : _connection.Allocate(_open.Fid, unchecked((uint)mode), (ulong)offset, (ulong)length)).ToGuest();

    /// <summary>Closes it; the descriptor stays until no mapping needs it.</summary>
    public void Close()
    {
        if (_memory is not null)
        {
            _memory.Unreference();
        }
        else
        {
            _connection.Drop(_open.Fid);
        }
    }
}
