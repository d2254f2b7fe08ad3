// SPDX-License-Identifier: Apache-2.0
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

/// <summary>A small root file system of Debian's busybox-static.</summary>
internal static class BusyboxRoot
{
    private static readonly SemaphoreSlim s_lock = new(1);

    /// <summary>The root's path on the host.</summary>
    public static string Folder { get; } = Path.Combine(RepositoryPaths.Out, "oci", "root");

    /// <summary>Makes the root once; skips the calling test when busybox is not installed.</summary>
    public static async Task<string> MakeAsync()
    {
        Requirements.NeedCommand("busybox");
        string busybox = Requirements.Find("busybox")!;
        await s_lock.WaitAsync();
        try
        {
            string target = Path.Combine(Folder, "bin", "busybox");
            if (File.Exists(target))
            {
                return Folder;
            }

            foreach (string name in (string[])["bin", "proc", "sys", "dev", "tmp", "etc", "mnt"])
            {
                Directory.CreateDirectory(Path.Combine(Folder, name));
            }

            File.WriteAllText(Path.Combine(Folder, "etc", "passwd"), "root:x:0:0:root:/:/bin/sh\n");
            File.WriteAllText(Path.Combine(Folder, "etc", "group"), "root:x:0:\n");
            foreach (string applet in (await Command.MustAsync(busybox, "--list")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(static name => name != "busybox"))
            {
                File.Delete(Path.Combine(Folder, "bin", applet));
                File.CreateSymbolicLink(Path.Combine(Folder, "bin", applet), "busybox");
            }

            // The file that says "made" comes last.
            File.Copy(busybox, target + ".new", overwrite: true);
            File.Move(target + ".new", target);
            return Folder;
        }
        finally
        {
            s_lock.Release();
        }
    }
}
