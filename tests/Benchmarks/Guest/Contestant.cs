// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Benchmarks.Guest;

/// <summary>One way to run the measuring program: natively, or in an OCI runtime.</summary>
/// <param name="Name">Its column's name.</param>
/// <param name="Runtime">The runtime's path; null runs natively.</param>
/// <param name="Options">The runtime's options before the command.</param>
internal sealed record Contestant(string Name, string? Runtime, IReadOnlyList<string> Options)
{
    /// <summary>Whether it is this tree's.</summary>
    public bool IsOurs => Runtime == RepositoryPaths.Runsc;

    /// <summary>Everyone who can run here: the machine itself, runc, gVisor where CVISOR_BENCH_GVISOR names it, and ours on every platform.</summary>
    /// <returns>The contestants; the native one comes first.</returns>
    public static IEnumerable<Contestant> Find()
    {
        yield return new Contestant("native", null, []);
        if (Requirements.IsRoot && Requirements.Find("runc") is { } runc)
        {
            yield return new Contestant("runc", runc, []);
        }

        if (Environment.GetEnvironmentVariable("CVISOR_BENCH_GVISOR") is { Length: > 0 } gvisor)
        {
            foreach (string platform in (Environment.GetEnvironmentVariable("CVISOR_BENCH_GVISOR_PLATFORMS") ?? "systrap ptrace").Split(' '))
            {
                yield return new Contestant($"gVisor {platform}", gvisor, [$"--platform={platform}", "--network=none", "--ignore-cgroups"]);
            }
        }

        foreach (string platform in Sandbox.Platforms)
        {
            yield return new Contestant($"cVisor {platform}", RepositoryPaths.Runsc, [$"--platform={platform}", "--network=none", "--ignore-cgroups"]);
        }
    }
}
