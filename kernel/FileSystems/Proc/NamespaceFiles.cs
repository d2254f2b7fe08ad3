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
            ("cgroup", t => t.Namespaces.Cgroup), ("ipc", t => t.Namespaces.Ipc), ("mnt", t => t.HasExited ? null : t.Fs.Mounts?.Identity), ("net", t => t.Namespaces.Network),
            ("pid", t => t.PidNamespace), ("pid_for_children", t => t.Namespaces.PidForChildren), ("user", t => t.Credentials.UserNamespace), ("uts", t => t.Namespaces.Uts)])
        {
            _ = Add(name, new NamespaceLink(proc, () => get(_task)));
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
