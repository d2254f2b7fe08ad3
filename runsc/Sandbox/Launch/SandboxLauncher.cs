// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using CVisor.Host;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>Starts a container's two processes: the sandbox and its gofer.</summary>
/// <remarks>
/// The sandbox goes first, so that the gofer can join its empty network namespace: making one is the dearest part of
/// all (half a millisecond), and one is enough.
/// </remarks>
public static class SandboxLauncher
{
    private const int AfUnix = 1, SockSeqpacket = 5, SockCloexec = 0x80000, OCloexec = 0x80000, AtFdcwd = -100, ORdonly = 0, OTmpfile = 0x410000, ORdwr = 2;
    private const int FallocKeepSize = 1, FallocPunchHole = 2;
    private const long FilestoreBytes = 1L << 38;
    private const uint Nobody = 65534;

    /// <summary>Starts both processes.</summary>
    /// <exception cref="RunscException">Either could not be started; nothing is left behind.</exception>
    public static LaunchedSandbox Start(LaunchRequest request)
    {
        FdKeeper fds = new();
        FdPair start = new() { First = -1 };
        FdPair goferStart = new() { First = -1 };
        int sandboxPid = -1;
        int goferPid = -1;
        try
        {
            int trees = request.Mounts.Trees.Count;
            int[] sandboxEnds = new int[trees];
            int[] goferEnds = new int[trees];
            for (int i = 0; i < trees; i++)
            {
                FdPair pair = default;
                HostCalls.Socketpair(AfUnix, SockSeqpacket | SockCloexec, 0, ref pair).OrThrow("socketpair");
                sandboxEnds[i] = fds.Own(pair.First);
                goferEnds[i] = fds.Own(pair.Second);
            }

            HostCalls.Pipe2(ref start, OCloexec).OrThrow("pipe2");
            _ = fds.Own(start.Second);
            HostCalls.Pipe2(ref goferStart, OCloexec).OrThrow("pipe2");
            _ = fds.Own(goferStart.Second);
            HostResult listener = ControlAddress.Listen(request.ControlPath, 64);
            if (listener.IsError)
            {
                throw new RunscException($"cannot make the control socket {request.ControlPath}: {listener.Error}");
            }

            int control = fds.Own(listener.Int);
            BootConfig boot = BootPlanner.Plan(request, sandboxEnds, control, start.Second, fds);
            sandboxPid = StartSandbox(request, boot, fds);
            request.Started?.Invoke(sandboxPid);
            goferPid = StartGofer(request, goferEnds, goferStart.Second, sandboxPid, fds);
            request.Started?.Invoke(goferPid);
            return new LaunchedSandbox(sandboxPid, goferPid, start.First, goferStart.First);
        }
        catch
        {
            Abandon(sandboxPid);
            Abandon(goferPid);
            CloseAll(start.First, goferStart.First);
            throw;
        }
        finally
        {
            fds.Dispose();
        }
    }

    private static void Abandon(int pid)
    {
        if (pid > 0)
        {
            _ = HostCalls.Kill(pid, 9);
            int status = 0;
            _ = HostCalls.Wait4(pid, ref status, 0);
        }
    }

    private static void CloseAll(params ReadOnlySpan<int> fds)
    {
        foreach (int fd in fds)
        {
            if (fd >= 0)
            {
                _ = HostCalls.Close(fd);
            }
        }
    }

    private static int StartSandbox(LaunchRequest request, BootConfig boot, FdKeeper fds)
    {
        int configFd = fds.Own(BootConfigFile.Write(boot));
        List<int> kept = [boot.Fds.Control, boot.Fds.Start, .. boot.Fds.Stdio, .. boot.Fds.GoferSockets];
        foreach (PassedFd passed in boot.Fds.Passed)
        {
            kept.Add(passed.HostFd);
        }

        foreach (BootMount mount in boot.Mounts)
        {
            if (mount.FilestoreFd >= 0)
            {
                kept.Add(mount.FilestoreFd);
            }
        }

        foreach (int fd in (ReadOnlySpan<int>)[boot.Fds.DebugLog, boot.Fds.PanicLog, boot.Fds.UserLog, boot.Fds.ExitStatus])
        {
            if (fd >= 0 && !kept.Contains(fd))
            {
                kept.Add(fd);
            }
        }

        ulong flags = CloneFlags.NewNs | CloneFlags.NewPid | CloneFlags.NewIpc | CloneFlags.NewUts;
        OwnProcess process = new()
        {
            Subcommand = "boot",
            Id = request.Id,
            ConfigFd = configFd,
            KeptFds = kept,
            StderrFd = request.Config.AlsoLogToStderr || request.Attached ? 2 : request.PanicLog >= 0 ? request.PanicLog : request.DebugLog,
            CloneFlags = flags | Network(request, fds, out int joined) | (request.Mapping is null ? 0 : CloneFlags.NewUser),

            // The sentry needs no other id than one, whatever the container's map: the gofer is who acts for them.
            Mapping = request.Mapping is null ? null : UserMapping.Single(),
        };
        if (joined >= 0)
        {
            process.Joined.Add((joined, CloneFlags.NewNet));
        }

        return process.Start();
    }

