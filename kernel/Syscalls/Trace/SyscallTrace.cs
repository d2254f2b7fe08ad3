// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Memory;
using CVisor.Core.Tasks;

namespace CVisor.Syscalls.Trace;

/// <summary>
/// The text of system calls as they begin and end, as <c>--strace</c> logs them:
/// <c>[   1] bash E openat(AT_FDCWD /, 0x7f00 "/etc/passwd", O_RDONLY|O_CLOEXEC, 0o0)</c>, and with X the result, the errno and the time taken.
/// </summary>
public static class SyscallTrace
{
    private const int Registers = 6;

    /// <summary>Writes the line of a call that begins.</summary>
    public static void FormatEntry(TraceWriter writer, ITraceTarget target, int number, in SyscallArgs args)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(target);
        FormatCall(writer, target, number, in args, " E ", default, isExit: false);
    }

    /// <summary>Writes the line of a call that ended after <paramref name="nanoseconds"/>.</summary>
    public static void FormatExit(
        TraceWriter writer, ITraceTarget target, int number, in SyscallArgs args, in SyscallResult result, long nanoseconds)
    {
        ArgumentNullException.ThrowIfNull(writer);
        ArgumentNullException.ThrowIfNull(target);
        FormatCall(writer, target, number, in args, " X ", in result, isExit: true);
        if (result.KeepsRegisters)
        {
            writer.Text(" = ?");
        }
        else if (result.IsRestart)
        {
            writer.Text(" = ? (to be restarted: ").Text(RestartName(result.Restart)).Text(")");
        }
        else if (result.IsError)
        {
            writer.Text(" = 0 (0x0) errno=").Decimal((long)result.Error).Text(" (").Text(result.Error.ToString()).Text(")");
        }
        else
        {
            writer.Text(" = ").Decimal(result.Register).Text(" (").Hex(unchecked((ulong)result.Register)).Text(")");
        }

        writer.Text(" (");
        PrintDuration(writer, nanoseconds);
        writer.Text(")");
    }

    private static void FormatCall(
        TraceWriter writer, ITraceTarget target, int number, in SyscallArgs args, string phase, in SyscallResult result, bool isExit)
    {
        writer.Clear();
        writer.Text("[");
        int pad = target.ThreadId switch { < 10 => 3, < 100 => 2, < 1000 => 1, _ => 0 };
        writer.Text("   ".AsSpan(0, pad)).Decimal((long)target.ThreadId).Text("] ").Text(target.Name).Text(phase);

        TraceCall? call = TraceData.Call(number);
        if (call is null)
        {
            writer.Text("sys_").Decimal((long)number).Text("(");
            for (int i = 0; i < Registers; i++)
            {
                writer.Text(i > 0 ? ", " : "").Hex(Register(in args, i));
            }

            writer.Text(")");
            return;
        }

        writer.Text(call.Name).Text("(");
        for (int i = 0; i < call.Args.Length; i++)
        {
            writer.Text(i > 0 ? ", " : "");
            PrintArgument(writer, target, call, i, in args, in result, isExit);
        }

        writer.Text(")");
    }

    private static void PrintArgument(
        TraceWriter writer, ITraceTarget target, TraceCall call, int index, in SyscallArgs args, in SyscallResult result, bool isExit)
    {
        TraceArg arg = call.Args[index];
        ulong register = Register(in args, index);
        if (arg.Direction == TraceDirection.None)
        {
            if (arg.Type.Format is TraceFormat.Path or TraceFormat.String)
            {
                MemoryFormatter.Print(writer, target, arg.Type, new UserPtr(register), -1, long.MaxValue);
            }
            else
            {
                ValueFormatter.Print(writer, target, arg.Type, ValueFormatter.Truncate(register, arg.Type.Size));
            }

            return;
        }

        // What the kernel is to write is nothing yet, and after a failure it is nothing to go by.
        bool isWritten = isExit && !result.IsError && !result.IsRestart;
        if (register != 0 && arg.Direction == TraceDirection.Out && !isWritten)
        {
            writer.Hex(register);
            return;
        }

        // A buffer whose length is passed by value is filled as far as the result says; elsewhere the result is no length.
        bool isFilled = arg.Direction == TraceDirection.Out && arg.Count.Source != TraceCount.Kind.Pointed;
        long valid = isFilled ? Math.Max(result.Register, 0) : long.MaxValue;
        long count = CountOf(target, call, arg, in args, in result);
        MemoryFormatter.Print(writer, target, arg.Type, new UserPtr(register), count, valid);
    }

    private static long CountOf(ITraceTarget target, TraceCall call, TraceArg arg, in SyscallArgs args, in SyscallResult result)
    {
        switch (arg.Count.Source)
        {
            case TraceCount.Kind.Fixed:
                return arg.Count.Value;
            case TraceCount.Kind.Result:
                return Math.Max(result.Register, 0);
            case TraceCount.Kind.Argument:
                ulong count = ValueFormatter.Truncate(Register(in args, arg.Count.Value), call.Args[arg.Count.Value].Type.Size);
                return (long)Math.Min(count, int.MaxValue);
            case TraceCount.Kind.Pointed:
                UserPtr pointer = new(Register(in args, arg.Count.Value));
                return MemoryFormatter.TryReadWord(target, pointer, sizeof(uint), out ulong pointed) ? (long)Math.Min(pointed, int.MaxValue) : 0;
            default:
                return -1;
        }
    }

    private static ulong Register(in SyscallArgs args, int index) => index switch
    {
        0 => args.A0,
        1 => args.A1,
        2 => args.A2,
        3 => args.A3,
        4 => args.A4,
        _ => args.A5,
    };

    private static string RestartName(Restart restart) => restart switch
    {
        Restart.IfHandlerAllows => "ERESTARTSYS",
        Restart.Always => "ERESTARTNOINTR",
        Restart.IfNoHandler => "ERESTARTNOHAND",
        _ => "ERESTART_RESTARTBLOCK",
    };

    // Three figures that matter, without floating point: 870ns, 12.3µs, 4.567ms, 1.234s.
    private static void PrintDuration(TraceWriter writer, long nanoseconds)
    {
        long ns = Math.Max(nanoseconds, 0);
        if (ns < 1000)
        {
            writer.Decimal(ns).Text("ns");
        }
        else if (ns < 1_000_000)
        {
            writer.Decimal(ns / 1000).Text(".").Decimal(ns % 1000 / 100).Text("µs");
        }
        else if (ns < 1_000_000_000)
        {
            PrintThousandths(writer, ns / 1000, "ms");
        }
        else
        {
            PrintThousandths(writer, ns / 1_000_000, "s");
        }
    }

    private static void PrintThousandths(TraceWriter writer, long value, string unit)
    {
        long rest = value % 1000;
        writer.Decimal(value / 1000).Text(rest < 10 ? ".00" : rest < 100 ? ".0" : ".").Decimal(rest).Text(unit);
    }
}
