// SPDX-License-Identifier: Apache-2.0
#nullable enable
namespace CVisor.Abi
{
    public enum Errno { None = 0, EPERM = 1, ENOSYS = 38 }
}

namespace CVisor.Core.Memory
{
    public readonly record struct UserPtr(ulong Address);
}

namespace CVisor.Core.Tasks
{
    public sealed class Kernel
    {
        public long? Counted { get; private set; }

        public void CountUnimplemented(long number) => Counted = number;
    }

    public sealed class Task
    {
        public Kernel Kernel { get; } = new();
    }

    public readonly record struct SyscallArgs(ulong A0, ulong A1, ulong A2, ulong A3, ulong A4, ulong A5);

    public readonly record struct SyscallResult(string Text, long Register = 0)
    {
        public static SyscallResult Fail(CVisor.Abi.Errno errno) => new(errno.ToString());
    }

    public readonly record struct Blocking<T>(T Result)
    {
        public static implicit operator Blocking<T>(T result) => new(result);
    }
}

namespace CVisor.Fixture
{
    public static class Entry
    {
        public static string Answers()
        {
            global::System.Span<ulong> answers = stackalloc ulong[CVisor.Syscalls.SyscallTable.StandingCalls.Length];
            CVisor.Syscalls.SyscallTable.Answer(new CVisor.Core.Tasks.Task(), answers);
            string text = "";
            for (int i = 0; i < answers.Length; i++)
            {
                text += $"{CVisor.Syscalls.SyscallTable.StandingCalls[i]}={(long)answers[i]} ";
            }

            return text;
        }

        public static string Run(int number, ulong[] r)
        {
            CVisor.Core.Tasks.Task task = new();
            CVisor.Core.Tasks.SyscallArgs args = new(r[0], r[1], r[2], r[3], r[4], r[5]);
            string text = CVisor.Syscalls.SyscallTable.Dispatch(task, number, in args).Result.Text;
            return task.Kernel.Counted is long counted ? $"{text} counted={counted}" : text;
        }
    }
}
