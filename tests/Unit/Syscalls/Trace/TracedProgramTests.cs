// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics;
using System.Text.RegularExpressions;
using CVisor.Core.Credentials;
using CVisor.Core.Loader;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Tests;
using CVisor.Core.Vfs;
using CVisor.Platforms.Ptrace;
using CVisor.Syscalls.Trace;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.Syscalls.Tests.Trace;

/// <summary>A guest on the ptrace platform, served by the generated table, with the trace on.</summary>
public sealed partial class TracedProgramTests
{
    private const string Source = """
        static long call(long n, long a, long b, long c)
        {
            register long r10 asm("r10") = 0, r8 asm("r8") = 0, r9 asm("r9") = 0;
            long r;
            __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
            return r;
        }
        void _start(void)
        {
            call(290, 5, 0x80000, 0);          /* eventfd2 */
            call(290, 5, 0x40000000, 0);       /* a flag that does not exist */
            call(134, 0, 0, 0);                /* uselib: a row without a handler */
            call(172, 3, 0, 0);                /* iopl: a row with an errno of its own */
            call(600, 1, 2, 3);                /* no row */
            call(0x40000000 | 290, 0, 0, 0);   /* the x32 ABI */
            call(-1, 0, 0, 0);
            call(0xffffffff000001b4, 3, 3, 0); /* close_range in the lower half */
            call(231, 7, 0, 0);
        }
        """;

    [Fact]
    public void Each_call_is_two_lines()
    {
        string[] lines = Trace([]);
        lines.Select(l => Duration().Replace(l, "(TIME)")).ShouldBe(
        [
            "[   1] guest E eventfd2(0x5, EFD_CLOEXEC)",
            "[   1] guest X eventfd2(0x5, EFD_CLOEXEC) = 0 (0x0) (TIME)",
            "[   1] guest E eventfd2(0x5, 0x40000000)",
            "[   1] guest X eventfd2(0x5, 0x40000000) = 0 (0x0) errno=22 (EINVAL) (TIME)",
            "[   1] guest E uselib()",
            "[   1] guest X uselib() = 0 (0x0) errno=38 (ENOSYS) (TIME)",
            "[   1] guest E iopl(3)",
            "[   1] guest X iopl(3) = 0 (0x0) errno=1 (EPERM) (TIME)",
            "[   1] guest E sys_600(0x1, 0x2, 0x3, 0x0, 0x0, 0x0)",
            "[   1] guest X sys_600(0x1, 0x2, 0x3, 0x0, 0x0, 0x0) = 0 (0x0) errno=38 (ENOSYS) (TIME)",
            "[   1] guest E sys_1073742114(0x0, 0x0, 0x0, 0x0, 0x0, 0x0)",
            "[   1] guest X sys_1073742114(0x0, 0x0, 0x0, 0x0, 0x0, 0x0) = 0 (0x0) errno=38 (ENOSYS) (TIME)",
            "[   1] guest E sys_-1(0x0, 0x0, 0x0, 0x0, 0x0, 0x0)",
            "[   1] guest X sys_-1(0x0, 0x0, 0x0, 0x0, 0x0, 0x0) = 0 (0x0) errno=38 (ENOSYS) (TIME)",
            "[   1] guest E close_range(0x3, 0x3, 0)",
            .. lines.Where(l => l.Contains("X close_range", StringComparison.Ordinal)).Select(l => Duration().Replace(l, "(TIME)")),
        ]);
    }

    [Fact]
    public void Only_the_calls_asked_for_are_traced()
        => Trace(["iopl"]).Select(l => Duration().Replace(l, "(TIME)")).ShouldBe(
            ["[   1] guest E iopl(3)", "[   1] guest X iopl(3) = 0 (0x0) errno=1 (EPERM) (TIME)"]);

    [Fact]
    public void A_call_that_does_not_exist_cannot_be_asked_for()
        => Should.Throw<ArgumentException>(() => new SyscallTracer(_ => { }, 1024, ["opennat"])).Message.ShouldContain("'opennat'");

    [GeneratedRegex(@"\(\d+(\.\d+)?(ns|µs|ms|s)\)$")]
    private static partial Regex Duration();

    private static string[] Trace(string[] names)
    {
        List<string> lines = [];
        SyscallTracer tracer = new(
            line =>
            {
                string text = line.ToString();
                lock (lines)
                {
                    lines.Add(text);
                }
            },
            1024,
            names);
        SandboxMemory memory = SandboxMemory.Create();
        Kernel kernel = new(new PtracePlatform(), new EndingTable(new LinuxSyscallTable(tracer)), memory, 1);
        kernel.Start();
        using ManualResetEventSlim ready = new(false);
        ProcessResult created = default;
        kernel.CreateProcess(
            new ProcessRequest
            {
                Program = new ProgramRequest
                {
                    File = new MemoryFileDescription(Compile(), memory),
                    Path = "/guest",
                    Arguments = ["/guest"],
                    Environment = [],
                    OpenProgram = _ => throw new InvalidOperationException("no interpreter is expected"),
                    Credentials = UserCredentials.Root,
                },
                Descriptors = new FdTable(),
                Fs = new FsContext(default, default, 0),
            },
            result =>
            {
                created = result;
                ready.Set();
            });
        ready.Wait(TimeSpan.FromSeconds(20)).ShouldBeTrue(kernel.Bug);
        created.Error.ShouldBe(Abi.Errno.None);
        kernel.WaitUntilEnded();
        kernel.Bug.ShouldBeNull();
        return [.. lines];
    }

    private static byte[] Compile()
    {
        string directory = Directory.CreateTempSubdirectory("cvisor-test").FullName;
        try
        {
            string source = Path.Combine(directory, "a.c");
            string program = Path.Combine(directory, "a");
            File.WriteAllText(source, Source);
            using Process gcc = Process.Start(new ProcessStartInfo("gcc", ["-O1", "-nostdlib", "-static", "-fno-stack-protector", "-o", program, source]))!;
            gcc.WaitForExit();
            gcc.ExitCode.ShouldBe(0);
            return File.ReadAllBytes(program);
        }
        finally
        {
            Directory.Delete(directory, true);
        }
    }

    /// <summary>Ends the guest at exit_group by itself, so that what is traced does not depend on it.</summary>
    private sealed class EndingTable(LinuxSyscallTable inner) : ISyscallTable
    {
        public Blocking<SyscallResult> Dispatch(Task task, long number, in SyscallArgs args)
            => number == SyscallNumbers.X86_64.ExitGroup ? task.RequestExit((int)args.A0 << 8) : inner.Dispatch(task, number, in args);

        public void OnLeave(Task task, long number, in SyscallArgs args, in SyscallResult result) => inner.OnLeave(task, number, in args, in result);
    }
}
