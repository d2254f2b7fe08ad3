// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Guest.Tests;

/// <summary>What containers whose ids begin with a prefix have left on the machine, and what the test process holds.</summary>
/// <param name="Items">Each thing that names such a container.</param>
/// <param name="DescriptorCount">The descriptors this process holds.</param>
public sealed record Traces(IReadOnlyList<string> Items, int DescriptorCount)
{
    // The runtime of .NET opens a few of its own as it goes.
    private const int DescriptorSlack = 8;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>Looks at processes, mounts, unix sockets, cgroups, and the folders where temporary things are put.</summary>
    /// <param name="prefix">How the containers' ids begin.</param>
    /// <returns>What there is.</returns>
    public static Traces Of(string prefix)
    {
        List<string> items = [];
        foreach (string folder in Directory.EnumerateDirectories("/proc").Where(f => char.IsAsciiDigit(Path.GetFileName(f)[0])))
        {
            string? command = ReadOrNull(Path.Combine(folder, "cmdline"));
            if (command is not null && command.Contains(prefix, StringComparison.Ordinal) && Path.GetFileName(folder) != $"{Environment.ProcessId}")
            {
                items.Add($"process {Path.GetFileName(folder)}: {command.Replace('\0', ' ')}");
            }
        }

        items.AddRange(Lines("/proc/self/mountinfo", prefix).Select(line => $"mount {line}"));
        items.AddRange(Lines("/proc/net/unix", prefix).Select(line => $"socket {line}"));
        EnumerationOptions options = new() { RecurseSubdirectories = true, IgnoreInaccessible = true, MaxRecursionDepth = 6, AttributesToSkip = FileAttributes.ReparsePoint };
        foreach (string place in (string[])["/sys/fs/cgroup", "/run", "/tmp", "/dev/shm", "/var/lib"])
        {
            if (Directory.Exists(place))
            {
                items.AddRange(Directory.EnumerateFileSystemEntries(place, $"*{prefix}*", options).Select(path => $"file {path}"));
            }
        }

        return new Traces(items, Directory.EnumerateFileSystemEntries("/proc/self/fd").Count());
    }

    /// <summary>Waits a little until nothing more is left than there was.</summary>
    /// <param name="prefix">How the containers' ids begin.</param>
    /// <param name="before">What there was.</param>
    /// <returns>A task.</returns>
    public static async Task ExpectAsync(string prefix, Traces before)
    {
        ArgumentNullException.ThrowIfNull(before);
        DateTime end = DateTime.UtcNow + s_patience;
        Traces now = Of(prefix);
        while (now.Items.Except(before.Items).Any() && DateTime.UtcNow < end)
        {
            await Task.Delay(50);
            now = Of(prefix);
        }

        now.Items.Except(before.Items).ShouldBeEmpty();
        now.DescriptorCount.ShouldBeLessThanOrEqualTo(before.DescriptorCount + DescriptorSlack);
    }

    private static IEnumerable<string> Lines(string file, string prefix) =>
        (ReadOrNull(file) ?? "").Split('\n').Where(line => line.Contains(prefix, StringComparison.Ordinal));

    // A process may end while it is looked at.
    private static string? ReadOrNull(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
