// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;

namespace CVisor.Syscalls.Trace;

/// <summary>Prints values that fit a register: arguments, and fields of structures.</summary>
internal static class ValueFormatter
{
    private const int AtFdcwd = -100;

    private static readonly TraceFlagSet? s_signals = TraceData.Flags("signal");

    /// <summary>Prints <paramref name="value"/>, already cut to the type's size, as <paramref name="type"/>.</summary>
    public static void Print(TraceWriter writer, ITraceTarget target, TraceType type, ulong value)
    {
        switch (type.Format)
        {
            case TraceFormat.Dec when type.IsSigned:
                writer.Decimal(SignExtend(value, type.Size));
                break;
            case TraceFormat.Dec:
                writer.Decimal(value);
                break;
            case TraceFormat.Oct:
                writer.Octal(value);
                break;
            case TraceFormat.Dev:
                PrintDevice(writer, value);
                break;
            case TraceFormat.Dirfd:
            case TraceFormat.Fd:
                PrintDescriptor(writer, target, unchecked((int)value), type.Format == TraceFormat.Dirfd);
                break;
            case TraceFormat.Id:
                PrintId(writer, value);
                break;
            case TraceFormat.WaitStatus:
                PrintWaitStatus(writer, unchecked((uint)value));
                break;
            case TraceFormat.SigHandler:
                writer.Text(value switch { 0 => "SIG_DFL", 1 => "SIG_IGN", _ => "" });
                if (value > 1)
                {
                    writer.Hex(value);
                }

                break;
            case TraceFormat.SigsetValue:
                PrintSignals(writer, value);
                break;
            case TraceFormat.Rlimit when value == ulong.MaxValue:
                writer.Text("RLIM_INFINITY");
                break;
            case TraceFormat.Rlimit:
                writer.Decimal(value);
                break;
            case TraceFormat.Flags:
                type.Flags!.Print(writer, value);
                break;
            default:
                writer.Hex(value);
                break;
        }
    }

    /// <summary>Reads a little-endian value of <paramref name="size"/> bytes: 1, 2, 4 or 8.</summary>
    public static ulong Load(ReadOnlySpan<byte> bytes, int size) => size switch
    {
        1 => bytes[0],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        4 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        _ => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
    };

    /// <summary>Cuts a register to what the type holds.</summary>
    public static ulong Truncate(ulong register, int size) => size switch
    {
        1 => register & 0xff,
        2 => register & 0xffff,
        4 => register & 0xffff_ffff,
        _ => register,
    };

    /// <summary>Prints a signal's name, real-time ones as SIGRT_n.</summary>
    public static void PrintSignal(TraceWriter writer, ulong signal)
    {
        if (s_signals?.NameOf(signal) is string name)
        {
            writer.Text(name);
        }
        else if (signal is >= 32 and <= 64)
        {
            writer.Text("SIGRT_").Decimal(signal - 32);
        }
        else
        {
            writer.Decimal(signal);
        }
    }

    /// <summary>Prints a signal set: bit n-1 is signal n.</summary>
    public static void PrintSignals(TraceWriter writer, ulong set)
    {
        // A nearly full set is easier to read by what it lacks.
        bool isInverted = ulong.PopCount(set) > 32;
        ulong rest = isInverted ? ~set : set;
        writer.Text(isInverted ? "~[" : "[");
        bool any = false;
        while (rest != 0)
        {
            int bit = (int)ulong.TrailingZeroCount(rest);
            writer.Text(any ? " " : "");
            PrintSignal(writer, (ulong)bit + 1);
            any = true;
            rest &= rest - 1;
        }

        writer.Text("]");
    }

    private static long SignExtend(ulong value, int size) => unchecked(size switch
    {
        1 => (sbyte)value,
        2 => (short)value,
        4 => (int)value,
        _ => (long)value,
    });

    private static void PrintDescriptor(TraceWriter writer, ITraceTarget target, int descriptor, bool isDirectory)
    {
        if (isDirectory && descriptor == AtFdcwd)
        {
            writer.Text("AT_FDCWD ").Text(target.DescribeWorkingDirectory());
            return;
        }

        if (descriptor < 0)
        {
            writer.Decimal(descriptor);
            return;
        }

        writer.Hex((ulong)descriptor).Text(" ").Text(target.DescribeFile(descriptor) ?? "(bad FD)");
    }

    private static void PrintId(TraceWriter writer, ulong value)
    {
        if (value == uint.MaxValue)
        {
            writer.Text("-1");
            return;
        }

        writer.Decimal(value);
    }

    // The layout of dev_t: include/linux/kdev_t.h, new_encode_dev with the high bits of stat64.
    private static void PrintDevice(TraceWriter writer, ulong value)
    {
        ulong major = ((value >> 8) & 0xfff) | ((value >> 32) & ~0xfffUL);
        ulong minor = (value & 0xff) | ((value >> 12) & 0xffff_ff00);
        writer.Decimal(major).Text(":").Decimal(minor);
    }

    private static void PrintWaitStatus(TraceWriter writer, uint status)
    {
        uint signal = status & 0x7f;
        writer.Hex(status);
        if (status == 0xffff)
        {
            writer.Text(" [continued]");
        }
        else if (signal == 0)
        {
            writer.Text(" [exited ").Decimal((status >> 8) & 0xff).Text("]");
        }
        else if (signal == 0x7f)
        {
            writer.Text(" [stopped ");
            PrintSignal(writer, (status >> 8) & 0xff);
            writer.Text("]");
        }
        else
        {
            writer.Text(" [killed ");
            PrintSignal(writer, signal);
            writer.Text((status & 0x80) != 0 ? ", core]" : "]");
        }
    }
}
