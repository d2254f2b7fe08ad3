// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Oci;

/// <summary>Names of resource limits (getrlimit(2), x86_64 numbers).</summary>
public static class Rlimits
{
    private static readonly string[] s_names =
    [
        "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS", "RLIMIT_NPROC", "RLIMIT_NOFILE",
        "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS", "RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
    ];

    /// <summary>The number of a limit; -1 when unknown.</summary>
    public static int Number(string name) => Array.IndexOf(s_names, name);
}
