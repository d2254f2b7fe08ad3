// SPDX-License-Identifier: Apache-2.0
using CVisor.Schema;
using CVisor.Tests.Support;

namespace CVisor.Coverage;

/// <summary>Writes docs/compatibility from syscalls.yaml and the guest programs; with --check says which files are stale.</summary>
public static class Program
{
    /// <summary>The entry point.</summary>
    /// <returns>0 when all is written or fresh, 1 when the spec has faults or, with --check, a file is stale.</returns>
    public static int Main(string[] args)
    {
        ArgumentNullException.ThrowIfNull(args);
        bool isCheck = args.Contains("--check");
        CompatibilityReport report = CompatibilityReport.OfRepository();
        foreach (SpecDiagnostic fault in report.Faults)
        {
            Console.Error.WriteLine($"syscalls.yaml({fault.Line},{fault.Column}): {fault.Id}: {fault.Message}");
        }

        if (report.Faults.Count > 0)
        {
            return 1;
        }

        int status = 0;
        foreach ((string path, string content) in report.Files)
        {
            string file = Path.Combine(RepositoryPaths.Root, path);
            if (File.Exists(file) && File.ReadAllText(file) == content)
            {
                continue;
            }

            if (isCheck)
            {
                Console.Error.WriteLine($"{path} is stale; ./build.sh coverage writes it");
                status = 1;
                continue;
            }

            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, content);
            Console.WriteLine($"wrote {path}");
        }

        foreach (ArchitectureReport architecture in report.Architectures)
        {
            Console.WriteLine($"{architecture.Name}: {architecture.Summary()}");
        }

        return status;
    }
}
