// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using CVisor.Gofer.Protocol;

namespace CVisor.Gofer.Tests;

/// <summary>The generated decoders against valid, cut, overlong and random bytes.</summary>
public sealed class CodecTests
{
    /// <summary>Every message type.</summary>
    public static TheoryData<MessageType> Types => [.. NinePSamples.Types];

    [Theory]
    [MemberData(nameof(Types))]
    public void EveryMessageComesBackAsItWas(MessageType type)
    {
        Random random = new(1);
        byte[] body = new byte[1 << 20];
        byte[] frame = new byte[1 << 20];
        for (int round = 0; round < 200; round++)
        {
            WireWriter writer = new(body);
            NinePSamples.Write(type, random, ref writer);
            NinePSamples.TryReencode(type, writer.Written, frame, 0x1234, out int length, out int frameSize).ShouldBeTrue();
            length.ShouldBe(Frame.HeaderSize + writer.Length);
            frameSize.ShouldBe(length);
            Frame.TrySplit(frame.AsSpan(0, length), out byte seenType, out ushort tag, out ReadOnlySpan<byte> seen).ShouldBeTrue();
            ((MessageType)seenType).ShouldBe(type);
            tag.ShouldBe((ushort)0x1234);
            seen.SequenceEqual(writer.Written).ShouldBeTrue();
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void AMessageCutAnywhereIsRefused(MessageType type)
    {
        Random random = new(2);
        byte[] body = new byte[1 << 20];
        byte[] frame = new byte[1 << 20];
        for (int round = 0; round < 20; round++)
        {
            WireWriter writer = new(body);
            NinePSamples.Write(type, random, ref writer);
            int step = Math.Max(1, writer.Length / 300);
            for (int cut = 0; cut < writer.Length; cut += step)
            {
                NinePSamples.TryReencode(type, body.AsSpan(0, cut), frame, 0, out _, out _).ShouldBeFalse($"{type} cut at {cut} of {writer.Length}");
            }

            writer.U8(0);
            NinePSamples.TryReencode(type, writer.Written, frame, 0, out _, out _).ShouldBeFalse($"{type} with a byte more");
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void RandomBytesAreRefusedOrMeanThemselves(MessageType type)
    {
        Random random = new(3);
        byte[] body = new byte[400];
        byte[] frame = new byte[1 << 12];
        for (int round = 0; round < 5000; round++)
        {
            int length = random.Next(body.Length);
            random.NextBytes(body.AsSpan(0, length));
            for (int i = random.Next(length + 1); i > 0; i--)
            {
                body[random.Next(length)] = (byte)random.Next(3); // small lengths and counts get further
            }

            if (NinePSamples.TryReencode(type, body.AsSpan(0, length), frame, 0, out int encoded, out _))
            {
                frame.AsSpan(Frame.HeaderSize, encoded - Frame.HeaderSize).SequenceEqual(body.AsSpan(0, length)).ShouldBeTrue();
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void AMutatedMessageIsRefusedOrMeansItself(MessageType type)
    {
        Random random = new(4);
        byte[] body = new byte[1 << 20];
        byte[] frame = new byte[1 << 20];
        for (int round = 0; round < 500; round++)
        {
            WireWriter writer = new(body);
            NinePSamples.Write(type, random, ref writer);
            if (writer.Length == 0)
            {
                return;
            }

            for (int i = random.Next(4); i >= 0; i--)
            {
                body[random.Next(Math.Min(writer.Length, 64))] = (byte)random.Next(256);
            }

            if (NinePSamples.TryReencode(type, writer.Written, frame, 0, out int encoded, out _))
            {
                frame.AsSpan(Frame.HeaderSize, encoded - Frame.HeaderSize).SequenceEqual(writer.Written).ShouldBeTrue();
            }
        }
    }

    [Fact]
    public void ANameOverItsLimitIsRefused()
    {
        byte[] body = new byte[2048];
        WireWriter writer = new(body);
        writer.U32(1);
        writer.String(new byte[NinePLimits.MaxName + 1].AsSpan());
        writer.U32(0);
        GetXattrRequest.TryDecode(writer.Written, out _).ShouldBeFalse();
    }

    [Fact]
    public void ANulInANameIsRefused()
    {
        byte[] frame = new byte[64];
        int length = new ReadlinkReply { Target = "a\0b"u8 }.Encode(frame, 1);
        ReadlinkReply.TryDecode(frame.AsSpan(Frame.HeaderSize, length - Frame.HeaderSize), out _).ShouldBeFalse();
    }

    [Fact]
    public void ACountOverItsLimitIsRefusedEvenWithTheBytesThere()
    {
        byte[] body = new byte[8192];
        WireWriter writer = new(body);
        writer.U16(NinePLimits.MaxBatch + 1);
        for (int i = 0; i <= NinePLimits.MaxBatch; i++)
        {
            writer.U32(7);
        }

        ClunkManyRequest.TryDecode(writer.Written, out _).ShouldBeFalse();
    }

    [Fact]
    public void ADataLengthNearTheTopOf32BitsIsRefused()
    {
        byte[] body = new byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(body, uint.MaxValue);
        ReadReply.TryDecode(body, out _).ShouldBeFalse();
        BinaryPrimitives.WriteUInt32LittleEndian(body, int.MaxValue);
        ReadReply.TryDecode(body, out _).ShouldBeFalse();
    }

    [Fact]
    public void AFrameMustSayItsOwnSize()
    {
        byte[] frame = new byte[64];
        int length = new ClunkRequest { Fid = 3 }.Encode(frame, 9);
        Frame.TrySplit(frame.AsSpan(0, length), out _, out _, out _).ShouldBeTrue();
        Frame.TrySplit(frame.AsSpan(0, length + 1), out _, out _, out _).ShouldBeFalse();
        Frame.TrySplit(frame.AsSpan(0, length - 1), out _, out _, out _).ShouldBeFalse();
        Frame.TrySplit(frame.AsSpan(0, 3), out _, out _, out _).ShouldBeFalse();
    }

    [Fact]
    public void APayloadEncodedAroundIsTheSameMessage()
    {
        byte[] data = "some bytes"u8.ToArray();
        byte[] plain = new byte[64];
        int length = new WriteRequest { Fid = 1, Offset = 2, Data = data }.Encode(plain, 5);
        byte[] around = new byte[64];
        data.CopyTo(around.AsSpan(WriteRequest.PayloadOffset));
        WriteRequest.EncodeAround(around, 5, 1, 2, data.Length).ShouldBe(length);
        around.ShouldBe(plain);
    }

    [Fact]
    public void EveryMessageFitsTheLongestFrame()
    {
        // The largest bodies: a full payload behind the longest header, and the longest lists.
        (NinePLimits.MaxIo + 64).ShouldBeLessThan(NinePLimits.MaxMessage);
        (NinePLimits.MaxXattrValue + NinePLimits.MaxName + 64).ShouldBeLessThan(NinePLimits.MaxMessage);
        (NinePLimits.MaxWalkGetattr * (NinePLimits.MaxName + 2 + 4) + 64).ShouldBeLessThan(NinePLimits.MaxMessage);
        (NinePLimits.MaxWalkGetattr * Attr.WireSize + 64).ShouldBeLessThan(NinePLimits.MaxMessage);
    }
}
