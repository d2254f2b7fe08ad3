// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems;

/// <summary>A file system that is being set up (fsopen(2)): its type, and the parameters that fsconfig(2) gave so far.</summary>
public sealed class MountContext(string typeName) : FileDescription(default, OpenFlags.ReadWrite)
{
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly List<string> _options = [];
    [GuardedBy(nameof(_lock))]
    private string? _source;
    [GuardedBy(nameof(_lock))]
    private FileSystem? _made;
    [GuardedBy(nameof(_lock))]
    private bool _isReadOnly;
    [GuardedBy(nameof(_lock))]
    private bool _isUsed;

    /// <inheritdoc/>
    public override Inode Inode => AnonymousFileSystem.SharedInode;

    /// <inheritdoc/>
    public override string AnonymousName => "anon_inode:[fscontext]";

    /// <summary>Reads messages about what went wrong: there are none.</summary>
    public override IoResult Read(Task? task, ref IoBuffer destination) => Errno.ENODATA;

    /// <summary>Takes a parameter.</summary>
    /// <param name="key">Its name.</param>
    /// <param name="value">Its value; null for a flag.</param>
    /// <returns>None; EINVAL; EBUSY when the file system is made already.</returns>
    public Errno Set(string key, string? value)
    {
        lock (_lock)
        {
            if (_made is not null)
            {
                return Errno.EBUSY;
            }

            switch (key)
            {
                case "source":
                    if (value is null || _source is not null)
                    {
                        return Errno.EINVAL;
                    }

                    _source = value;
                    return Errno.None;
                case "ro" or "rw" when value is null:
                    _isReadOnly = key == "ro";
                    return Errno.None;
                case "sync" or "async" or "dirsync" or "lazytime" or "nolazytime" or "mand" or "nomand" when value is null:
                    return Errno.None;
                default:
                    if (key.Contains(',', StringComparison.Ordinal) || value?.Contains(',', StringComparison.Ordinal) == true)
                    {
                        return Errno.EINVAL;
                    }

                    _options.Add(value is null ? key : key + "=" + value);
                    return Errno.None;
            }
        }
    }

    /// <summary>Makes the file system (FSCONFIG_CMD_CREATE); EBUSY the second time.</summary>
    public Errno Create(Task task)
    {
        lock (_lock)
        {
            return _made is not null ? Errno.EBUSY : MountableTypes.Make(typeName, task, string.Join(',', _options), out _made);
        }
    }

    /// <summary>Makes the mount (fsmount(2)): a tree that lies nowhere, with one user. EINVAL before <see cref="Create"/>, EBUSY the second time.</summary>
    public Errno Mount(MountFlags flags, out MountNamespace? tree)
    {
        tree = null;
        lock (_lock)
        {
            if (_made is null || _isUsed)
            {
                return _made is null ? Errno.EINVAL : Errno.EBUSY;
            }

            _isUsed = true;
            tree = MountNamespace.CreateFloating(new Mount(_made, flags | (_isReadOnly ? MountFlags.ReadOnly : MountFlags.None), _source ?? "none"));
            return Errno.None;
        }
    }
}
