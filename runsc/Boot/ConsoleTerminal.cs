// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.HostStreams;
using CVisor.FileSystems.Terminals;
using CVisor.Host;

namespace CVisor.Runsc.Boot;

/// <summary>A process's terminal: one of the container's own, joined to the host's that runsc handed in.</summary>
internal static class ConsoleTerminal
{
    private const string Devpts = "/dev/pts/";

    /// <summary>Makes a terminal the standard streams of a process.</summary>
    /// <param name="root">The container's root.</param>
    /// <param name="owner">Whose terminal it is.</param>
    /// <param name="descriptors">The host's descriptors; those of the terminal are taken out and over.</param>
    /// <param name="table">Receives the terminal.</param>
    /// <returns>The bridge; null, and nothing is changed, when the streams are no terminal or the container has no devpts.</returns>
    internal static TerminalBridge? Start(VfsPath root, UserCredentials owner, List<(int HostFd, int GuestFd)> descriptors, FdTable table)
    {
        int input = Find(descriptors, 0);
        int output = Find(descriptors, 1);
        if (input < 0 || output < 0 || !Host.HostTerminal.IsTerminal(input) || !Host.HostTerminal.IsTerminal(output) ||
            VirtualFileSystem.Resolve(OperationContext.Kernel, root, root, Devpts + "ptmx", WalkFlags.None, out VfsPath ptmx) != Errno.None)
        {
            return null;
        }

        OperationContext context = new(owner, null);
        MasterDescription? master = ptmx.Inode.FileSystem is DevptsFileSystem devpts ? devpts.OpenMaster(context, ptmx.Mount!, ptmx, OpenFlags.ReadWrite).Description as MasterDescription : null;
        ptmx.Unreference();
        if (master is null)
        {
            return null;
        }

        master.Terminal.IsLocked = false;
        string name = Devpts + master.Terminal.Index.ToString(CultureInfo.InvariantCulture);
        Errno error = VirtualFileSystem.Resolve(OperationContext.Kernel, root, root, name, WalkFlags.None, out VfsPath place);
        FileDescription? slave = error == Errno.None ? SlaveDescription.Open(master.Terminal, context, place, OpenFlags.ReadWrite | OpenFlags.NoControllingTty).Description : null;
        if (error == Errno.None)
        {
            place.Unreference();
        }

        if (slave is null)
        {
            master.Unreference();
            return null;
        }

        for (int fd = 0; fd < 3; fd++)
        {
            slave.Reference();
            table.InstallAt(fd, slave, closeOnExec: false)?.Unreference();
        }

        slave.Unreference();
        int errors = Find(descriptors, 2);
        if (errors >= 0 && errors != output && errors != input)
        {
            _ = HostCalls.Close(errors);
        }

        _ = descriptors.RemoveAll(static one => one.GuestFd < 3);
        return TerminalBridge.Start(master, input, output == input ? HostCalls.Dup(output).Int : output);
    }

    /// <summary>Makes the container's terminal its /dev/console too, by a mount as in other runtimes.</summary>
    internal static Errno MountConsole(MountNamespace mounts, VfsPath root, Pty terminal)
    {
        const string Console = "/dev/console";
        Errno error = VirtualFileSystem.MakeNode(OperationContext.Kernel, root, root, Console, (uint)FileType.Regular | 0x180, 0);
        if (error is not (Errno.None or Errno.EEXIST))
        {
            return error;
        }

        string name = Devpts + terminal.Index.ToString(CultureInfo.InvariantCulture);
        error = VirtualFileSystem.Resolve(OperationContext.Kernel, root, root, name, WalkFlags.None, out VfsPath slave);
        if (error != Errno.None)
        {
            return error;
        }

        error = VirtualFileSystem.Resolve(OperationContext.Kernel, root, root, Console, WalkFlags.None, out VfsPath place);
        if (error == Errno.None)
        {
            Mount mount = new(slave.Inode.FileSystem, slave.Dentry!, slave.Mount!.Flags, "devpts");
            error = mounts.Attach(mount, place);
            place.Unreference();
        }

        slave.Unreference();
        return error;
    }

    private static int Find(List<(int HostFd, int GuestFd)> descriptors, int guestFd)
    {
        int index = descriptors.FindIndex(one => one.GuestFd == guestFd);
        return index < 0 ? -1 : descriptors[index].HostFd;
    }
}
