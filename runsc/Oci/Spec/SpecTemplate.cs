// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Oci;

/// <summary>The config.json that <c>spec</c> writes and <c>do</c> begins with.</summary>
public static class SpecTemplate
{
    /// <summary>Makes a spec that runs a program in the directory "rootfs" beside it.</summary>
    /// <param name="args">The program and its arguments.</param>
    /// <param name="cwd">Its working directory.</param>
    /// <param name="netns">A network namespace to join; empty for a new one.</param>
    public static OciSpec Make(string[] args, string cwd, string netns) => new()
    {
        OciVersion = SpecFile.SpecVersion,
        Process = new OciProcess
        {
            User = new OciUser(),
            Args = args,
            Env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
            Cwd = cwd,
            Capabilities = new OciCapabilities
            {
                Bounding = Capabilities.Default,
                Effective = Capabilities.Default,
                Inheritable = Capabilities.Default,
                Permitted = Capabilities.Default,
            },
            Rlimits = [new OciRlimit { Type = "RLIMIT_NOFILE", Hard = 1024, Soft = 1024 }],
        },
        Root = new OciRoot { Path = "rootfs", Readonly = true },
        Hostname = "runsc",
        Mounts =
        [
            new OciMount { Destination = "/proc", Type = "proc", Source = "proc" },
            new OciMount { Destination = "/dev", Type = "tmpfs", Source = "tmpfs" },
            new OciMount { Destination = "/sys", Type = "sysfs", Source = "sysfs", Options = ["nosuid", "noexec", "nodev", "ro"] },
        ],
        Linux = new OciLinux
        {
            Namespaces =
            [
                new OciNamespace { Type = "pid" },
                new OciNamespace { Type = "network", Path = netns.Length > 0 ? netns : null },
                new OciNamespace { Type = "ipc" },
                new OciNamespace { Type = "uts" },
                new OciNamespace { Type = "mount" },
            ],
        },
    };
}
