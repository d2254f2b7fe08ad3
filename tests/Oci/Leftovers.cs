// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Oci.Tests;

/// <summary>What a container may leave on the host.</summary>
internal static class Leftovers
{
    /// <summary>The command lines of processes that name a container.</summary>
    public static List<string> ProcessesOf(string id)
    {
        List<string> found = [];
        foreach (string folder in Directory.GetDirectories("/proc"))
        {
            try
            {
                string line = File.ReadAllText(folder + "/cmdline").Replace('\0', ' ');
                if (line.StartsWith("runsc-", StringComparison.Ordinal) && line.Contains(id, StringComparison.Ordinal))
                {
                    found.Add(line);
                }
            }
            catch (IOException)
            {
                // No process, or one that has just ended.
            }
            catch (UnauthorizedAccessException)
            {
                // Somebody else's.
            }
        }

        return found;
    }

    /// <summary>The host's mounts that have to do with one of the folders. Tests run side by side, so that others come and go.</summary>
    public static List<string> MountsOf(params string[] folders) =>
        [.. File.ReadLines("/proc/self/mountinfo").Where(line => folders.Any(folder => line.Contains(folder, StringComparison.Ordinal)))];
}
