// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>
/// The control groups of a container: made before its processes, which join them at once, so that the host limits
/// sandbox and gofer together.
/// </summary>
public sealed class ContainerCgroup
{
    private readonly List<string> _made = [];
    private readonly List<string> _joined = [];

    private ContainerCgroup()
    {
    }

    /// <summary>Directories that were made, to be removed with the container; deepest first.</summary>
    public string[] Made
    {
        get
        {
            string[] reversed = [.. _made];
            Array.Reverse(reversed);
            return reversed;
        }
    }

    /// <summary>Makes a container's control groups and sets its limits.</summary>
    /// <param name="id">The container's id, its group's name when the spec names none.</param>
    /// <param name="linux">The spec's settings.</param>
    /// <param name="isSystemd">The path is systemd's slice:prefix:name.</param>
    /// <exception cref="RunscException">A limit the spec asks for cannot be set; what was made is gone again.</exception>
    public static ContainerCgroup Create(string id, OciLinux? linux, bool isSystemd)
    {
        ContainerCgroup cgroup = new();
        try
        {
            string path = RelativePath(linux?.CgroupsPath, id, isSystemd);
            OciResources? resources = linux?.Resources;
            if (string.IsNullOrEmpty(linux?.CgroupsPath) && !NeedsLimits(resources))
            {
                return cgroup;
            }

            CgroupMounts mounts = CgroupMounts.Read();
            if (mounts.V1.Count > 0)
            {
                cgroup.CreateV1(mounts, path, resources, isNamed: !string.IsNullOrEmpty(linux?.CgroupsPath));
            }
            else if (mounts.V2 is { } root)
            {
                cgroup.CreateV2(root, path, resources);
            }
            else if (NeedsLimits(resources))
            {
                throw new RunscException("config.json: linux.resources: this host has no cgroup file system mounted; use --ignore-cgroups to run without limits");
            }

            return cgroup;
        }
        catch
        {
            Remove(cgroup.Made);
            throw;
        }
    }

    /// <summary>Puts a process into every group.</summary>
    public void Join(int pid)
    {
        foreach (string directory in _joined)
        {
            Write(Path.Combine(directory, "cgroup.procs"), pid.ToString(CultureInfo.InvariantCulture), "join the container's cgroup");
        }
    }

    /// <summary>Removes directories that were made; one that is still in use is tried for a while.</summary>
    public static void Remove(string[] directories)
    {
        foreach (string directory in directories)
        {
            for (int attempt = 0; attempt < 50 && Directory.Exists(directory); attempt++)
            {
                try
                {
                    Directory.Delete(directory);
                }
                catch (IOException)
                {
                    // A killed process leaves its group a moment after it has been reaped; a shared parent stays in use.
                    if (HasChildren(directory))
                    {
                        break;
                    }

#pragma warning disable RS0030 // The kernel tells nobody when a dying process has left its group.
                    System.Threading.Thread.Sleep(10);
#pragma warning restore RS0030
                }
                catch (UnauthorizedAccessException)
                {
                    break;
                }
            }
        }
    }

    private static bool HasChildren(string directory) => Directory.Exists(directory) && Directory.GetDirectories(directory).Length > 0;

    private void CreateV1(CgroupMounts mounts, string path, OciResources? resources, bool isNamed)
    {
        foreach ((string controller, string root) in mounts.V1)
        {
            bool isNeeded = isNamed || Needs(controller, resources);
            if (!isNeeded)
            {
                continue;
            }

            if (!Make(root, path, out string directory))
            {
                if (Needs(controller, resources))
                {
                    throw new RunscException($"linux.resources: cannot make the cgroup {directory}; use --ignore-cgroups to run without limits");
                }

                continue;
            }

            if (controller == "cpuset")
            {
                InheritCpuset(root, path);
            }

            if (!_joined.Contains(directory))
            {
                _joined.Add(directory);
            }

            CgroupLimits.SetV1(controller, directory, resources);
        }
    }

