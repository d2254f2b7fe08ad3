// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using CVisor.Core.Memory;

namespace CVisor.Syscalls.Trace;

/// <summary>Prints socket addresses, message headers and control messages.</summary>
internal static class SocketFormatter
{
    /// <summary>sizeof(struct msghdr).</summary>
    public const int MessageSize = 56;

    /// <summary>sizeof(struct mmsghdr).</summary>
    public const int ManyMessageSize = 64;

    private const int MaxAddress = 128;
    private const int MaxControl = 512;
    private const int ControlHeader = 16;
    private const int SolSocket = 1;
    private const int ScmRights = 1;
    private const int ScmCredentials = 2;

    private static readonly TraceFlagSet? s_families = TraceData.Flags("socket_family");
    private static readonly TraceFlagSet? s_flags = TraceData.Flags("msg_flags");

    /// <summary>Prints the address of <paramref name="length"/> bytes at <paramref name="source"/>.</summary>
    public static void PrintAddress(TraceWriter writer, ITraceTarget target, UserPtr source, long length)
    {
        Span<byte> bytes = stackalloc byte[MaxAddress];
        bytes = bytes[..(int)Math.Clamp(length, 0, MaxAddress)];
        if (target.Read(source, bytes) != bytes.Length)
        {
            writer.Text("(fault)");
            return;
        }

        if (bytes.Length < 2)
        {
            writer.Text("{}");
            return;
        }

        ushort family = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        writer.Text("{family=");
        s_families?.Print(writer, family);
        PrintAddressBody(writer, family, bytes[2..]);
        writer.Text("}");
    }

    /// <summary>Prints a struct msghdr; of what was received no more than <paramref name="valid"/> bytes.</summary>
    public static void PrintMessage(TraceWriter writer, ITraceTarget target, ReadOnlySpan<byte> message, long valid)
    {
        UserPtr name = new(ValueFormatter.Load(message, 8));
        UserPtr vectors = new(ValueFormatter.Load(message[16..], 8));
        UserPtr control = new(ValueFormatter.Load(message[32..], 8));
        ulong controlLength = ValueFormatter.Load(message[40..], 8);
        writer.Text("{name=").Hex(name.Address);
        if (!name.IsNull)
        {
            writer.Text(" ");
            PrintAddress(writer, target, name, unchecked((long)ValueFormatter.Load(message[8..], 4)));
        }

        writer.Text(", iov=").Hex(vectors.Address).Text(" ");
        VectorFormatter.PrintVectors(writer, target, vectors, (long)Math.Min(ValueFormatter.Load(message[24..], 8), 1024), valid);
        writer.Text(", control=").Hex(control.Address);
        if (!control.IsNull)
        {
            writer.Text(" ");
            PrintControl(writer, target, control, controlLength);
        }

        writer.Text(", flags=");
        s_flags?.Print(writer, ValueFormatter.Load(message[48..], 4));
        writer.Text("}");
    }

    /// <summary>Prints a struct mmsghdr: a message and how long it was.</summary>
    public static void PrintManyMessage(TraceWriter writer, ITraceTarget target, ReadOnlySpan<byte> message)
    {
        ulong length = ValueFormatter.Load(message[MessageSize..], 4);
        writer.Text("{hdr=");
        PrintMessage(writer, target, message, long.MaxValue);
        writer.Text(", len=").Decimal(length).Text("}");
    }

    private static void PrintAddressBody(TraceWriter writer, ushort family, ReadOnlySpan<byte> body)
    {
        const ushort Unix = 1;
        const ushort Internet = 2;
        const ushort Internet6 = 10;
        const ushort Netlink = 16;
        switch (family)
        {
            case Unix when body.Length > 0 && body[0] == 0:
                writer.Text(", abstract=").Quoted(body[1..], isCut: false);
                break;
            case Unix:
                int end = body.IndexOf((byte)0);
                writer.Text(", path=").Quoted(end < 0 ? body : body[..end], isCut: false);
                break;
            case Internet when body.Length >= 6:
                writer.Text(", addr=").Decimal((long)body[2]);
                for (int i = 3; i < 6; i++)
                {
                    writer.Text(".").Decimal((long)body[i]);
                }

                writer.Text(", port=").Decimal((long)BinaryPrimitives.ReadUInt16BigEndian(body));
                break;
            case Internet6 when body.Length >= 26:
                writer.Text(", addr=");
                for (int i = 0; i < 8; i++)
                {
                    writer.Text(i > 0 ? ":" : "");
                    PrintGroup(writer, BinaryPrimitives.ReadUInt16BigEndian(body[(6 + (2 * i))..]));
                }

                writer.Text(", port=").Decimal((long)BinaryPrimitives.ReadUInt16BigEndian(body));
                break;
            case Netlink when body.Length >= 10:
                writer.Text(", port=").Decimal(ValueFormatter.Load(body[2..], 4)).Text(", groups=").Hex(ValueFormatter.Load(body[6..], 4));
                break;
            default:
                writer.Text(", data=").Quoted(body, isCut: false);
                break;
        }
    }

    private static void PrintGroup(TraceWriter writer, ushort group)
    {
        Span<char> digits = stackalloc char[4];
        group.TryFormat(digits, out int written, "x", System.Globalization.CultureInfo.InvariantCulture);
        writer.Text(digits[..written]);
    }

    private static void PrintControl(TraceWriter writer, ITraceTarget target, UserPtr source, ulong length)
    {
        Span<byte> bytes = stackalloc byte[MaxControl];
        bytes = bytes[..(int)Math.Min(length, MaxControl)];
        if (target.Read(source, bytes) != bytes.Length)
        {
            writer.Text("(fault)");
            return;
        }

        writer.Text("[");
        bool any = false;
        ReadOnlySpan<byte> rest = bytes;
        while (rest.Length >= ControlHeader)
        {
            ulong size = ValueFormatter.Load(rest, 8);
            int level = unchecked((int)ValueFormatter.Load(rest[8..], 4));
            int type = unchecked((int)ValueFormatter.Load(rest[12..], 4));
            if (size < ControlHeader || size > (ulong)rest.Length)
            {
                writer.Text(any ? ", (cut)" : "(cut)");
                break;
            }

            writer.Text(any ? ", " : "");
            PrintControlMessage(writer, target, level, type, rest[ControlHeader..(int)size]);
            any = true;
            rest = rest[Math.Min(((int)size + 7) & ~7, rest.Length)..];
        }

        writer.Text(length > MaxControl ? ", ...]" : "]");
    }

    private static void PrintControlMessage(TraceWriter writer, ITraceTarget target, int level, int type, ReadOnlySpan<byte> data)
    {
        if (level == SolSocket && type == ScmRights)
        {
            writer.Text("{SCM_RIGHTS");
            for (; data.Length >= 4; data = data[4..])
            {
                int descriptor = unchecked((int)ValueFormatter.Load(data, 4));
                writer.Text(" ").Decimal((long)descriptor).Text(":").Text(target.DescribeFile(descriptor) ?? "(bad FD)");
            }

            writer.Text("}");
        }
        else if (level == SolSocket && type == ScmCredentials && data.Length >= 12)
        {
            writer.Text("{SCM_CREDENTIALS pid=").Decimal(ValueFormatter.Load(data, 4));
            writer.Text(" uid=").Decimal(ValueFormatter.Load(data[4..], 4)).Text(" gid=").Decimal(ValueFormatter.Load(data[8..], 4)).Text("}");
        }
        else
        {
            writer.Text("{level=").Decimal((long)level).Text(" type=").Decimal((long)type).Text(" ").Quoted(data, isCut: false).Text("}");
        }
    }
}
