// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Text;
using System.Threading;
using CVisor.Gofer.Server;
using CVisor.Host;
using CVisor.Host.Filters;

namespace CVisor.Gofer.Host;

/// <summary>The gofer's process entry.</summary>
public static class GoferProgram
{
    private const int RlimitNofile = 7, StandardError = 2, FailureStatus = 128;

    // The deepest handler needs some 20 KiB; the runtime the rest.
    private const int StackBytes = 256 * 1024;

    /// <summary>Serves until every connection is closed.</summary>
    /// <param name="args">
    /// One <c>--connection=SOCKET,TREE,ro|rw</c> a tree (descriptor numbers of the connected socket and of the tree's root:
    /// O_PATH, a directory or a single file, a detached mount), <c>--proc-fd=</c> (this process's /proc/self/fd, a
    /// detached mount too), <c>--host-uds=</c>, <c>--host-fifo=</c>, <c>--directfs=true|false</c>, <c>--log-fd=</c>.
    /// The root directory is already empty and the capabilities are dropped to those over files.
    /// </param>
    /// <returns>0 when every client closed its connection, 128 when the process could not begin.</returns>
    [BeforeFilter("installs it")]
    public static int Main(string[] args)
    {
        GoferArguments? arguments = GoferArguments.Parse(args, out string problem);
        if (arguments is null)
        {
            Report(StandardError, problem);
            return FailureStatus;
        }

        int log = arguments.LogFd >= 0 ? arguments.LogFd : StandardError;
        RaiseDescriptorLimit();
        _ = HostCalls.Umask(0); // modes come from the client, complete

        // Unix socket addresses are paths: relative to here they are descriptors' numbers.
        HostResult moved = HostCalls.Fchdir(arguments.ProcFd);
        if (moved.IsError)
        {
            Report(log, $"gofer: cannot enter its descriptor directory: {moved.Error}");
            return FailureStatus;
        }

        List<GoferSession> sessions = OpenSessions(arguments);
        using ManualResetEventSlim confined = new(false);
        List<Thread> threads = [];
        foreach (GoferSession session in sessions[1..])
        {
            // Made before the filter is, so that no thread has to be made under it; none reads its socket before.
            Thread thread = new(() => Serve(session, confined), StackBytes);
            thread.IsBackground = true;
            thread.Start();
            threads.Add(thread);
        }

        FilterTrap.Install("runsc: the gofer ended: its filter forbids the host call ", FailureStatus, StandardError, log, static _ => null);
        HostResult installed = SeccompInstaller.Install(RoleFilters.Gofer);
        if (installed.IsError)
        {
            Report(log, $"gofer: cannot install its seccomp filter: {installed.Error}");
            return FailureStatus; // every thread of the process ends, and so its sockets
        }

        confined.Set();
        sessions[0].Serve(); // the main thread has nothing else to do
        foreach (Thread thread in threads)
        {
            thread.Join();
        }

        return 0;
    }

    private static List<GoferSession> OpenSessions(GoferArguments arguments)
    {
        HostFiles files = new(arguments.ProcFd);
        List<GoferSession> sessions = [];
        foreach (GoferConnectionArgument connection in arguments.Connections)
        {
            sessions.Add(new GoferSession(connection.Socket, connection.Tree, files, new TreeOptions
            {
                ReadOnly = connection.ReadOnly,
                DonatesRoot = arguments.DirectFs,
                OpensSockets = arguments.HostUds is "open" or "all",
                CreatesSockets = arguments.HostUds is "create" or "all",
                OpensFifos = arguments.HostFifo == "open",
            }));
        }

        return sessions;
    }

    private static void Serve(GoferSession session, ManualResetEventSlim confined)
    {
        confined.Wait();
        session.Serve();
    }

    // Each fid of a client is a descriptor here, and the client keeps thousands of names.
    private static void RaiseDescriptorLimit()
    {
        HostRlimit limit = default;
        if (!HostCalls.Prlimit64(0, RlimitNofile, 0, ref limit).IsError && limit.Current < limit.Maximum)
        {
            limit.Current = limit.Maximum;
            _ = HostCalls.Setrlimit(RlimitNofile, ref limit);
        }
    }

    private static void Report(int fd, string message) => _ = HostCalls.Write(fd, Encoding.UTF8.GetBytes(message + "\n"));
}
