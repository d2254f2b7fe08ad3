// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Guest.Tests;

/// <summary><c>--strace</c> tells of every call, also of those that a platform could answer by itself.</summary>
public sealed class SyscallTraceTests
{
    private const int Calls = 200;

    public static TheoryData<string> Platforms => [.. Sandbox.Platforms];

    [Theory]
    [MemberData(nameof(Platforms))]
    public async Task Calls_about_oneself_are_traced_however_often(string platform)
    {
        Requirements.NeedCommand("perl");
        Sandbox.NeedPrograms();
        using Sandbox sandbox = new(platform);
        string log = Path.Combine(Directory.CreateTempSubdirectory("cvisor-log-").FullName, "log");
        try
        {
            string[] options = ["--debug", "--strace", $"--debug-log={log}", "--strace-syscalls=getppid"];
            CommandResult result = await sandbox.RunscAsync([.. options, "do", "perl", "-e", $"for my $i (1..{Calls}) {{ getppid }} print 'done'"], timeout: TimeSpan.FromSeconds(60));
            result.Output.ShouldBe("done");
            string text = string.Concat(Directory.EnumerateFiles(Path.GetDirectoryName(log)!).Select(File.ReadAllText));
            text.Split("getppid(").Length.ShouldBeGreaterThan(2 * Calls, "a line when it begins and one when it ends");
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(log)!, recursive: true);
        }
    }
}
