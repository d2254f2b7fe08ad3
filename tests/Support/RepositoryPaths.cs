// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Tests.Support;

/// <summary>Where things are in the working tree the tests run from.</summary>
public static class RepositoryPaths
{
    /// <summary>The root of the working tree: the nearest folder above the test binary that holds Build.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The folder of built things, ignored by git.</summary>
    public static string Out => Path.Combine(Root, "out");

    /// <summary>The published runtime; CVISOR_RUNSC names another one.</summary>
    public static string Runsc => Environment.GetEnvironmentVariable("CVISOR_RUNSC") ?? Path.Combine(Out, "runsc");

    /// <summary>The sources of the C guest programs.</summary>
    public static string GuestPrograms => Path.Combine(Root, "tests", "Guest", "programs");

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Build.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"no Build.sln above {AppContext.BaseDirectory}");
    }
}
