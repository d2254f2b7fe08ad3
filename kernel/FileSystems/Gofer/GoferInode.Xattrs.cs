// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Vfs;
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.FileSystems.Gofer;

/// <content>Extended attributes: not cached, since nobody asks twice.</content>
internal sealed partial class GoferInode
{
    /// <inheritdoc/>
    public override Errno GetExtendedAttribute(in OperationContext context, string name, out byte[] value)
    {
        value = [];
        byte[] buffer = new byte[NinePLimits.MaxXattrValue];
        HostErrno error = GetFid(out uint fid);
        HostResult read = error == HostErrno.None ? _fs.Connection.GetXattr(fid, name, buffer) : new HostResult(-(long)error);
        if (!read.IsError)
        {
            value = buffer[..read.Int];
        }

        return read.Error.ToGuest();
    }

    /// <inheritdoc/>
    public override Errno SetExtendedAttribute(in OperationContext context, string name, ReadOnlySpan<byte> value, int flags)
    {
        HostErrno error = GetFid(out uint fid);
        if (error == HostErrno.None)
        {
            error = _fs.Connection.SetXattr(fid, name, value, unchecked((uint)flags));
        }

        Forget();
        return error.ToGuest();
    }

    /// <inheritdoc/>
    public override Errno RemoveExtendedAttribute(in OperationContext context, string name)
    {
        HostErrno error = GetFid(out uint fid);
        if (error == HostErrno.None)
        {
            error = _fs.Connection.RemoveXattr(fid, name);
        }

        Forget();
        return error.ToGuest();
    }

    /// <inheritdoc/>
    public override Errno ListExtendedAttributes(in OperationContext context, out string[] names)
    {
        names = [];
        byte[] buffer = new byte[NinePLimits.MaxXattrList];
        HostErrno error = GetFid(out uint fid);
        HostResult read = error == HostErrno.None ? _fs.Connection.ListXattr(fid, buffer) : new HostResult(-(long)error);
        if (read.IsError)
        {
            return read.Error.ToGuest();
        }

        // Only what GetExtendedAttribute would answer for; the rest is the host's.
        string[] all = KernelString.FromBytes(buffer.AsSpan(0, read.Int)).Split('\0', StringSplitOptions.RemoveEmptyEntries);
        names = Array.FindAll(all, static name => name.StartsWith("user.", StringComparison.Ordinal) || name == "security.capability");
        return Errno.None;
    }
}
