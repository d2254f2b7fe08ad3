// SPDX-License-Identifier: Apache-2.0
using System;
using System.IO;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace CVisor.Analyzers;

/// <summary>Where in the repository a project lies: the MSBuild property <c>RepoArea</c>, such as <c>kernel/Core/</c>.</summary>
internal readonly struct RepoArea
{
    private static readonly string[] s_guestReachable = ["kernel/Core/", "kernel/FileSystems/", "kernel/Sockets/", "kernel/Syscalls/"];

    private readonly string _path;

    private RepoArea(string path) => _path = path;

    /// <summary>Reads the area of the project that is compiled; empty when the project does not say.</summary>
    internal static RepoArea Of(AnalyzerOptions options) => new(Property(options, "RepoArea"));

    /// <summary>The value of an MSBuild property that the project makes visible to analyzers, or an empty string.</summary>
    internal static string Property(AnalyzerOptions options, string name) =>
        options.AnalyzerConfigOptionsProvider.GlobalOptions.TryGetValue("build_property." + name, out string? value) ? value.Trim() : "";

    /// <summary>Whether the project is the one that holds every native call.</summary>
    internal bool IsHost => Within("kernel/Host/");

    /// <summary>Whether the project is one of the few where unsafe code may be.</summary>
    internal bool AllowsUnsafe => IsHost || Within("platforms/");

    /// <summary>Whether the project holds system call handlers.</summary>
    internal bool IsSyscalls => Within("kernel/Syscalls/");

    /// <summary>Whether a guest's system call can reach any line of the project.</summary>
    internal bool IsGuestReachable => Array.Exists(s_guestReachable, Within);

    /// <summary>Whether the file is one of those that may hold unsafe code.</summary>
    internal static bool IsUnsafeFile(string path) => Path.GetFileName(path).EndsWith(".Unsafe.cs", StringComparison.Ordinal);

    private bool Within(string folder) => _path.StartsWith(folder, StringComparison.Ordinal);
}
