// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems.Terminals;

/// <summary>An open master: what a terminal emulator or sshd has.</summary>
public sealed class MasterDescription : FileDescription
{
    private readonly DevptsFileSystem _fileSystem;

    internal MasterDescription(DevptsFileSystem fileSystem, Pty terminal, Mount mount, VfsPath path, OpenFlags flags)
        : base(path, flags)
    {
        _fileSystem = fileSystem;
        Terminal = terminal;
        DevptsMount = mount;
    }

    /// <summary>The terminal.</summary>
    public Pty Terminal { get; }

    /// <summary>The mount that the slave's name is in.</summary>
    internal Mount DevptsMount { get; }

    /// <inheritdoc/>
    public override WaitQueue Queue => Terminal.MasterQueue;

    /// <inheritdoc/>
    public override bool WritesWhole => true;

    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination) => Terminal.ReadMaster(ref destination);

    /// <inheritdoc/>
    public override IoResult Write(Task? task, ref IoBuffer source) => Terminal.WriteMaster(ref source);

    /// <inheritdoc/>
    public override PollEvents Readiness(PollEvents mask) => Terminal.MasterReadiness & (mask | PollEvents.Err | PollEvents.Hup);

    /// <inheritdoc/>
    public override Blocking<SyscallResult> Ioctl(Task task, uint request, ulong argument) => (SyscallResult)TerminalIoctl.OnMaster(this, task, request, new UserPtr(argument));

    /// <summary>Opens the slave by way of the master (TIOCGPTPEER), wherever devpts is mounted for the caller.</summary>
    internal OpenResult OpenPeer(Task task, OpenFlags flags)
    {
        OperationContext context = new(task.Credentials, task);
        VfsPath root = new(DevptsMount, _fileSystem.RootDentry);
        string name = Terminal.Index.ToString(System.Globalization.CultureInfo.InvariantCulture);
        Errno error = VirtualFileSystem.Resolve(OperationContext.Kernel, root, root, name, WalkFlags.None, out VfsPath place);
        if (error != Errno.None)
        {
            return error;
        }

        OpenResult opened = SlaveDescription.Open(Terminal, context, place, flags);
        place.Unreference();
        return opened;
    }

    /// <inheritdoc/>
    protected override void OnRelease()
    {
        _fileSystem.Remove(Terminal);
        Terminal.CloseMaster();
    }
}
