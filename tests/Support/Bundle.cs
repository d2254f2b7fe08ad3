// SPDX-License-Identifier: Apache-2.0
using System.Text.Json.Nodes;

namespace CVisor.Tests.Support;

/// <summary>An OCI bundle made for a test in a temporary folder; disposing removes the folder (never the root it names).</summary>
public sealed class Bundle : IDisposable
{
    private Bundle(string folder, JsonObject config)
    {
        Folder = folder;
        Config = config;
    }

    /// <summary>The bundle's folder.</summary>
    public string Folder { get; }

    /// <summary>The configuration as it was written; change it and call <see cref="Save"/>.</summary>
    public JsonObject Config { get; }

    /// <summary>Makes a bundle that runs one command in a root.</summary>
    /// <param name="root">The root file system's path on the host.</param>
    /// <param name="arguments">The command.</param>
    /// <param name="environment">Variables, as NAME=value.</param>
    /// <param name="readOnly">Whether the root is read-only.</param>
    /// <returns>The bundle.</returns>
    public static Bundle Create(string root, IEnumerable<string> arguments, IEnumerable<string>? environment = null, bool readOnly = false)
    {
        JsonArray capabilities() => [.. CapabilityNames.Select(name => (JsonNode)name)];
        JsonObject config = new()
        {
            ["ociVersion"] = "1.0.2",
            ["process"] = new JsonObject
            {
                ["terminal"] = false,
                ["user"] = new JsonObject { ["uid"] = 0, ["gid"] = 0 },
                ["args"] = new JsonArray([.. arguments.Select(a => (JsonNode)a)]),
                ["env"] = new JsonArray(
                [
                    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "CVISOR=1",
                    .. (environment ?? []).Select(e => (JsonNode)e),
                ]),
                ["cwd"] = "/",
                ["capabilities"] = new JsonObject
                {
                    ["bounding"] = capabilities(),
                    ["effective"] = capabilities(),
                    ["permitted"] = capabilities(),
                },
                ["rlimits"] = new JsonArray(new JsonObject { ["type"] = "RLIMIT_NOFILE", ["hard"] = 4096, ["soft"] = 1024 }),
                ["noNewPrivileges"] = false,
            },
            ["root"] = new JsonObject { ["path"] = root, ["readonly"] = readOnly },
            ["hostname"] = "sandbox",
            ["mounts"] = new JsonArray(
                Mount("/proc", "proc"),
                Mount("/dev", "tmpfs", "nosuid", "mode=755"),
                Mount("/dev/pts", "devpts", "newinstance", "ptmxmode=0666", "mode=0620"),
                Mount("/dev/shm", "tmpfs", "mode=1777"),
                Mount("/dev/mqueue", "mqueue"),
                Mount("/sys", "sysfs", "ro"),
                Mount("/tmp", "tmpfs", "mode=1777")),
            ["linux"] = new JsonObject
            {
                ["namespaces"] = new JsonArray(
                    [.. ((string[])["pid", "network", "ipc", "uts", "mount"]).Select(t => (JsonNode)new JsonObject { ["type"] = t })]),
            },
        };
        Bundle bundle = new(Directory.CreateTempSubdirectory("cvisor-bundle-").FullName, config);
        bundle.Save();
        return bundle;
    }

    /// <summary>Writes the configuration again.</summary>
    public void Save() => File.WriteAllText(Path.Combine(Folder, "config.json"), Config.ToJsonString());

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Folder, recursive: true);

    private static JsonObject Mount(string destination, string type, params string[] options) => new()
    {
        ["destination"] = destination,
        ["type"] = type,
        ["source"] = type,
        ["options"] = new JsonArray([.. options.Select(o => (JsonNode)o)]),
    };

    // Every capability of Linux 5.9 and later, in numeric order.
    private static readonly string[] CapabilityNames =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
        "CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
        "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
        "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG",
        "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    ];
}
