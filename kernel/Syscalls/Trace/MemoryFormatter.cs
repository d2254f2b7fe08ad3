// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Memory;

namespace CVisor.Syscalls.Trace;

/// <summary>Prints a guest address and what lies there.</summary>
/// <remarks>The guest owns that memory: it may be unmapped, nonsense, or change while it is read. Nothing here trusts it.</remarks>
internal static class MemoryFormatter
{
    /// <summary>The most elements of one array that are shown.</summary>
    private const int MaxElements = 32;

    /// <summary>The largest structure of the spec, with room to grow.</summary>
    private const int MaxStruct = 512;

    /// <summary>The longest piece read of a string at once; strings end anywhere, so a page is never crossed by one read.</summary>
    private const int PageSize = 4096;

    /// <summary>Prints what a pointer argument points to.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="target">Whose memory.</param>
    /// <param name="type">What is there.</param>
    /// <param name="source">The address.</param>
    /// <param name="count">The number of elements; -1 for one that is no array.</param>
    /// <param name="valid">For buffers the kernel wrote: how many bytes of it; otherwise <see cref="long.MaxValue"/>.</param>
    public static void Print(TraceWriter writer, ITraceTarget target, TraceType type, UserPtr source, long count, long valid)
    {
        if (source.IsNull)
        {
            writer.Text("null");
            return;
        }

        writer.Hex(source.Address).Text(" ");
        switch (type.Format)
        {
            case TraceFormat.Bytes:
                PrintBytes(writer, target, source, Math.Min(Math.Max(count, 0), valid));
                break;
            case TraceFormat.Path or TraceFormat.String:
                PrintString(writer, target, source);
                break;
            case TraceFormat.StringVector:
                PrintStrings(writer, target, source);
                break;
            case TraceFormat.Fdset:
                PrintDescriptorSet(writer, target, source, count);
                break;
            case TraceFormat.Iovec:
                VectorFormatter.PrintVectors(writer, target, source, count, valid);
                break;
            case TraceFormat.Sockaddr:
                SocketFormatter.PrintAddress(writer, target, source, count);
                break;
            default:
                PrintElements(writer, target, type, source, count, valid);
                break;
        }
    }

    /// <summary>Prints <paramref name="length"/> bytes, cut to the log size.</summary>
    public static void PrintBytes(TraceWriter writer, ITraceTarget target, UserPtr source, long length)
    {
        int shown = unchecked((int)Math.Clamp(length, 0, writer.LogSize)); // the log size is an int
        byte[] buffer = new byte[shown];
        int got = target.Read(source, buffer);
        if (got < shown)
        {
            writer.Text("(fault)");
            return;
        }

        writer.Quoted(buffer, isCut: shown < length);
    }

    /// <summary>Prints a NUL-terminated string, cut to the log size.</summary>
    public static void PrintString(TraceWriter writer, ITraceTarget target, UserPtr source)
    {
        byte[] buffer = new byte[writer.LogSize];
        int length = 0;
        while (length < buffer.Length)
        {
            UserPtr from = source.Offset((ulong)length);
            int piece = Math.Min(buffer.Length - length, PageSize - (int)(from.Address % PageSize));
            int got = target.Read(from, buffer.AsSpan(length, piece));
            int end = buffer.AsSpan(length, got).IndexOf((byte)0);
            if (end >= 0)
            {
                writer.Quoted(buffer.AsSpan(0, length + end), isCut: false);
                return;
            }

            length += got;
            if (got < piece)
            {
                writer.Text("(fault)");
                return;
            }
        }

        writer.Quoted(buffer, isCut: true);
    }

    /// <summary>Reads a 64-bit word; false on a fault.</summary>
    public static bool TryReadWord(ITraceTarget target, UserPtr source, int size, out ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        bytes = bytes[..size];
        bool isRead = target.Read(source, bytes) == size;
        value = isRead ? ValueFormatter.Load(bytes, size) : 0;
        return isRead;
    }

    private static void PrintElements(TraceWriter writer, ITraceTarget target, TraceType type, UserPtr source, long count, long valid)
    {
        int size = SizeOf(type);
        bool isScalar = type.Format is not (TraceFormat.Struct or TraceFormat.Msghdr or TraceFormat.Mmsghdr or TraceFormat.Siginfo
            or TraceFormat.Sigset or TraceFormat.Utsname);
        bool isArray = count >= 0;
        long shown = isArray ? Math.Min(count, MaxElements) : 1;
        writer.Text(isArray || isScalar ? "[" : "");
        for (long i = 0; i < shown; i++)
        {
            writer.Text(i > 0 ? ", " : "");
            if (!PrintElement(writer, target, type, source.Offset(unchecked((ulong)(i * size))), size, valid))
            {
                writer.Text("(fault)");
                break;
            }
        }

        writer.Text(shown < count ? ", ..." : "").Text(isArray || isScalar ? "]" : "");
    }

