// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Terminals;

/// <summary>A file of devpts: owner and permissions can be changed, and nothing is kept of them once the file is gone.</summary>
internal abstract class DevptsInode : Inode
{
    private protected readonly Lock Lock = new();
    [GuardedBy(nameof(Lock))]
    private Attributes _attributes;

    private protected DevptsInode(DevptsFileSystem fileSystem, ulong number, uint mode, uint uid, uint gid)
        : base(fileSystem)
    {
        Devpts = fileSystem;
        Number = number;
        long nowNs = KernelClock.RealtimeNs;
        _attributes = new Attributes
        {
            Mode = mode,
            Uid = uid,
            Gid = gid,
            LinkCount = 1,
            Inode = number,
            Device = fileSystem.Device,
            BlockSize = 1024,
            AccessTimeNs = nowNs,
            ModifyTimeNs = nowNs,
            ChangeTimeNs = nowNs,
        };
    }

    internal DevptsFileSystem Devpts { get; }

    internal ulong Number { get; }

    /// <inheritdoc/>
    public override Errno GetAttributes(out Attributes attributes)
    {
        lock (Lock)
        {
            attributes = _attributes;
        }

        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno SetAttributes(in OperationContext context, in AttributeChange change)
    {
        lock (Lock)
        {
            _attributes.Apply(change, KernelClock.RealtimeNs);
        }

        return Errno.None;
    }
}

/// <summary>The slave of a terminal.</summary>
internal sealed class DevptsSlave : DevptsInode
{
    private const ulong FirstNumber = 3;

    internal DevptsSlave(DevptsFileSystem fileSystem, Pty terminal, uint mode, uint uid, uint gid)
        : base(fileSystem, FirstNumber + (ulong)terminal.Index, (uint)FileType.CharacterDevice | mode, uid, gid) => Terminal = terminal;

    /// <inheritdoc/>
    public override FileType Type => FileType.CharacterDevice;

    internal Pty Terminal { get; }

    internal string Name => Terminal.Index.ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override Errno GetAttributes(out Attributes attributes)
    {
        _ = base.GetAttributes(out attributes);
        (long readNs, long writtenNs) = Terminal.Times;
        attributes.RawDevice = Terminal.DeviceNumber;
        attributes.AccessTimeNs = Math.Max(attributes.AccessTimeNs, readNs);
        attributes.ModifyTimeNs = Math.Max(attributes.ModifyTimeNs, writtenNs);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) => SlaveDescription.Open(Terminal, context, path, flags);
}

/// <summary>The ptmx node: each open makes a terminal.</summary>
internal sealed class DevptsMaster(DevptsFileSystem fileSystem, uint mode) : DevptsInode(fileSystem, 2, (uint)FileType.CharacterDevice | mode, 0, 0)
{
    /// <inheritdoc/>
    public override FileType Type => FileType.CharacterDevice;

    /// <inheritdoc/>
    public override Errno GetAttributes(out Attributes attributes)
    {
        _ = base.GetAttributes(out attributes);
        attributes.RawDevice = DeviceNumber.Make(5, 2);
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) => Devpts.OpenMaster(context, path.Mount!, path, flags);
}

/// <summary>The directory.</summary>
internal sealed class DevptsRoot(DevptsFileSystem fileSystem) : DevptsInode(fileSystem, 1, (uint)FileType.Directory | 0x1ed, 0, 0)
{
    /// <inheritdoc/>
    public override FileType Type => FileType.Directory;

    /// <inheritdoc/>
    public override Errno GetAttributes(out Attributes attributes)
    {
        _ = base.GetAttributes(out attributes);
        attributes.LinkCount = 2;
        return Errno.None;
    }

    /// <inheritdoc/>
    public override Errno Lookup(in OperationContext context, string name, out Inode? child)
    {
        child = Find(name);
        return child is null ? Errno.ENOENT : Errno.None;
    }

    /// <inheritdoc/>
    public override bool Revalidate(in OperationContext context, string name, Inode? child) => Find(name) == child;

    /// <inheritdoc/>
    public override Blocking<OpenResult> Open(OperationContext context, VfsPath path, OpenFlags flags) => (OpenResult)new Description(this, path, flags);

    private Inode? Find(string name) => name == "ptmx" ? Devpts.Master : Devpts.Find(name);

    private sealed class Description(DevptsRoot root, VfsPath path, OpenFlags flags) : DirectoryDescription(path, flags)
    {
        private const long FirstSlave = 3;

        protected override Errno ReadEntries(in OperationContext context, long offset, IDirectorySink sink)
        {
            bool fits = (offset > 0 || sink.Add(".", root.Number, FileType.Directory, 1)) &&
                (offset > 1 || sink.Add("..", root.Number, FileType.Directory, 2)) &&
                (offset > 2 || sink.Add("ptmx", 2, FileType.CharacterDevice, FirstSlave));
            foreach (DevptsSlave slave in root.Devpts.List())
            {
                long position = FirstSlave + slave.Terminal.Index;
                fits = fits && (position < offset || sink.Add(slave.Name, slave.Number, FileType.CharacterDevice, position + 1));
            }

            return Errno.None;
        }
    }
}
