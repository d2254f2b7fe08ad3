// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;

namespace CVisor.Core.Vfs;

/// <summary>How a path is walked (namei's LOOKUP_*, openat2's RESOLVE_*).</summary>
[Flags]
public enum WalkFlags
{
    /// <summary>The last component is not followed when it is a symbolic link.</summary>
    None = 0,

    /// <summary>A symbolic link as last component is followed.</summary>
    FollowLast = 1,

    /// <summary>An empty path is the start itself (AT_EMPTY_PATH).</summary>
    AllowEmpty = 2,

    /// <summary>The result must be a directory (ENOTDIR).</summary>
    RequireDirectory = 4,

    /// <summary>RESOLVE_NO_XDEV: no mount is crossed (EXDEV).</summary>
    NoCrossMounts = 8,

    /// <summary>RESOLVE_NO_MAGICLINKS (ELOOP).</summary>
    NoMagicLinks = 16,

    /// <summary>RESOLVE_NO_SYMLINKS (ELOOP).</summary>
    NoSymlinks = 32,

    /// <summary>RESOLVE_BENEATH: the walk may not leave the start (EXDEV).</summary>
    Beneath = 64,

    /// <summary>RESOLVE_IN_ROOT: the start is the root.</summary>
    InRoot = 128,

    /// <summary>umount(2): of what lies on the last component, the topmost is meant.</summary>
    CrossLast = 256,
}

/// <summary>Walks paths (path_resolution(7)).</summary>
/// <remarks>A struct that holds references: after <see cref="Begin"/> succeeded, <see cref="End"/> or <see cref="TakeCurrent"/> is called once.</remarks>
public struct PathWalker
{
    /// <summary>The longest name in bytes (NAME_MAX).</summary>
    public const int MaximumName = 255;

    private const int MaximumLinks = 40;

    private readonly OperationContext _context;
    private readonly WalkFlags _flags;
    private VfsPath _root;
    private VfsPath _current;
    private string _path;
    private int _at;
    private int _links;

    private PathWalker(in OperationContext context, WalkFlags flags)
    {
        _context = context;
        _flags = flags;
        _path = "";
        Name = "";
    }

    /// <summary>The last component when the walk stopped before it: a name, "." or ".."; "" when there is none ("/").</summary>
    public string Name { get; private set; }

    /// <summary>Whether slashes follow the last component.</summary>
    public bool HasTrailingSlash { get; private set; }

    /// <summary>Where the walk is.</summary>
    public readonly VfsPath Current => _current;

    /// <summary>Whether the last component is an ordinary name.</summary>
    public readonly bool IsName => Name is not ("" or "." or "..");

    /// <summary>Walks a whole path.</summary>
    /// <param name="context">Who.</param>
    /// <param name="root">The root directory.</param>
    /// <param name="start">Where relative paths start.</param>
    /// <param name="path">The path.</param>
    /// <param name="flags">How.</param>
    /// <param name="result">The place, with references.</param>
    public static Errno Resolve(in OperationContext context, VfsPath root, VfsPath start, string path, WalkFlags flags, out VfsPath result)
    {
        result = default;
        Errno error = Begin(context, root, start, path, flags, out PathWalker walker);
        if (error == Errno.None)
        {
            error = walker.WalkAll();
            result = walker.TakeCurrent(error);
        }

        return error;
    }

    /// <summary>Starts a walk.</summary>
    public static Errno Begin(in OperationContext context, VfsPath root, VfsPath start, string path, WalkFlags flags, out PathWalker walker)
    {
        walker = new PathWalker(context, flags);
        if (path.Length == 0 && (flags & WalkFlags.AllowEmpty) == 0)
        {
            return Errno.ENOENT;
        }

        bool isAbsolute = path.Length > 0 && path[0] == '/';
        if (isAbsolute && (flags & WalkFlags.Beneath) != 0)
        {
            return Errno.EXDEV;
        }

        if ((flags & (WalkFlags.Beneath | WalkFlags.InRoot)) != 0)
        {
            root = start;
        }

        VfsPath from = isAbsolute ? root : start;
        if (from.Dentry?.Inode is null)
        {
            return Errno.ENOENT;
        }

        if (path.Length > 0 && !from.Dentry.IsDirectory)
        {
            return Errno.ENOTDIR;
        }

        walker._root = root;
        walker._current = from;
        walker._current.Reference();
        walker._root.Reference();
        walker._path = path;
        return Errno.None;
    }