    private static int SizeOf(TraceType type) => type.Format switch
    {
        TraceFormat.Msghdr => SocketFormatter.MessageSize,
        TraceFormat.Mmsghdr => SocketFormatter.ManyMessageSize,
        TraceFormat.Siginfo => SignalFormatter.InfoSize,
        TraceFormat.Sigset => sizeof(ulong),
        TraceFormat.Utsname => NameFormatter.Size,
        _ => type.Size,
    };

    private static bool PrintElement(TraceWriter writer, ITraceTarget target, TraceType type, UserPtr source, int size, long valid)
    {
        Span<byte> bytes = stackalloc byte[MaxStruct];
        bytes = bytes[..Math.Min(size, MaxStruct)];
        if (target.Read(source, bytes) != bytes.Length)
        {
            return false;
        }

        switch (type.Format)
        {
            case TraceFormat.Struct:
                PrintFields(writer, target, type, bytes);
                break;
            case TraceFormat.Sigset:
                ValueFormatter.PrintSignals(writer, ValueFormatter.Load(bytes, sizeof(ulong)));
                break;
            case TraceFormat.Siginfo:
                SignalFormatter.PrintInfo(writer, bytes);
                break;
            case TraceFormat.Utsname:
                NameFormatter.Print(writer, bytes);
                break;
            case TraceFormat.Msghdr:
                SocketFormatter.PrintMessage(writer, target, bytes, valid);
                break;
            case TraceFormat.Mmsghdr:
                SocketFormatter.PrintManyMessage(writer, target, bytes);
                break;
            default:
                ValueFormatter.Print(writer, target, type, ValueFormatter.Load(bytes, size));
                break;
        }

        return true;
    }

    private static void PrintFields(TraceWriter writer, ITraceTarget target, TraceType type, ReadOnlySpan<byte> bytes)
    {
        writer.Text("{");
        bool any = false;
        foreach (TraceField field in type.Fields)
        {
            writer.Text(any ? ", " : "").Text(field.Name).Text("=");
            ReadOnlySpan<byte> at = bytes[field.Offset..];
            if (field.Type.Format == TraceFormat.Struct)
            {
                PrintFields(writer, target, field.Type, at);
            }
            else
            {
                ValueFormatter.Print(writer, target, field.Type, ValueFormatter.Load(at, field.Type.Size));
            }

            any = true;
        }

        writer.Text("}");
    }

    private static void PrintStrings(TraceWriter writer, ITraceTarget target, UserPtr source)
    {
        writer.Text("[");
        for (int i = 0; i <= MaxElements; i++)
        {
            if (!TryReadWord(target, source.Offset((ulong)(i * sizeof(ulong))), sizeof(ulong), out ulong address))
            {
                writer.Text(i > 0 ? ", (fault)" : "(fault)");
                break;
            }

            if (address == 0)
            {
                break;
            }

            writer.Text(i > 0 ? ", " : "");
            if (i == MaxElements)
            {
                writer.Text("...");
                break;
            }

            PrintString(writer, target, new UserPtr(address));
        }

        writer.Text("]");
    }

    private static void PrintDescriptorSet(TraceWriter writer, ITraceTarget target, UserPtr source, long count)
    {
        // select(2) looks at no more than FD_SETSIZE descriptors in practice; a bigger count is cut.
        const int MaxDescriptors = 1024;
        int descriptors = (int)Math.Clamp(count, 0, MaxDescriptors);
        Span<byte> bits = stackalloc byte[MaxDescriptors / 8];
        bits = bits[..((descriptors + 7) / 8)];
        if (target.Read(source, bits) != bits.Length)
        {
            writer.Text("(fault)");
            return;
        }

        writer.Text("[");
        bool any = false;
        for (int i = 0; i < descriptors; i++)
        {
            if ((bits[i / 8] & (1 << (i % 8))) == 0)
            {
                continue;
            }

            writer.Text(any ? " " : "").Decimal((long)i);
            any = true;
        }

        writer.Text("]");
    }
}
