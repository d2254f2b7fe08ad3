// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Terminals;

/// <summary>The terminals of one /dev/pts: every mount is an instance of its own (devpts(5)).</summary>
/// <remarks>Lock order: <c>_lock</c> alone; a terminal's own lock is not taken under it.</remarks>
public sealed class DevptsFileSystem : FileSystem
{
    private const uint MasterMajor = 5, MasterMinor = 2;
    private readonly TaskSet _tasks;
    private readonly DevptsOptions _options;
    private readonly DevptsRoot _root;
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly SortedDictionary<int, DevptsSlave> _slaves = [];

    /// <summary>Makes an instance without terminals.</summary>
    public DevptsFileSystem(TaskSet tasks, DevptsOptions options)
    {
        _tasks = tasks;
        _options = options;
        _root = new DevptsRoot(this);
        _root.Reference();
        Master = new DevptsMaster(this, options.MasterMode);
        Master.Reference();
    }

    /// <inheritdoc/>
    public override string TypeName => "devpts";

    /// <inheritdoc/>
    public override Inode Root => _root;

    /// <inheritdoc/>
    public override DentryPolicy DentryPolicy => DentryPolicy.Revalidate;

    /// <inheritdoc/>
    public override string Options
    {
        get
        {
            string uid = _options.Uid is { } owner ? string.Create(CultureInfo.InvariantCulture, $"uid={owner},") : "";
            string gid = _options.Gid is { } group ? string.Create(CultureInfo.InvariantCulture, $"gid={group},") : "";
            return $"{uid}{gid}mode={Convert.ToString(_options.Mode, 8)},ptmxmode={Convert.ToString(_options.MasterMode, 8).PadLeft(3, '0')}";
        }
    }

    /// <summary>The ptmx node.</summary>
    internal Inode Master { get; }

    /// <summary>Makes /dev/ptmx nodes that lie elsewhere open: they use the "pts" beside them (devpts_mntget()).</summary>
    public static void Register()
    {
        SpecialFiles.Register(FileType.CharacterDevice, MasterMajor, MasterMinor, static (_, context, path, flags) => OpenBeside(context, path, flags));
        SpecialFiles.Register(FileType.CharacterDevice, MasterMajor, 0, static (_, context, path, flags) => OpenControlling(context, path, flags));

        // A slave is reached through its devpts only.
        SpecialFiles.Register(FileType.CharacterDevice, Pty.SlaveMajor, SpecialFiles.AnyMinor, static (_, _, _, _) => (OpenResult)Errno.EIO);
    }

    /// <inheritdoc/>
    public override Errno GetStatistics(out FileSystemStatistics statistics)
    {
        statistics = new FileSystemStatistics { Type = 0x1cd1, BlockSize = 4096, NameLength = 255 };
        return Errno.None;
    }

    /// <summary>Opens a new terminal's master.</summary>
    /// <param name="context">Who.</param>
    /// <param name="mount">The mount of this file system.</param>
    /// <param name="path">Where the master's node was found.</param>
    /// <param name="flags">The flags.</param>
    /// <returns>The description; ENOSPC when there are too many.</returns>
    public OpenResult OpenMaster(in OperationContext context, Mount mount, VfsPath path, OpenFlags flags)
    {
        Pty terminal;
        lock (_lock)
        {
            int index = 0;
            while (_slaves.ContainsKey(index))
            {
                index++;
            }

            if (index >= _options.Maximum)
            {
                return Errno.ENOSPC;
            }

            terminal = new Pty(_tasks, index);
            DevptsSlave slave = new(this, terminal, _options.Mode, _options.Uid ?? context.Credentials.FileUid, _options.Gid ?? context.Credentials.FileGid);
            slave.Reference();
            _slaves.Add(index, slave);
        }

        return new MasterDescription(this, terminal, mount, path, flags);
    }

    /// <summary>The master is closed: the slave has no name any more.</summary>
    internal void Remove(Pty terminal)
    {
        DevptsSlave? slave;
        lock (_lock)
        {
            _ = _slaves.Remove(terminal.Index, out slave);
        }

        slave?.Unreference();
    }

    /// <summary>The slave of a name, or null.</summary>
    internal DevptsSlave? Find(string name)
    {
        if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int index) || (name.Length > 1 && name[0] == '0'))
        {
            return null;
        }

        lock (_lock)
        {
            return _slaves.GetValueOrDefault(index);
        }
    }

    /// <summary>The slaves there are now.</summary>
    internal DevptsSlave[] List()
    {
        lock (_lock)
        {
            return [.. _slaves.Values];
        }
    }

    private static OpenResult OpenBeside(in OperationContext context, VfsPath path, OpenFlags flags)
    {
        if (path.Dentry?.Parent is not { } parent || context.Task is not { } task)
        {
            return Errno.ENODEV;
        }

        VfsPath start = new(path.Mount, parent);
        Errno error = VirtualFileSystem.Resolve(OperationContext.Kernel, task.Fs.Root, start, "pts", WalkFlags.FollowLast, out VfsPath pts);
        if (error != Errno.None)
        {
            return error;
        }

        OpenResult opened = pts.Inode is DevptsRoot { FileSystem: DevptsFileSystem devpts } ? devpts.OpenMaster(context, pts.Mount!, path, flags) : Errno.ENODEV;
        pts.Unreference();
        return opened;
    }

    /// <summary>/dev/tty: the caller's own terminal; ENXIO without one.</summary>
    private static OpenResult OpenControlling(in OperationContext context, VfsPath path, OpenFlags flags) =>
        context.Task is { } task && task.Kernel.Tasks.GetTerminal(task) is Pty terminal
            ? SlaveDescription.Open(terminal, context, path, flags | OpenFlags.NoControllingTty)
            : Errno.ENXIO;
}