    /// <summary>Walks to the end.</summary>
    public Errno WalkAll()
    {
        Errno error = Walk(stopAtLast: false);
        if (error != Errno.None)
        {
            return error;
        }

        if ((_flags & WalkFlags.CrossLast) != 0)
        {
            error = CrossMounts(ref _current);
        }

        bool mustBeDirectory = HasTrailingSlash || (_flags & WalkFlags.RequireDirectory) != 0;
        return error == Errno.None && mustBeDirectory && !_current.Dentry!.IsDirectory ? Errno.ENOTDIR : error;
    }

    /// <summary>Walks to the directory of the last component, which <see cref="Name"/> holds then.</summary>
    public Errno WalkToParent() => Walk(stopAtLast: true);

    /// <summary>Goes on from the parent to the last component, found by the caller; follows mounts on it.</summary>
    /// <param name="child">A child of the current directory; the reference is taken over.</param>
    public Errno MoveTo(Dentry child)
    {
        VfsPath next = new(_current.Mount, child);
        next.Mount?.Reference();
        Errno error = CrossMounts(ref next);
        if (error != Errno.None)
        {
            next.Unreference();
            return error;
        }

        Replace(next);
        return Errno.None;
    }

    /// <summary>Starts over from the parent with the text of a symbolic link that the caller found as last component.</summary>
    /// <param name="link">The link's inode.</param>
    /// <param name="isDone">Whether it was a magic link, so that the current place is the result.</param>
    public Errno FollowLink(Inode link, out bool isDone)
    {
        isDone = false;
        if ((_flags & WalkFlags.NoSymlinks) != 0 || ++_links > MaximumLinks || (_current.Mount is { } mount && (mount.Flags & MountFlags.NoSymlinks) != 0))
        {
            return Errno.ELOOP;
        }

        if (link.TryFollowMagicLink(_context, out VfsPath target, out Errno error))
        {
            isDone = true;
            return FollowMagicLink(target, error);
        }

        error = link.ReadLink(_context, out string text);
        if (error != Errno.None)
        {
            return error;
        }

        if (text.Length == 0)
        {
            return Errno.ENOENT;
        }

        _path = _at < _path.Length ? text + _path[_at..] : text;
        _at = 0;
        if (text[0] != '/')
        {
            return Errno.None;
        }

        if ((_flags & WalkFlags.Beneath) != 0 || ((_flags & WalkFlags.NoCrossMounts) != 0 && _root.Mount != _current.Mount))
        {
            return Errno.EXDEV;
        }

        VfsPath root = _root;
        root.Reference();
        Replace(root);
        return Errno.None;
    }

    /// <summary>Ends the walk; the current place is the caller's when there was no error.</summary>
    public VfsPath TakeCurrent(Errno error)
    {
        VfsPath result = _current;
        _current = default;
        _root.Unreference();
        _root = default;
        if (error != Errno.None)
        {
            result.Unreference();
            return default;
        }

        return result;
    }

    /// <summary>Ends the walk.</summary>
    public void End() => _ = TakeCurrent(Errno.EINVAL);

    /// <summary>Replaces a place by what lies on it. The references move along.</summary>
    private readonly Errno CrossMounts(ref VfsPath place)
    {
        while (Volatile.Read(ref place.Dentry!.MountCount) != 0 && place.Mount?.Namespace is { } mounts && mounts.TryGetMounted(place, out Mount? mounted))
        {
            if ((_flags & WalkFlags.NoCrossMounts) != 0)
            {
                mounted.Unreference();
                return Errno.EXDEV;
            }

            mounted.Root.Reference();
            place.Unreference();
            place = mounted.RootPath;
        }

        return Errno.None;
    }

