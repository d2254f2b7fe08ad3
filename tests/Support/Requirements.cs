// SPDX-License-Identifier: Apache-2.0
using Xunit;

namespace CVisor.Tests.Support;

/// <summary>What a test may need from the machine. A missing thing skips the test with its name as the reason, never silently.</summary>
public static class Requirements
{
    /// <summary>True when the tests run as root with the rights to make namespaces and mounts.</summary>
    public static bool IsRoot { get; } =
        File.ReadLines("/proc/self/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[2] == "0";

    /// <summary>True when the machine offers KVM.</summary>
    public static bool HasKvm => File.Exists("/dev/kvm");

    /// <summary>Skips the calling test unless it runs as root.</summary>
    public static void NeedRoot() => Assert.SkipUnless(IsRoot, "needs root");

    /// <summary>Skips the calling test unless /dev/kvm is there.</summary>
    public static void NeedKvm() => Assert.SkipUnless(HasKvm, "needs /dev/kvm");

    /// <summary>Skips the calling test unless Docker's daemon binary is installed and the test runs as root.</summary>
    public static void NeedDocker()
    {
        NeedRoot();
        NeedCommand("dockerd");
        NeedCommand("docker");
    }

    /// <summary>Skips the calling test unless a command is installed.</summary>
    /// <param name="command">The command's name, or its absolute path.</param>
    public static void NeedCommand(string command) =>
        Assert.SkipUnless(Find(command) is not null, $"needs the command '{command}'");

    /// <summary>Finds a command in the system's folders, or gives null.</summary>
    /// <param name="command">The command's name, or its absolute path.</param>
    /// <returns>The absolute path.</returns>
    public static string? Find(string command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (command.StartsWith('/'))
        {
            return File.Exists(command) ? command : null;
        }

        // The system's own folders first: a version manager's shim is a shell script that needs its home folder.
        string[] folders = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')];
        foreach (string folder in folders)
        {
            string path = Path.Combine(folder, command);
            if (folder.Length > 0 && File.Exists(path))
            {
                return path;
            }
        }

        return null;
    }
}
