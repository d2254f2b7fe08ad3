// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Host.Filters;
using CVisor.Tests.Support;

namespace CVisor.Generators.Tests.Seccomp;

/// <summary>The host's kernel takes the programs and does with them what the interpreter does.</summary>
public sealed class HostKernelTests : IDisposable
{
    private const int KilledBySigsys = 128 + 31;

    private readonly string _folder = Directory.CreateTempSubdirectory("cvisor-seccomp-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("sentry", 0, "39")] // getpid
    [InlineData("sentry", 13, "257", "-100", "0", "0")] // openat that would follow a link: EACCES
    [InlineData("sentry", 13, "257", "-100", "0", "0x20001")] // for writing
    [InlineData("sentry", 13, "257", "-100", "0", "0x20002")]
    [InlineData("sentry", 13, "257", "-100", "0", "0x20040")] // making a file
    [InlineData("sentry", 13, "257", "-100", "0", "0x20200")] // cutting one short
    [InlineData("sentry", 14, "257", "-100", "0", "0x20000")] // for reading: the host looks at the name, EFAULT
    [InlineData("sentry", KilledBySigsys, "437", "-100", "0", "0", "0")] // openat2
    [InlineData("sentry", 38, "435")] // clone3: ENOSYS
    [InlineData("sentry", 0, "10", "0", "0", "3")] // mprotect of nothing, read and write
    [InlineData("sentry", KilledBySigsys, "10", "0", "0", "4")] // executable
    [InlineData("sentry", KilledBySigsys, "59")] // execve
    [InlineData("sentry", KilledBySigsys, "41", "1", "1", "0")] // socket
    [InlineData("sentry", KilledBySigsys, "0x40000027")] // x32 getpid
    [InlineData("gofer", 0, "41", "1", "1", "0")] // socket(AF_UNIX)
    [InlineData("gofer", KilledBySigsys, "41", "2", "1", "0")] // socket(AF_INET)
    [InlineData("gofer", KilledBySigsys, "101", "0")] // ptrace
    [InlineData("stub", KilledBySigsys, "39")] // trapped: the call is not from the stub page
    public async Task A_call_under_the_filter_ends_as_it_should(string role, int expected, params string[] call)
    {
        string apply = Path.Combine(_folder, "apply");
        await CCompiler.CompileAsync(Path.Combine(RepositoryPaths.Root, "tests/Generators/Seccomp/apply.c"), apply);

        // The program holds no $pid that matters to these calls.
        ulong[] program = role switch
        {
            "sentry" => RoleFilters.Sentry.Build(1, 0),
            "gofer" => RoleFilters.Gofer.Build(1, 0),
            _ => RoleFilters.Stub.Build(1, 0x1000),
        };
        string file = Path.Combine(_folder, role);
        await File.WriteAllBytesAsync(file, MemoryMarshal.AsBytes<ulong>(program).ToArray());

        CommandResult result = await Command.RunAsync(apply, [file, .. call]);
        result.ExitCode.ShouldBe(expected, result.ToString());
    }
}
