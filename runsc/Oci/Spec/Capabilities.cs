// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Oci;

/// <summary>Capability names and numbers (capabilities(7)).</summary>
public static class Capabilities
{
    private static readonly string[] s_names =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
        "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
        "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP",
        "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ];

    /// <summary>Every name, by number.</summary>
    public static ReadOnlySpan<string> Names => s_names;

    /// <summary>All capabilities.</summary>
    public static ulong All => (1UL << s_names.Length) - 1;

    /// <summary>CAP_NET_RAW.</summary>
    public static ulong NetRaw => 1UL << 13;

    /// <summary>What gVisor, Docker and <c>spec</c> grant by default: AUDIT_WRITE, KILL, NET_BIND_SERVICE.</summary>
    public static string[] Default => ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"];

    /// <summary>The number of a capability, with or without "CAP_", any case; -1 when unknown.</summary>
    public static int Number(string name)
    {
        for (int i = 0; i < s_names.Length; i++)
        {
            if (name.Equals(s_names[i], StringComparison.OrdinalIgnoreCase) || name.AsSpan().Equals(s_names[i].AsSpan(4), StringComparison.OrdinalIgnoreCase))
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>The mask of some names, which have been validated.</summary>
    public static ulong Mask(string[]? names)
    {
        ulong mask = 0;
        foreach (string name in names ?? [])
        {
            mask |= 1UL << Number(name);
        }

        return mask;
    }
}