    /// <summary>A network namespace: a new, empty one, the one the spec names, or the host's.</summary>
    private static ulong Network(LaunchRequest request, FdKeeper fds, out int joined)
    {
        joined = -1;
        if (request.Config.Network == "host")
        {
            return 0;
        }

        OciNamespace? named = Array.Find(request.Spec.Linux?.Namespaces ?? [], one => one.Type == "network");
        if (named is { Path.Length: > 0 } && request.Mapping is null)
        {
            HostResult fd = HostCalls.Openat(AtFdcwd, Encoding.UTF8.GetBytes(named.Path + '\0'), ORdonly | OCloexec, 0);
            joined = fd.IsError ? throw new RunscException($"cannot open the network namespace {named.Path}: {fd.Error}") : fds.Own(fd.Int);
            return 0;
        }

        return CloneFlags.NewNet;
    }

    private static int StartGofer(LaunchRequest request, int[] ends, int start, int sandboxPid, FdKeeper fds)
    {
        List<GoferTree> trees = [];
        for (int i = 0; i < ends.Length; i++)
        {
            PlannedTree tree = request.Mounts.Trees[i];
            trees.Add(new GoferTree { Socket = ends[i], Source = tree.Source, ReadOnly = tree.ReadOnly, Recursive = tree.Recursive });
        }

        GoferConfig config = new()
        {
            Trees = [.. trees],
            Start = start,
            HostUds = request.Config.HostUds,
            HostFifo = request.Config.HostFifo,

            // Whoever reads attributes by itself has to see the same owners as the gofer does.
            DirectFs = request.Config.DirectFs && (request.Mapping is null || request.Mapping.IsOwnUserAlone),
            DebugLog = request.GoferDebugLog,
            Jail = new BootJail { DieWithParent = request.Attached },
        };
        List<int> kept = [.. ends, start];
        if (request.GoferDebugLog >= 0)
        {
            kept.Add(request.GoferDebugLog);
        }

        ulong flags = CloneFlags.NewNs | CloneFlags.NewIpc | CloneFlags.NewUts;
        int joined = -1;
        if (request.Mapping is not null)
        {
            flags |= CloneFlags.NewUser | (request.Config.Network == "host" ? 0 : CloneFlags.NewNet);
        }
        else if (request.Config.Network != "host")
        {
            string path = string.Create(CultureInfo.InvariantCulture, $"/proc/{sandboxPid}/ns/net\0");
            joined = fds.Own(HostCalls.Openat(AtFdcwd, Encoding.UTF8.GetBytes(path), ORdonly | OCloexec, 0).OrThrow("open the sandbox's network namespace").Int);
        }

        OwnProcess process = new()
        {
            Subcommand = "gofer",
            Id = request.Id,
            ConfigFd = fds.Own(BootConfigFile.Write(config)),
            KeptFds = kept,
            StderrFd = request.Config.AlsoLogToStderr || request.Attached ? 2 : request.GoferDebugLog,
            CloneFlags = flags,
            Mapping = request.Mapping,
        };
        if (joined >= 0)
        {
            process.Joined.Add((joined, CloneFlags.NewNet));
        }

        return process.Start();
    }

    /// <summary>Makes the nameless file that holds an upper layer's data; -1 when the file system there cannot.</summary>
    internal static int OpenFilestore(string directory)
    {
        HostResult fd = HostCalls.Openat(AtFdcwd, Encoding.UTF8.GetBytes(directory + '\0'), ORdwr | OTmpfile | OCloexec, 0x180);
        if (fd.IsError)
        {
            return -1;
        }

        // The sentry relies on both: a sparse file, and pages that read as zeros once they were given back.
        if (HostCalls.Ftruncate(fd.Int, FilestoreBytes).IsError || HostCalls.Fallocate(fd.Int, FallocKeepSize | FallocPunchHole, 0, 4096).IsError)
        {
            _ = HostCalls.Close(fd.Int);
            return -1;
        }

        return fd.Int;
    }

    /// <summary>The identity a sandbox takes when it has no user namespace: nobody's.</summary>
    internal static BootJail SandboxJail(LaunchRequest request) => request.Mapping is null
        ? new BootJail { Uid = Nobody, Gid = Nobody, DieWithParent = request.Attached }
        : new BootJail { DieWithParent = request.Attached };
}
