// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;

namespace CVisor.Gofer.Host;

/// <summary>What the gofer's process is told: descriptors and policy, no path.</summary>
internal sealed class GoferArguments
{
    /// <summary>The trees to serve.</summary>
    public List<GoferConnectionArgument> Connections { get; } = [];

    /// <summary>--host-uds: "none", "open", "create" or "all".</summary>
    public string HostUds { get; private set; } = "none";

    /// <summary>--host-fifo: "none" or "open".</summary>
    public string HostFifo { get; private set; } = "none";

    /// <summary>Whether the root's descriptor of a tree may be handed over.</summary>
    public bool DirectFs { get; private set; }

    /// <summary>A descriptor of this process's /proc/self/fd.</summary>
    public int ProcFd { get; private set; } = -1;

    /// <summary>Where messages go; -1 for standard error.</summary>
    public int LogFd { get; private set; } = -1;

    /// <summary>Parses; null and what is wrong when it cannot.</summary>
    public static GoferArguments? Parse(string[] args, out string error)
    {
        GoferArguments parsed = new();
        foreach (string arg in args)
        {
            int equals = arg.IndexOf('=');
            string name = equals < 0 ? arg : arg[..equals];
            string value = equals < 0 ? "" : arg[(equals + 1)..];
            bool good = name switch
            {
                "--connection" => parsed.AddConnection(value),
                "--proc-fd" => TryNumber(value, fd => parsed.ProcFd = fd),
                "--log-fd" => value == "-1" || TryNumber(value, fd => parsed.LogFd = fd),
                "--directfs" => value is "true" or "false",
                "--host-uds" => value is "none" or "open" or "create" or "all",
                "--host-fifo" => value is "none" or "open",
                _ => false,
            };
            if (!good)
            {
                error = $"gofer: bad argument '{arg}'";
                return null;
            }

            switch (name)
            {
                case "--directfs": parsed.DirectFs = value == "true"; break;
                case "--host-uds": parsed.HostUds = value; break;
                case "--host-fifo": parsed.HostFifo = value; break;
            }
        }

        error = parsed.Connections.Count == 0 ? "gofer: no --connection" : parsed.ProcFd < 0 ? "gofer: no --proc-fd" : "";
        return error.Length == 0 ? parsed : null;
    }

    private bool AddConnection(string value)
    {
        string[] parts = value.Split(',');
        int socket = -1;
        int tree = -1;
        if (parts.Length != 3 || !TryNumber(parts[0], fd => socket = fd) || !TryNumber(parts[1], fd => tree = fd) || parts[2] is not ("ro" or "rw"))
        {
            return false;
        }

        Connections.Add(new GoferConnectionArgument(socket, tree, parts[2] == "ro"));
        return true;
    }

    private static bool TryNumber(string text, Action<int> set)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value))
        {
            set(value);
            return true;
        }

        return false;
    }
}

/// <summary>One tree to serve.</summary>
/// <param name="Socket">The connected socket.</param>
/// <param name="Tree">The tree's root, O_PATH.</param>
/// <param name="ReadOnly">Nothing may be changed.</param>
internal sealed record GoferConnectionArgument(int Socket, int Tree, bool ReadOnly);
