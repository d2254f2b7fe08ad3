// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using CVisor.Abi;
using CVisor.Core.Namespaces;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Synthetic;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems.Proc;

/// <summary>/proc/PID/ns: what namespaces a task is in.</summary>
internal sealed class NamespaceDirectory : SyntheticDirectory
{
    private readonly Task _task;

    internal NamespaceDirectory(ProcFileSystem proc, Task task)
        : base(proc, 0x16d)
    {
        _task = task;
        foreach ((string name, Func<Task, Namespace?> get) in ((string, Func<Task, Namespace?>)[])[
            ("cgroup", t => t.Namespaces.Cgroup), ("ipc", t => t.Namespaces.Ipc), ("net", t => t.Namespaces.Network), ("pid", t => t.PidNamespace),
            ("pid_for_children", t => t.Namespaces.PidForChildren), ("uts", t => t.Namespaces.Uts)])
        {
            _ = Add(name, new SyntheticLink(proc, _ => get(_task)?.LinkText ?? ""));
        }
    }

    /// <inheritdoc/>
    public override bool IsGone => _task.IsForgotten;
}

/// <summary>/proc/PID/net: the network of a task's namespace. Only lo exists.</summary>
internal sealed class NetworkDirectory : SyntheticDirectory
{
    private readonly Task _task;

    internal NetworkDirectory(ProcFileSystem proc, Task task)
        : base(proc)
    {
        _task = task;
        Text("dev", "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0\n");
        Text("arp", "IP address       HW type     Flags       HW address            Mask     Device\n");
        Text("route", "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n");
        Text("if_inet6", "00000000000000000000000000000001 01 80 10 80       lo\n");
        const string SocketHeader = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
        foreach (string name in (ReadOnlySpan<string>)["tcp", "tcp6", "udp", "udp6", "raw", "raw6"])
        {
            Text(name, SocketHeader);
        }

        Text("unix", "Num       RefCount Protocol Flags    Type St Inode Path\n");
        Text("packet", "sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n");
        Text("netlink", "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n");
        Text("ptype", "Type Device      Function\n");
        Text("snmp", "Ip: Forwarding DefaultTTL\nIp: 2 64\n");

        void Text(string name, string text) => Add(name, new TextFile(proc, to => to.Append(text)));
    }

    /// <inheritdoc/>
    public override bool IsGone => _task.IsForgotten;
}

/// <summary>/proc/PID/uid_map, gid_map and setgroups.</summary>
internal static class UserNamespaceFiles
{
    internal static void Add(SyntheticDirectory directory, ProcFileSystem proc, Task task)
    {
        _ = directory.Add("uid_map", new TaskFile(proc, task, (text, t) => WriteMap(text, t), 0x1a4));
        _ = directory.Add("gid_map", new TaskFile(proc, task, (text, t) => WriteMap(text, t), 0x1a4));
        _ = directory.Add("setgroups", new TaskFile(proc, task, (text, _) => text.Append("allow\n"), 0x1a4));
    }

    private static void WriteMap(StringBuilder text, Task task)
    {
        if (task.Credentials.UserNamespace.Parent is null)
        {
            _ = text.Append(CultureInfo.InvariantCulture, $"{0,10} {0,10} {uint.MaxValue,10}\n");
        }
    }
}
