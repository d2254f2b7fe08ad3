// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Core.Vfs;
using CVisor.Gofer.Client;
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.FileSystems.Gofer;

/// <content>
/// Reading without the gofer (<c>--directfs</c>). Once the tree's root was handed over, directories are descriptors here too, by which names are looked up,
/// listed and opened for reading. A file is then known by its home (a directory and a name in it), and has a fid only once something is asked that the
/// gofer must do: every change, and whatever the Sentry's own identity may not do.
/// A home is only a way to the file, not what it is: what is found there must be the same file of the host, or it has gone.
/// </content>
internal sealed partial class GoferInode
{
    private const uint NoFid = 0;

    [GuardedBy(nameof(_lock))]
    private Home? _home;
    [GuardedBy(nameof(_lock))]
    private bool _isBarred;
    private uint _fid; // set once, under the lock
    private int _pathFd = -1; // likewise

    /// <summary>Where the file lies now, or null when it lies nowhere any more.</summary>
    internal void MoveTo(GoferInode? directory, string name)
    {
        if (!_fs.IsDirect)
        {
            return;
        }

        GoferInode? before;
        lock (_lock)
        {
            if (_home?.Directory == directory && (directory is null || _home!.Name == name))
            {
                return;
            }

            before = _home?.Directory;
            _home = directory is null ? null : new Home(directory, name);
            _isBarred = false;
            directory?.Reference();
        }

        before?.Unreference();
    }

    /// <summary>A name went; if the file was known by it, it lies nowhere any more.</summary>
    internal void LeaveHome(GoferInode directory, string name)
    {
        lock (_lock)
        {
            if (_home?.Directory != directory || _home.Name != name)
            {
                return;
            }
        }

        MoveTo(null, "");
    }

    /// <summary>Makes sure of a fid before the name goes, if anybody but the name's own dentry uses the file.</summary>
    internal void KeepFid()
    {
        if (_fs.IsDirect && References > 1)
        {
            _ = GetFid(out _); // without one it answers ESTALE to what only the gofer could do
        }
    }

    /// <summary>The gofer's number for the file; ESTALE when the file has gone.</summary>
    internal HostErrno GetFid(out uint fid)
    {
        fid = Volatile.Read(ref _fid);
        if (fid != NoFid)
        {
            return HostErrno.None;
        }

        Home? home;
        lock (_lock)
        {
            home = _home;
            home?.Directory.Reference();
        }

        if (home is null)
        {
            return HostErrno.ESTALE;
        }

        HostErrno error = home.Directory.GetFid(out uint directory);
        uint walkedFid = NoFid;
        if (error == HostErrno.None)
        {
            error = Walk(directory, home.Name, out walkedFid);
        }

        home.Directory.Unreference();
        if (error != HostErrno.None)
        {
            return error;
        }

        lock (_lock)
        {
            if (_fid == NoFid)
            {
                Volatile.Write(ref _fid, walkedFid);
                walkedFid = NoFid;
            }

            fid = _fid;
        }

        if (walkedFid != NoFid)
        {
            _fs.Connection.Drop(walkedFid); // another thread was first
        }

        return HostErrno.None;
    }

    // The directory as a descriptor to look names up in; -1 when the gofer has to be asked.
    private int PathFd()
    {
        int fd = Volatile.Read(ref _pathFd);
        if (fd >= 0 || !_fs.IsDirect)
        {
            return fd;
        }

        lock (_lock)
        {
            if (_pathFd < 0 && !_isBarred && Type == FileType.Directory && _fs.TryCountDirectory())
            {
                if (OpenHomeLocked(DirectCalls.DirectoryPath, out int opened) == HostErrno.None)
                {
                    Volatile.Write(ref _pathFd, opened);
                }
                else
                {
                    _isBarred = true;
                    _fs.ForgetDirectory();
                }
            }

            return _pathFd;
        }
    }

    // Opens the file where it lies. The directory's lock is taken under this one: upwards only, so no two threads meet.
    [RequiresLock(nameof(_lock))]
    private HostErrno OpenHomeLocked(int flags, out int fd)
    {
        fd = -1;
        if (_home is not { } home)
        {
            return HostErrno.ESTALE;
        }

        int directory = home.Directory.PathFd();
        if (directory < 0)
        {
            return HostErrno.EACCES;
        }

        HostResult opened = DirectCalls.Open(directory, home.Name, flags);
        if (opened.IsError)
        {
            return opened.Error;
        }

        HostStatx stat = default;
        HostErrno error = DirectCalls.Stat(opened.Int, ref stat);
        if (error == HostErrno.None)
        {
            error = TakeLocked(in stat);
        }

        if (error != HostErrno.None)
        {
            _ = HostCalls.Close(opened.Int);
            return error;
        }

        fd = opened.Int;
        return HostErrno.None;
    }

    // Reads the attributes by a descriptor of the file, or where it lies.
    [RequiresLock(nameof(_lock))]
    private HostErrno StatLocked(int fd)
    {
        HostStatx stat = default;
        HostErrno error = HostErrno.ESTALE;
        if (fd >= 0)
        {
            error = DirectCalls.Stat(fd, ref stat);
        }
        else if (_home is { } home && home.Directory.PathFd() is >= 0 and int directory)
        {
            error = DirectCalls.Stat(directory, home.Name, ref stat);
        }

        return error == HostErrno.None ? TakeLocked(in stat) : error;
    }

    [RequiresLock(nameof(_lock))]
    private HostErrno TakeLocked(in HostStatx stat)
    {
        if (IdentityOf(in stat) != Identity)
        {
            return HostErrno.ESTALE;
        }

        _attributes = Convert(_fs, Identity, in stat);
        _isFresh = true;
        return HostErrno.None;
    }

    private HostErrno Walk(uint directory, string name, out uint fid)
    {
        Attr attr = default;
        fid = NoFid;
        HostErrno error = _fs.Connection.Walk(directory, new ReadOnlySpan<string>(in name), new Span<uint>(ref fid), new Span<Attr>(ref attr), out int walked, out _);
        if (error == HostErrno.None && walked == 0)
        {
            error = HostErrno.ESTALE;
        }
        else if (error == HostErrno.None && IdentityOf(in attr) != Identity)
        {
            _fs.Connection.Drop(fid);
            error = HostErrno.ESTALE;
        }

        return error;
    }

    /// <summary>Keeps a directory as a descriptor from now on.</summary>
    internal void OpenPath() => _ = PathFd();

    /// <summary>Closes the descriptor of a directory.</summary>
    internal void CloseDirectly()
    {
        int fd = Interlocked.Exchange(ref _pathFd, -1);
        if (fd >= 0)
        {
            _ = HostCalls.Close(fd);
            _fs.ForgetDirectory();
        }
    }

    private sealed record Home(GoferInode Directory, string Name);
}
