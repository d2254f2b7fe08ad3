// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using CVisor.Host;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>The ids of a user namespace.</summary>
public sealed class UserMapping
{
    private readonly OciIdMapping[] _uids;
    private readonly OciIdMapping[] _gids;

    private UserMapping(OciIdMapping[] uids, OciIdMapping[] gids, bool needsHelper)
    {
        _uids = uids;
        _gids = gids;
        NeedsHelper = needsHelper;
    }

    /// <summary>Whether someone outside (root, or newuidmap) must write the maps; else the new process writes its own.</summary>
    public bool NeedsHelper { get; }

    /// <summary>Whether root of the namespace is the current user, and nobody else is mapped: as in <see cref="Single"/>.</summary>
    public bool IsOwnUserAlone => _uids is [{ Size: 1, ContainerID: 0 } uid] && uid.HostID == (uint)HostCalls.Geteuid().Int
        && _gids is [{ Size: 1, ContainerID: 0 } gid] && gid.HostID == (uint)HostCalls.Getegid().Int;

    /// <summary>The single line of uid_map.</summary>
    public string SingleUid => Line(_uids[0]);

    /// <summary>The single line of gid_map.</summary>
    public string SingleGid => Line(_gids[0]);

    /// <summary>Maps root of the namespace to the current user, and nobody else.</summary>
    public static UserMapping Single() => new(
        [new OciIdMapping { ContainerID = 0, HostID = (uint)HostCalls.Geteuid().Int, Size = 1 }],
        [new OciIdMapping { ContainerID = 0, HostID = (uint)HostCalls.Getegid().Int, Size = 1 }],
        needsHelper: false);

    /// <summary>
    /// Maps root to the current user and the further ids to those /etc/subuid and /etc/subgid give that user, when the
    /// host has newuidmap; else root only.
    /// </summary>
    public static UserMapping Rootless()
    {
        uint uid = (uint)HostCalls.Geteuid().Int;
        uint gid = (uint)HostCalls.Getegid().Int;
        OciIdMapping? subUid = SubordinateRange("/etc/subuid", uid);
        OciIdMapping? subGid = SubordinateRange("/etc/subgid", uid);
        if (subUid is null || subGid is null || FindTool("newuidmap") is null || FindTool("newgidmap") is null)
        {
            return Single();
        }

        return new UserMapping(
            [new OciIdMapping { ContainerID = 0, HostID = uid, Size = 1 }, subUid],
            [new OciIdMapping { ContainerID = 0, HostID = gid, Size = 1 }, subGid],
            needsHelper: true);
    }

    /// <summary>Maps as a spec says.</summary>
    public static UserMapping FromSpec(OciIdMapping[] uids, OciIdMapping[] gids) => new(uids, gids, needsHelper: true);

    /// <summary>Writes the maps of a process that waits for it.</summary>
    public void Write(int pid)
    {
        if (HostCalls.Geteuid().Value == 0)
        {
            WriteFile($"/proc/{pid}/uid_map", _uids);
            WriteFile($"/proc/{pid}/gid_map", _gids);
            return;
        }

        RunTool("newuidmap", pid, _uids);
        RunTool("newgidmap", pid, _gids);
    }

    private static void WriteFile(string path, OciIdMapping[] maps)
    {
        try
        {
            File.WriteAllText(path, string.Join('\n', Array.ConvertAll(maps, Line)));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RunscException($"cannot write {path}: the host refuses the id mapping {string.Join("; ", Array.ConvertAll(maps, Line))}");
        }
    }

    private static void RunTool(string name, int pid, OciIdMapping[] maps)
    {
        List<string> argv = [name, pid.ToString(CultureInfo.InvariantCulture)];
        foreach (OciIdMapping map in maps)
        {
            argv.AddRange(Line(map).Split(' '));
        }

        string path = FindTool(name) ?? throw new RunscException($"{name} is not installed (Debian: uidmap); it is needed for an id mapping without root");
        using HostChild script = new();
        _ = script.Exec(path, argv, []);
        HostResult child = script.Spawn();
        int status = 0;
        if (!child.IsError)
        {
            _ = HostCalls.Wait4(child.Int, ref status, 0);
        }

        if (child.IsError || status != 0)
        {
            throw new RunscException($"{name} refused the id mapping {string.Join("; ", Array.ConvertAll(maps, Line))}; see /etc/subuid and /etc/subgid");
        }
    }

    private static string Line(OciIdMapping map) => string.Create(CultureInfo.InvariantCulture, $"{map.ContainerID} {map.HostID} {map.Size}");

    private static string? FindTool(string name)
    {
        foreach (string directory in (ReadOnlySpan<string>)["/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"])
        {
            string path = Path.Combine(directory, name);
            if (File.Exists(path))
            {
                return path;
            }
        }

        return null;
    }

    private static OciIdMapping? SubordinateRange(string file, uint uid)
    {
        if (!File.Exists(file))
        {
            return null;
        }

        string number = uid.ToString(CultureInfo.InvariantCulture);
        string name = UserNames.Of(uid);
        foreach (string line in File.ReadLines(file))
        {
            string[] fields = line.Split(':');
            if (fields.Length == 3 && (fields[0] == number || fields[0] == name)
                && uint.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out uint first)
                && uint.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out uint count) && count > 0)
            {
                return new OciIdMapping { ContainerID = 1, HostID = first, Size = count };
            }
        }

        return null;
    }
}
