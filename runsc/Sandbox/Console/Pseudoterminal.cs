// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text;
using CVisor.Host;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>A terminal of the host for a container: the master goes to whoever asked for it, the slave into the sandbox.</summary>
public static class Pseudoterminal
{
    private const int AtFdcwd = -100, ORdwr = 2, ONoctty = 0x100, OCloexec = 0x80000;

    /// <summary>Makes a terminal and sends its master to a console socket.</summary>
    /// <param name="socketPath">The unix socket that waits for it (containerd's, or runc's recvtty).</param>
    /// <param name="width">Columns; 0 to leave the size.</param>
    /// <param name="height">Rows.</param>
    /// <param name="fds">Takes the slave over.</param>
    /// <returns>The slave.</returns>
    public static int Create(string socketPath, uint width, uint height, FdKeeper fds)
    {
        int master = HostCalls.Openat(AtFdcwd, "/dev/ptmx\0"u8, ORdwr | ONoctty | OCloexec, 0).OrThrow("open /dev/ptmx").Int;
        try
        {
            int number = HostTerminal.Unlock(master).OrThrow("unlock the terminal").Int;
            string name = string.Create(CultureInfo.InvariantCulture, $"/dev/pts/{number}");
            int slave = fds.Own(HostCalls.Openat(AtFdcwd, Encoding.UTF8.GetBytes(name + '\0'), ORdwr | ONoctty | OCloexec, 0).OrThrow("open " + name).Int);
            // For good: the container's own terminal interprets the keys.
            _ = RawTerminal.Enter(slave);
            if (width > 0 && height > 0)
            {
                _ = HostTerminal.SetSize(master, (ushort)Math.Min(width, ushort.MaxValue), (ushort)Math.Min(height, ushort.MaxValue));
            }

            HostResult socket = ControlAddress.Connect(socketPath);
            if (socket.IsError)
            {
                throw new RunscException($"--console-socket {socketPath}: {socket.Error}");
            }

            HostResult sent = DescriptorMessage.Send(socket.Int, Encoding.UTF8.GetBytes(name), [master]);
            _ = HostCalls.Close(socket.Int);
            return sent.IsError ? throw new RunscException($"--console-socket {socketPath}: {sent.Error}") : slave;
        }
        finally
        {
            _ = HostCalls.Close(master);
        }
    }
}
