// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Core.Credentials;

namespace CVisor.Core.Namespaces;

/// <summary>What a namespace isolates (namespaces(7)); the values are the CLONE_NEW* flags.</summary>
[Flags]
public enum NamespaceKind : ulong
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Clocks; not supported.</summary>
    Time = 0x80,

    /// <summary>Mounts.</summary>
    Mount = 0x20000,

    /// <summary>The cgroup root.</summary>
    Cgroup = 0x2000000,

    /// <summary>Host and domain name.</summary>
    Uts = 0x4000000,

    /// <summary>System V IPC and POSIX message queues.</summary>
    Ipc = 0x8000000,

    /// <summary>Users and capabilities.</summary>
    User = 0x10000000,

    /// <summary>Process ids.</summary>
    Pid = 0x20000000,

    /// <summary>The network.</summary>
    Network = 0x40000000,
}

/// <summary>A namespace: what /proc/PID/ns/* names and setns(2) enters.</summary>
public abstract class Namespace
{
    // Linux's own start at 0xEFFFFFFF downwards for the initial ones and grow from there; programs only compare.
    private static long s_nextInode = 0xF000_0000;

    /// <summary>Makes a namespace.</summary>
    /// <param name="owner">The user namespace that owns it; null for the initial user namespace itself.</param>
    protected Namespace(UserNamespace? owner) => (Owner, Inode) = (owner, (ulong)Interlocked.Increment(ref s_nextInode));

    /// <summary>What it isolates.</summary>
    public abstract NamespaceKind Kind { get; }

    /// <summary>The user namespace whose capabilities count here; of a user namespace, its parent.</summary>
    public UserNamespace? Owner { get; }

    /// <summary>The inode number in nsfs.</summary>
    public ulong Inode { get; }

    /// <summary>The name in /proc/PID/ns.</summary>
    public string Name => Kind switch
    {
        NamespaceKind.Mount => "mnt",
        NamespaceKind.Cgroup => "cgroup",
        NamespaceKind.Uts => "uts",
        NamespaceKind.Ipc => "ipc",
        NamespaceKind.User => "user",
        NamespaceKind.Pid => "pid",
        NamespaceKind.Network => "net",
        _ => "time",
    };

    /// <summary>The link text in /proc/PID/ns, such as <c>uts:[4026531838]</c>.</summary>
    public string LinkText => $"{Name}:[{Inode}]";
}

/// <summary>An open file of nsfs, or anything else that stands for a namespace to setns(2).</summary>
public interface INamespaceFile
{
    /// <summary>The namespace.</summary>
    Namespace Namespace { get; }
}
