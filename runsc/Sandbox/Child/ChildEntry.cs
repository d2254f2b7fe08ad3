// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using CVisor.Host;
using CVisor.Runsc.Control;

namespace CVisor.Runsc.Sandbox;

/// <summary>The first managed code of the hidden subcommands: reads the configuration and confines the process.</summary>
public static class ChildEntry
{
    /// <summary>The argument that carries the configuration's descriptor.</summary>
    public const string ConfigArgument = "--config-fd=";

    /// <summary>Prepares <c>runsc boot</c>; the sentry is the caller's to run.</summary>
    /// <param name="args">The subcommand's arguments.</param>
    /// <param name="read">Called with the configuration before anything can fail over it.</param>
    public static BootConfig PrepareBoot(string[] args, Action<BootConfig> read)
    {
        BootConfig config = BootConfigFile.ReadBoot(ConfigFd(args));
        read(config);
        if (config.Jail.EmptyRoot)
        {
            ProcessJail.EnterEmptyRoot();
        }

        ProcessJail.DropPrivileges(config.Jail);
        return config;
    }

    /// <summary>
    /// Prepares <c>runsc gofer</c>: an empty root, and a detached mount of each tree. Returns the gofer's arguments.
    /// </summary>
    /// <remarks>
    /// The arguments are one <c>--connection=SOCKET,TREE,ro|rw</c> for each tree (the descriptor numbers of the socket and
    /// of the tree's root, O_PATH, a directory or a file), <c>--proc-fd=</c> (see <see cref="TreeMount.OpenDescriptors"/>),
    /// <c>--host-uds=</c>, <c>--host-fifo=</c>, <c>--log-fd=</c>. The process still has its capabilities over file access; no new ones can be had.
    /// </remarks>
    /// <returns>The arguments; null when it failed, which runsc has been told.</returns>
    public static string[]? PrepareGofer(string[] args)
    {
        GoferConfig config = BootConfigFile.ReadGofer(ConfigFd(args));
        try
        {
            return PrepareGofer(config);
        }
        catch (Exception error) when (error is HostException or InvalidOperationException)
        {
            _ = HostIo.WriteAll(config.Start, Encoding.UTF8.GetBytes("cannot confine the gofer process: " + error.Message));
            return null;
        }
        finally
        {
            _ = HostCalls.Close(config.Start);
        }
    }

    private static string[] PrepareGofer(GoferConfig config)
    {
        List<string> arguments = [];
        foreach (GoferTree tree in config.Trees)
        {
            int fd = TreeMount.Open(tree);
            arguments.Add(string.Create(CultureInfo.InvariantCulture, $"--connection={tree.Socket},{fd},{(tree.ReadOnly ? "ro" : "rw")}"));
        }

        arguments.Add(string.Create(CultureInfo.InvariantCulture, $"--proc-fd={TreeMount.OpenDescriptors()}"));
        if (config.Jail.EmptyRoot)
        {
            ProcessJail.EnterEmptyRoot();
        }

        GoferPrivileges.Drop(config.Jail);
        arguments.Add("--directfs=" + (config.DirectFs ? "true" : "false"));
        arguments.Add("--host-uds=" + config.HostUds);
        arguments.Add("--host-fifo=" + config.HostFifo);
        arguments.Add(string.Create(CultureInfo.InvariantCulture, $"--log-fd={config.DebugLog}"));
        return [.. arguments];
    }

    private static int ConfigFd(string[] args)
    {
        foreach (string arg in args)
        {
            if (arg.StartsWith(ConfigArgument, StringComparison.Ordinal)
                && int.TryParse(arg.AsSpan(ConfigArgument.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int fd))
            {
                return fd;
            }
        }

        throw new InvalidOperationException("this subcommand is runsc's own and takes " + ConfigArgument + "N");
    }
}
