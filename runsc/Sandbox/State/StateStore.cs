// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Text;
using System.Text.Json;
using CVisor.Host;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>
/// The state directory (--root). A container has four files: ID.state (JSON, replaced atomically), ID.lock (held while a
/// command changes it), ID.sock (the control socket) and ID.exit (written by the sandbox when it ends).
/// </summary>
public sealed class StateStore(string root)
{
    private const string StateSuffix = ".state", LockSuffix = ".lock", SocketSuffix = ".sock", EndSuffix = ".exit";
    private const int AtFdcwd = -100, OWronly = 1, OCreat = 0x40, OTrunc = 0x200, OCloexec = 0x80000, OwnerReadWrite = 0x180;

    /// <summary>The longest id; with its suffix it must fit in a file name.</summary>
    private const int MaxIdLength = 240;

    /// <summary>The directory.</summary>
    public string Root { get; } = root;

    /// <summary>Checks that an id can name files: letters, digits, and _ + - . after the first character.</summary>
    public static void CheckId(string id)
    {
        bool isValid = id.Length is > 0 and <= MaxIdLength && id[0] != '.';
        foreach (char c in id)
        {
            isValid &= char.IsAsciiLetterOrDigit(c) || c is '_' or '+' or '-' or '.';
        }

        if (!isValid)
        {
            throw new RunscException($"invalid container id \"{id}\": letters, digits, and _ + - . are allowed");
        }
    }

    /// <summary>The path of a container's control socket.</summary>
    public string SocketPath(string id) => Path.Combine(Root, id + SocketSuffix);

    /// <summary>Makes the directory when it is missing.</summary>
    public void EnsureRoot()
    {
        try
        {
            _ = Directory.CreateDirectory(Root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RunscException($"cannot make the state directory {Root}: {(error is UnauthorizedAccessException ? "permission denied" : "not possible there")}; choose another with --root");
        }
    }

    /// <summary>Takes a container's lock.</summary>
    public StateLock Lock(string id) => StateLock.Take(Path.Combine(Root, id + LockSuffix));

    /// <summary>Whether there is such a container.</summary>
    public bool Exists(string id) => File.Exists(StatePath(id));

    /// <summary>Reads a container's state; null when there is none.</summary>
    public ContainerState? TryLoad(string id)
    {
        byte[] json;
        try
        {
            json = File.ReadAllBytes(StatePath(id));
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            throw new RunscException($"cannot read the state of container {id} in {Root}: permission denied");
        }

        try
        {
            return JsonSerializer.Deserialize(json, StateJsonContext.Default.ContainerState);
        }
        catch (JsonException)
        {
            throw new RunscException($"the state of container {id} in {StatePath(id)} is damaged");
        }
    }

    /// <summary>Reads a container's state.</summary>
    /// <exception cref="RunscException">There is no such container.</exception>
    public ContainerState Load(string id) => TryLoad(id) ?? throw new RunscException($"container \"{id}\" does not exist");

    /// <summary>Writes a container's state: all of it, or nothing.</summary>
    public void Save(ContainerState state)
    {
        string path = StatePath(state.Id);
        string temporary = path + ".tmp";
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(state, StateJsonContext.Default.ContainerState);
        try
        {
            File.WriteAllBytes(temporary, json);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            File.Delete(temporary);
            throw new RunscException($"cannot write the state file {path}");
        }
    }

    /// <summary>Makes the empty file that the sandbox writes its exit status into.</summary>
    /// <returns>A close-on-exec descriptor.</returns>
    public int CreateEndFile(string id)
    {
        string path = Path.Combine(Root, id + EndSuffix);
        HostResult fd = HostCalls.Openat(AtFdcwd, Encoding.UTF8.GetBytes(path + '\0'), OWronly | OCreat | OTrunc | OCloexec, OwnerReadWrite);
        return fd.IsError ? throw new RunscException($"cannot make {path}: {fd.Error}") : fd.Int;
    }

    /// <summary>The exit status of a container whose sandbox has ended; null when it was killed before it could leave one.</summary>
    public int? ReadEnd(string id)
    {
        try
        {
            return EndRecord.Parse(File.ReadAllText(Path.Combine(Root, id + EndSuffix)));
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Removes a container's files, the lock last.</summary>
    public void Remove(string id)
    {
        File.Delete(Path.Combine(Root, id + EndSuffix));
        File.Delete(StatePath(id));
        File.Delete(SocketPath(id));
        File.Delete(Path.Combine(Root, id + LockSuffix));
    }

    /// <summary>Every container's id, in order.</summary>
    public List<string> List()
    {
        List<string> ids = [];
        if (Directory.Exists(Root))
        {
            foreach (string path in Directory.EnumerateFiles(Root, "*" + StateSuffix))
            {
                ids.Add(Path.GetFileNameWithoutExtension(path));
            }
        }

        ids.Sort(StringComparer.Ordinal);
        return ids;
    }

    private string StatePath(string id) => Path.Combine(Root, id + StateSuffix);
}