    private Errno Walk(bool stopAtLast)
    {
        Name = "";
        HasTrailingSlash = false;
        while (true)
        {
            while (_at < _path.Length && _path[_at] == '/')
            {
                _at++;
            }

            if (_at == _path.Length)
            {
                return Errno.None;
            }

            Inode? directory = _current.Dentry!.Inode;
            if (directory?.Type != FileType.Directory)
            {
                return directory is null ? Errno.ENOENT : Errno.ENOTDIR;
            }

            Errno error = directory.CheckAccess(_context.Credentials, AccessMode.Execute);
            if (error != Errno.None)
            {
                return error;
            }

            int end = _path.IndexOf('/', _at);
            end = end < 0 ? _path.Length : end;
            string name = _path[_at..end];
            _at = end;
            bool isLast = IsOnlySlashes(end);
            if (name.Length > MaximumName)
            {
                return Errno.ENAMETOOLONG;
            }

            if (isLast && stopAtLast)
            {
                Name = name;
                HasTrailingSlash = end < _path.Length;
                return Errno.None;
            }

            error = name switch
            {
                "." => Errno.None,
                ".." => StepUp(),
                _ => StepDown(name, isLast, end < _path.Length),
            };
            if (error != Errno.None)
            {
                return error;
            }
        }
    }

    private readonly bool IsOnlySlashes(int from)
    {
        for (int i = from; i < _path.Length; i++)
        {
            if (_path[i] != '/')
            {
                return false;
            }
        }

        return true;
    }

    private Errno StepDown(string name, bool isLast, bool hasSlash)
    {
        HasTrailingSlash = isLast && hasSlash;
        Dentry parent = _current.Dentry!;
        Dentry? child;
        Errno error;
        lock (parent.Lock)
        {
            error = DentryCache.LookupLocked(_context, parent, name, out child);
        }

        if (error != Errno.None || child is null)
        {
            return error != Errno.None ? error : Errno.ENOENT;
        }

        // The reference keeps the inode, unless the name was removed and died in between, which a reference prevents.
        Inode inode = child.Inode!;
        if (inode.Type == FileType.Symlink && (!isLast || hasSlash || (_flags & WalkFlags.FollowLast) != 0))
        {
            error = FollowLink(inode, out _);
            child.Unreference();
            return error;
        }

        return MoveTo(child);
    }

    private readonly bool IsAtRoot => _current.Dentry == _root.Dentry && _current.Mount == _root.Mount;

    private Errno StepUp()
    {
        while (true)
        {
            if (IsAtRoot)
            {
                return (_flags & WalkFlags.Beneath) != 0 ? Errno.EXDEV : Errno.None;
            }

            if (_current.Mount is not { } mount || _current.Dentry != mount.Root)
            {
                break;
            }

            if (mount.Namespace is not { } mounts || !mounts.TryGetMountPoint(mount, out VfsPath place))
            {
                return Errno.None; // The namespace's root, or a detached mount: its parent is itself.
            }

            Replace(place);
            if ((_flags & WalkFlags.NoCrossMounts) != 0)
            {
                return Errno.EXDEV;
            }
        }

        if (TakeParent(_current.Dentry!) is not { } parent)
        {
            return Errno.None;
        }

        return MoveTo(parent);
    }

    /// <summary>The parent, with a reference, of a dentry that may be moving.</summary>
    private static Dentry? TakeParent(Dentry dentry)
    {
        while (true)
        {
            Dentry? parent = dentry.Parent;
            if (parent is null)
            {
                return null;
            }

            parent.Reference();
            if (dentry.Parent == parent)
            {
                return parent;
            }

            parent.Unreference();
        }
    }

    private Errno FollowMagicLink(VfsPath target, Errno error)
    {
        if (error != Errno.None)
        {
            return error;
        }

        if ((_flags & WalkFlags.NoMagicLinks) != 0)
        {
            target.Unreference();
            return Errno.ELOOP;
        }

        if ((_flags & (WalkFlags.Beneath | WalkFlags.InRoot)) != 0 || ((_flags & WalkFlags.NoCrossMounts) != 0 && target.Mount != _current.Mount))
        {
            target.Unreference();
            return Errno.EXDEV;
        }

        Replace(target);
        return Errno.None;
    }

    private void Replace(VfsPath next)
    {
        VfsPath old = _current;
        _current = next;
        old.Unreference();
    }
}
