// SPDX-License-Identifier: Apache-2.0
using System.Text.Json.Nodes;

namespace CVisor.Benchmarks.Guest;

/// <summary>The root of the macro figures' containers, which all contestants share: this machine's programs, and prepared input that can be written to.</summary>
internal sealed class MacroRoot : IDisposable
{
    /// <summary>The prepared input.</summary>
    public const string InputPath = "/input";

    /// <summary>Where jobs make folders of their own.</summary>
    public const string WorkPath = "/work";

    /// <summary>The program that measures a command's time.</summary>
    public const string ElapsedPath = "/elapsed";

    /// <summary>The program whose threads wait.</summary>
    public const string BlockedPath = "/blocked";

    private const string Memory = "/dev/shm";

    private readonly List<JsonNode> _mounts = [];

    private MacroRoot()
    {
    }

    /// <summary>The root's path on the host, in memory: on a disk its writing back was most of what some figures said.</summary>
    public string Folder { get; } = Directory.CreateDirectory(
        Path.Combine(Directory.Exists(Memory) ? Memory : Path.GetTempPath(), $"cvisor-bench-macro-{Environment.ProcessId}")).FullName;

    /// <summary>The mounts that bring this machine's programs into it.</summary>
    public IReadOnlyList<JsonNode> Mounts => _mounts;

    /// <summary>Makes the root and all input.</summary>
    /// <returns>The root.</returns>
    public static async Task<MacroRoot> CreateAsync()
    {
        MacroRoot root = new();
        foreach (string folder in (string[])["proc", "sys", "dev", "tmp", InputPath[1..], WorkPath[1..]])
        {
            Directory.CreateDirectory(Path.Combine(root.Folder, folder));
        }

        root.ShowHost("/usr", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32");
        File.Copy(Programs.Elapsed, root.Folder + ElapsedPath);
        File.Copy(Programs.Blocked, root.Folder + BlockedPath);
        await MacroInput.WriteAsync(root.Folder + InputPath);
        return root;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    // A link of the host, as /bin is on a merged system, is the same link in the root.
    private void ShowHost(params string[] paths)
    {
        foreach (string path in paths.Where(Directory.Exists))
        {
            if (new DirectoryInfo(path).LinkTarget is { } target)
            {
                File.CreateSymbolicLink(Folder + path, target);
                continue;
            }

            Directory.CreateDirectory(Folder + path);
            _mounts.Add(new JsonObject
            {
                ["destination"] = path,
                ["type"] = "bind",
                ["source"] = path,
                ["options"] = new JsonArray("rbind", "ro"),
            });
        }
    }
}
