// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics;
using CVisor.Core.Credentials;
using CVisor.Core.Loader;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Platforms.Ptrace;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.Core.Tests;

public sealed class FirstProgramTests
{
    [Fact]
    public void A_static_program_prints_through_the_kernel()
    {
        byte[] image = Compile("""
            static long call(long n, long a, long b, long c) { long r; __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory"); return r; }
            static char data[20000] = "hello";
            static char bss[100000];
            void _start(void) { bss[50000] = '!'; data[5] = bss[50000]; data[6] = '\n'; call(1, 1, (long)data, 7); call(231, 7, 0, 0); }
            """);
        RecordingSyscalls syscalls = new();
        SandboxMemory memory = SandboxMemory.Create();
        Kernel kernel = new(new PtracePlatform(), syscalls, memory, 1);
        kernel.Start();
        ProcessResult created = default;
        using ManualResetEventSlim ready = new(false);
        kernel.CreateProcess(
            new ProcessRequest
            {
                Program = new ProgramRequest
                {
                    File = new MemoryFileDescription(image, memory),
                    Path = "/hello",
                    Arguments = ["/hello"],
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
        syscalls.Written.ShouldBe("hello!\n");
        created.Process!.ExitStatus.ShouldBe(7 << 8);
    }

    private static byte[] Compile(string source)
    {
        string directory = Directory.CreateTempSubdirectory("cvisor-test").FullName;
        try
        {
            File.WriteAllText(Path.Combine(directory, "a.c"), source);
            using Process gcc = Process.Start(new ProcessStartInfo("gcc", ["-O1", "-nostdlib", "-static", "-fno-stack-protector", "-o", Path.Combine(directory, "a"), Path.Combine(directory, "a.c")]))!;
            gcc.WaitForExit();
            gcc.ExitCode.ShouldBe(0);
            return File.ReadAllBytes(Path.Combine(directory, "a"));
        }
        finally
        {
            Directory.Delete(directory, true);
        }
    }

    private sealed class RecordingSyscalls : ISyscallTable
    {
        public string Written { get; private set; } = "";

        public Blocking<SyscallResult> Dispatch(Task task, long number, in SyscallArgs args)
        {
            switch (number)
            {
                case 1:
                    byte[] bytes = new byte[args.A2];
                    task.Memory.CopyIn(new UserPtr(args.A1), bytes).ShouldBe(Abi.Errno.None);
                    Written += KernelString.FromBytes(bytes);
                    return (SyscallResult)bytes.Length;
                case 231:
                    return task.RequestExit((int)args.A0 << 8);
                default:
                    return (SyscallResult)Abi.Errno.ENOSYS;
            }
        }

        public void OnLeave(Task task, long number, in SyscallArgs args, in SyscallResult result)
        {
        }
    }
}
