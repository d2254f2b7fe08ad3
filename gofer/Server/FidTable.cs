// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <summary>The fids of a connection: a table by number, since clients reuse small numbers.</summary>
internal sealed class FidTable
{
    private Fid?[] _fids = new Fid?[64];

    /// <summary>The fid of a number, or null.</summary>
    public Fid? Find(uint number) => number < (uint)_fids.Length ? _fids[number] : null;

    /// <summary>Whether a new fid may have the number.</summary>
    public HostErrno Check(uint number) =>
        number >= NinePLimits.MaxFids ? HostErrno.EINVAL : Find(number) is null ? HostErrno.None : HostErrno.EBUSY;

    /// <summary>Adds a fid whose number was checked.</summary>
    public void Add(uint number, Fid fid)
    {
        if (number >= (uint)_fids.Length)
        {
            long length = Math.Min(NinePLimits.MaxFids, Math.Max((long)number + 1, _fids.Length * 2L));
            Array.Resize(ref _fids, (int)length);
        }

        _fids[number] = fid;
    }

    /// <summary>Takes a fid out; the caller closes it. Null when there is none.</summary>
    public Fid? Remove(uint number)
    {
        Fid? fid = Find(number);
        if (fid is not null)
        {
            _fids[number] = null;
        }

        return fid;
    }

    /// <summary>Closes and drops every fid.</summary>
    public void Clear()
    {
        for (int i = 0; i < _fids.Length; i++)
        {
            _fids[i]?.Close();
            _fids[i] = null;
        }
    }
}
