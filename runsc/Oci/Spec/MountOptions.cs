// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;

namespace CVisor.Runsc.Oci;

/// <summary>A mount's options, sorted out (mount(8), config.md "Linux mount options").</summary>
public sealed record MountOptions
{
    /// <summary>Every option that is understood by name, for <c>features</c>.</summary>
    public static IReadOnlyList<string> Known { get; } =
    [
        "async", "atime", "bind", "defaults", "dev", "diratime", "dirsync", "exec", "iversion", "lazytime", "loud", "mand", "noatime", "nodev",
        "nodiratime", "noexec", "noiversion", "nolazytime", "nomand", "norelatime", "nostrictatime", "nosuid", "private", "rbind", "relatime",
        "remount", "ro", "rprivate", "rshared", "rslave", "runbindable", "rw", "shared", "silent", "slave", "strictatime", "suid", "sync", "unbindable",
    ];

    private static readonly HashSet<string> s_known = new(Known, StringComparer.Ordinal);

    /// <summary>"ro".</summary>
    public bool ReadOnly { get; private set; }

    /// <summary>"nosuid".</summary>
    public bool NoSuid { get; private set; }

    /// <summary>"nodev".</summary>
    public bool NoDev { get; private set; }

    /// <summary>"noexec".</summary>
    public bool NoExec { get; private set; }

    /// <summary>"noatime".</summary>
    public bool NoAtime { get; private set; }

    /// <summary>"bind" or "rbind".</summary>
    public bool Bind { get; private set; }

    /// <summary>"rbind".</summary>
    public bool Recursive { get; private set; }

    /// <summary>The file system's own options, in order.</summary>
    public List<string> Data { get; } = [];

    /// <summary>Sorts options out; a later one overrides an earlier one.</summary>
    public static MountOptions Parse(string[]? options)
    {
        MountOptions result = new();
        foreach (string option in options ?? [])
        {
            switch (option)
            {
                case "ro": result.ReadOnly = true; break;
                case "rw": result.ReadOnly = false; break;
                case "nosuid": result.NoSuid = true; break;
                case "suid": result.NoSuid = false; break;
                case "nodev": result.NoDev = true; break;
                case "dev": result.NoDev = false; break;
                case "noexec": result.NoExec = true; break;
                case "exec": result.NoExec = false; break;
                case "noatime": result.NoAtime = true; break;
                case "atime": result.NoAtime = false; break;
                case "bind": result.Bind = true; break;
                case "rbind":
                    result.Bind = true;
                    result.Recursive = true;
                    break;
                default:
                    if (!s_known.Contains(option))
                    {
                        result.Data.Add(option);
                    }

                    break;
            }
        }

        return result;
    }

    /// <summary>Whether a mount shows files of the host.</summary>
    public static bool IsBind(OciMount mount) =>
        mount.Type == "bind" || (string.IsNullOrEmpty(mount.Type) || mount.Type == "none") && Parse(mount.Options).Bind;
}