    private void CreateV2(string root, string path, OciResources? resources)
    {
        if (!Make(root, path, out string directory))
        {
            if (NeedsLimits(resources))
            {
                throw new RunscException($"linux.resources: cannot make the cgroup {directory}; use --ignore-cgroups to run without limits");
            }

            return;
        }

        // A controller works in a group when each of its ancestors hands it down.
        string at = root;
        foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            foreach (string controller in (ReadOnlySpan<string>)["cpu", "cpuset", "memory", "pids", "io"])
            {
                TryWrite(Path.Combine(at, "cgroup.subtree_control"), "+" + controller);
            }

            at = Path.Combine(at, part);
        }

        _joined.Add(directory);
        CgroupLimits.SetV2(directory, resources);
    }

    private bool Make(string root, string path, out string directory)
    {
        directory = root;
        foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            directory = Path.Combine(directory, part);
            if (Directory.Exists(directory))
            {
                continue;
            }

            try
            {
                _ = Directory.CreateDirectory(directory);
                _made.Add(directory);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>A new v1 cpuset has no CPUs and takes no process before it gets some.</summary>
    private static void InheritCpuset(string root, string path)
    {
        string at = root;
        foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            string child = Path.Combine(at, part);
            foreach (string file in (ReadOnlySpan<string>)["cpuset.cpus", "cpuset.mems"])
            {
                if (File.ReadAllText(Path.Combine(child, file)).Trim().Length == 0)
                {
                    TryWrite(Path.Combine(child, file), File.ReadAllText(Path.Combine(at, file)).Trim());
                }
            }

            at = child;
        }
    }

    private static bool NeedsLimits(OciResources? resources) =>
        Needs("memory", resources) || Needs("cpu", resources) || Needs("cpuset", resources) || Needs("pids", resources);

    private static bool Needs(string controller, OciResources? resources) => controller switch
    {
        "memory" => resources?.Memory is { } memory && (memory.Limit > 0 || memory.Reservation > 0 || memory.Swap > 0),
        "cpu" => resources?.Cpu is { } cpu && (cpu.Shares > 0 || cpu.Quota > 0 || cpu.Period > 0),
        "cpuset" => !string.IsNullOrEmpty(resources?.Cpu?.Cpus) || !string.IsNullOrEmpty(resources?.Cpu?.Mems),
        "pids" => resources?.Pids?.Limit > 0,
        _ => false,
    };

    private static string RelativePath(string? given, string id, bool isSystemd)
    {
        if (string.IsNullOrEmpty(given))
        {
            return id;
        }

        string[] parts = given.Split(':');
        if (parts.Length == 3)
        {
            // "slice:prefix:name": the directories systemd would make; without its bus they are made by hand.
            string slice = parts[0].Length == 0 ? "system.slice" : parts[0];
            return SlicePath(slice) + "/" + (parts[1].Length == 0 ? parts[2] : parts[1] + "-" + parts[2]) + ".scope";
        }

        return isSystemd
            ? throw new RunscException($"linux.cgroupsPath: \"{given}\" must be slice:prefix:name with --systemd-cgroup")
            : Path.GetFullPath(given, "/").TrimStart('/');
    }

    /// <summary>"a-b.slice" lies in "a.slice".</summary>
    private static string SlicePath(string slice)
    {
        string name = slice.EndsWith(".slice", StringComparison.Ordinal) ? slice[..^6] : slice;
        if (name is "" or "-")
        {
            return "";
        }

        string path = "";
        string prefix = "";
        foreach (string part in name.Split('-'))
        {
            prefix = prefix.Length == 0 ? part : prefix + "-" + part;
            path = Path.Combine(path, prefix + ".slice");
        }

        return path;
    }

    internal static void Write(string file, string value, string what)
    {
        try
        {
            File.WriteAllText(file, value);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RunscException($"cannot {what}: {file}: the host refuses \"{value}\"; use --ignore-cgroups to run without");
        }
    }

    internal static void TryWrite(string file, string value)
    {
        try
        {
            File.WriteAllText(file, value);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Not handed down or not there: a limit that needs it fails with a message of its own.
        }
    }
}
