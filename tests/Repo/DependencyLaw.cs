// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Repo.Tests;

/// <summary>Which project may reference which: what is not listed is forbidden. Change it together with docs/architecture.md.</summary>
internal static class DependencyLaw
{
    /// <summary>Who may be referenced by a shipped project, by folder. Annotations may be referenced by all.</summary>
    public static IReadOnlyDictionary<string, string[]> Allowed { get; } = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["kernel/Abi"] = [],
        ["kernel/Host"] = ["kernel/Abi"],

        // Platforms can be swapped: they know neither each other nor a kernel object.
        ["platforms/Abstractions"] = ["kernel/Abi"],
        ["platforms/Common"] = ["platforms/Abstractions", "kernel/Host", "kernel/Abi"],
        ["platforms/Ptrace"] = ["platforms/Common", "platforms/Abstractions", "kernel/Host", "kernel/Abi"],
        ["platforms/Systrap"] = ["platforms/Common", "platforms/Abstractions", "kernel/Host", "kernel/Abi"],
        ["platforms/Kvm"] = ["platforms/Common", "platforms/Abstractions", "kernel/Host", "kernel/Abi"],

        // The core knows no platform, no system call, no file system.
        ["kernel/Core"] = ["kernel/Abi", "kernel/Host", "platforms/Abstractions"],
        ["kernel/FileSystems"] = ["kernel/Core", "kernel/Host", "kernel/Abi", "gofer/Client", "gofer/Protocol"],
        ["kernel/Sockets"] = ["kernel/Core", "kernel/Host", "kernel/Abi"],
        ["kernel/Syscalls"] = ["kernel/Core", "kernel/Abi", "kernel/FileSystems", "kernel/Sockets"],

        // The gofer's server is a trust domain of its own: nothing of the kernel but the host calls.
        ["gofer/Protocol"] = ["kernel/Abi"],
        ["gofer/Client"] = ["gofer/Protocol", "kernel/Host"],
        ["gofer/Server"] = ["gofer/Protocol", "kernel/Host", "kernel/Abi"],
        ["gofer/Host"] = ["gofer/Server", "gofer/Protocol", "kernel/Host", "kernel/Abi"],

        // The command line starts fast: no kernel, no platform.
        ["runsc/Cli"] = ["kernel/Abi"],
        ["runsc/Oci"] = ["kernel/Abi"],
        ["runsc/Metrics"] = ["kernel/Abi"],
        ["runsc/Control"] = ["kernel/Host", "kernel/Abi"],
        ["runsc/Sandbox"] = ["runsc/Control", "runsc/Oci", "kernel/Host", "kernel/Abi"],
        ["runsc/Commands"] = ["runsc/Cli", "runsc/Control", "runsc/Oci", "runsc/Sandbox", "kernel/Host", "kernel/Abi"],
        ["runsc/Shim"] = ["runsc/Control", "runsc/Oci", "runsc/Sandbox", "kernel/Host", "kernel/Abi"],
        ["runsc/Boot"] =
        [
            "runsc/Control", "kernel/Syscalls", "kernel/FileSystems", "kernel/Sockets", "kernel/Core", "kernel/Host", "kernel/Abi",
            "platforms/Abstractions", "platforms/Common", "platforms/Ptrace", "platforms/Systrap", "platforms/Kvm", "gofer/Client", "gofer/Protocol",
        ],

        // One binary; the Sentry and the gofer are hidden subcommands of it.
        ["runsc/Main"] = ["runsc/Cli", "runsc/Commands", "runsc/Sandbox", "runsc/Control", "runsc/Boot", "runsc/Shim", "runsc/Metrics", "gofer/Host"],

        // What runs in the compiler.
        ["generators"] = [],
        ["analyzers/Annotations"] = [],
        ["analyzers/Rules"] = [],
        ["analyzers/CodeFixes"] = ["analyzers/Rules"],
    };

    /// <summary>The projects that may hold unsafe code, besides every platform.</summary>
    public static string[] Unsafe { get; } = ["kernel/Host", "platforms/Common", "platforms/Ptrace", "platforms/Systrap", "platforms/Kvm"];

    /// <summary>Which packages (by the labels of Directory.Packages.props) the projects below a folder may reference.</summary>
    public static IReadOnlyDictionary<string, string[]> TrustGroups { get; } = new Dictionary<string, string[]>(StringComparer.Ordinal)
    {
        ["kernel/"] = [],
        ["gofer/"] = [],
        ["platforms/"] = [],
        ["runsc/"] = ["CommandLine"],
        ["generators"] = ["Build"],
        ["analyzers/"] = ["Build"],
        ["tests/"] = ["CommandLine", "Build", "Tests"],
    };

    /// <summary>What may lie in the root.</summary>
    public static string[] RootEntries { get; } =
    [
        "syscalls.yaml", "generators", "kernel", "platforms", "gofer", "runsc", "tests", "analyzers", "Directory.Packages.props", "Build.sln",
        "README.md", "CONTRIBUTING.md", "LICENSE", "docs", ".ci", ".editorconfig", ".gitignore", ".gitattributes", "global.json",
        "Directory.Build.props", "build.sh",
    ];
}
