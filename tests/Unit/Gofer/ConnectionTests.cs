// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using CVisor.Gofer.Client;
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Tests;

/// <summary>Many callers, the standard messages, and peers that do not play by the rules.</summary>
public sealed class ConnectionTests
{
    [Fact]
    public async Task ManyThreadsShareOneConnection()
    {
        using GoferFixture gofer = new();
        for (int i = 0; i < 8; i++)
        {
            File.WriteAllText(gofer.PathOf("f" + i), new string('x', i + 1));
        }

        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Factory.StartNew(
            () =>
            {
                for (int round = 0; round < 500; round++)
                {
                    uint[] fid = new uint[1];
                    Attr[] attr = new Attr[1];
                    gofer.Client.Walk(gofer.RootFid, ["f" + i], fid, attr, out _, out WalkEnd end).ShouldBe(HostErrno.None);
                    end.ShouldBe(WalkEnd.All);
                    attr[0].Size.ShouldBe((ulong)(i + 1));
                    gofer.Client.OpenFile(fid[0], 0, out GoferOpen open).ShouldBe(HostErrno.None);
                    byte[] buffer = new byte[16];
                    HostCalls.Pread(open.HostFd, buffer, 0).Int.ShouldBe(i + 1);
                    HostCalls.Close(open.HostFd).IsError.ShouldBeFalse();
                    gofer.Client.Drop(fid[0]);
                }
            },
            TaskCreationOptions.LongRunning)));
    }

    [Fact]
    public void EverythingFailsOnceTheGoferIsGone()
    {
        FdPair pair = default;
        HostCalls.Socketpair(1, 5, 0, ref pair).OrThrow("socketpair");
        HostCalls.Close(pair.First).IsError.ShouldBeFalse();
        GoferConnection.Open(pair.Second, out GoferConnection? connection).ShouldBe(HostErrno.EIO);
        connection.ShouldBeNull();
    }

    [Fact]
    public void ALyingGoferBreaksTheConnectionNotTheSentry()
    {
        FdPair pair = default;
        HostCalls.Socketpair(1, 5, 0, ref pair).OrThrow("socketpair");
        Thread liar = new(() =>
        {
            byte[] buffer = new byte[NinePLimits.MaxMessage];
            int[] none = [];
            // The version is answered truly, the attach with a body cut short.
            DescriptorMessage.Receive(pair.First, buffer, none, out _).IsError.ShouldBeFalse();
            Frame.TrySplit(buffer.AsSpan(0, BinaryPrimitives.ReadInt32LittleEndian(buffer)), out _, out ushort tag, out _).ShouldBeTrue();
            byte[] reply = new byte[256];
            int length = new VersionReply { Msize = 8192, Version = NinePLimits.Version }.Encode(reply, tag);
            DescriptorMessage.Send(pair.First, reply.AsSpan(0, length), none).IsError.ShouldBeFalse();
            DescriptorMessage.Receive(pair.First, buffer, none, out _).IsError.ShouldBeFalse();
            WireWriter writer = WireWriter.Begin(reply, MessageType.RAttachGetattr, tag);
            writer.U32(1);
            DescriptorMessage.Send(pair.First, reply.AsSpan(0, writer.Finish()), none).IsError.ShouldBeFalse();
        });
        liar.Start();
        GoferConnection.Open(pair.Second, out GoferConnection? connection).ShouldBe(HostErrno.None);
        connection!.Attach(false, out _, out _, out _, out _).ShouldBe(HostErrno.EIO);
        connection.IsBroken.ShouldBeTrue();
        connection.GetAttr(1, out _).ShouldBe(HostErrno.EIO);
        liar.Join();
        connection.Dispose();
        HostCalls.Close(pair.First).IsError.ShouldBeFalse();
    }

    [Fact]
    public void TheServerOutlivesRandomRequests()
    {
        using GoferFixture gofer = new();
        Directory.CreateDirectory(gofer.PathOf("d"));
        File.WriteAllText(gofer.PathOf("f"), "f");
        Random random = new(5);
        byte[] frame = new byte[NinePLimits.MaxMessage];
        byte[] reply = new byte[NinePLimits.MaxMessage];
        Span<int> fds = stackalloc int[4];
        MessageType[] requests = [.. NinePSamples.Types.Where(type => (int)type % 2 == 0)];
        for (int round = 0; round < 4000; round++)
        {
            MessageType type = requests[random.Next(requests.Length)];
            WireWriter writer = WireWriter.Begin(frame, type, 77);
            NinePSamples.Write(type, random, ref writer);
            int length = writer.Finish();
            if (random.Next(2) == 0 && length >= Frame.HeaderSize + 4)
            {
                // Small fids are the ones that exist.
                BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(Frame.HeaderSize), (uint)random.Next(4));
            }

            DescriptorMessage.Send(gofer.Socket, frame.AsSpan(0, length), default).IsError.ShouldBeFalse();
            int received = DescriptorMessage.Receive(gofer.Socket, reply, fds, out int count).OrThrow("receive").Int;
            for (int i = 0; i < count; i++)
            {
                HostCalls.Close(fds[i]).IsError.ShouldBeFalse();
            }

            Frame.TrySplit(reply.AsSpan(0, received), out byte answer, out ushort tag, out ReadOnlySpan<byte> body).ShouldBeTrue();
            tag.ShouldBe((ushort)77);
            if (answer != (byte)type + 1)
            {
                answer.ShouldBe((byte)MessageType.RLerror);
                LerrorReply.TryDecode(body, out LerrorReply error).ShouldBeTrue();
                error.Ecode.ShouldBeInRange(1u, 4095u);
            }
        }
    }

    [Fact]
    public void AnUnknownRequestIsRefusedAndAMalformedOneToo()
    {
        using GoferFixture gofer = new();
        byte[] frame = new byte[64];
        WireWriter writer = WireWriter.Begin(frame, (MessageType)250, 1);
        Ask(gofer, frame.AsSpan(0, writer.Finish()), out _).ShouldBe(HostErrno.EOPNOTSUPP);
        writer = WireWriter.Begin(frame, MessageType.TClunk, 1);
        writer.U16(1);
        Ask(gofer, frame.AsSpan(0, writer.Finish()), out _).ShouldBe(HostErrno.EINVAL);
    }

    [Fact]
    public void StandardMessagesWork()
    {
        using GoferFixture gofer = new();
        Directory.CreateDirectory(gofer.PathOf("d/e"));
        File.WriteAllText(gofer.PathOf("d/e/f"), "standard");
        byte[] frame = new byte[4096];
        byte[] scratch = new byte[256];

        int length = new WalkRequest { Fid = gofer.RootFid, NewFid = 900, Names = StringList.Of(["d", "e", "f"], scratch) }.Encode(frame, 1);
        Ask(gofer, frame.AsSpan(0, length), out byte[] body).ShouldBe(HostErrno.None);
        WalkReply.TryDecode(body, out WalkReply walk).ShouldBeTrue();
        walk.Qids.Count.ShouldBe(3);
        walk.Qids[0].Type.ShouldBe((byte)0x80);

        length = new WalkRequest { Fid = gofer.RootFid, NewFid = 901, Names = StringList.Of(["d", "none"], scratch) }.Encode(frame, 1);
        Ask(gofer, frame.AsSpan(0, length), out body).ShouldBe(HostErrno.None);
        WalkReply.TryDecode(body, out walk).ShouldBeTrue();
        walk.Qids.Count.ShouldBe(1);
        Ask(gofer, frame.AsSpan(0, new ClunkRequest { Fid = 901 }.Encode(frame, 1)), out _).ShouldBe(HostErrno.EBADF);

        Ask(gofer, frame.AsSpan(0, new GetattrRequest { Fid = 900, Mask = 0x7FF }.Encode(frame, 1)), out body).ShouldBe(HostErrno.None);
        GetattrReply.TryDecode(body, out GetattrReply attr).ShouldBeTrue();
        attr.Size.ShouldBe(8UL);

        Ask(gofer, frame.AsSpan(0, new LopenRequest { Fid = 900, Flags = 2 }.Encode(frame, 1)), out _).ShouldBe(HostErrno.None);
        Ask(gofer, frame.AsSpan(0, new ReadRequest { Fid = 900, Offset = 0, Count = 100 }.Encode(frame, 1)), out body).ShouldBe(HostErrno.None);
        ReadReply.TryDecode(body, out ReadReply read).ShouldBeTrue();
        read.Data.SequenceEqual("standard"u8).ShouldBeTrue();

        Ask(gofer, frame.AsSpan(0, new LockRequest { Fid = 900, Type = 1, Start = 0, Length = 4 }.Encode(frame, 1)), out body).ShouldBe(HostErrno.None);
        LockReply.TryDecode(body, out LockReply lockReply).ShouldBeTrue();
        lockReply.Status.ShouldBe((byte)0);

        Ask(gofer, frame.AsSpan(0, new MkdirRequest { Fid = gofer.RootFid, Name = "new"u8, Mode = 0x1ED, Gid = (uint)HostCalls.Getegid().Value }.Encode(frame, 1)), out _).ShouldBe(HostErrno.None);
        Directory.Exists(gofer.PathOf("new")).ShouldBeTrue();
        Ask(gofer, frame.AsSpan(0, new RemoveRequest { Fid = 900 }.Encode(frame, 1)), out _).ShouldBe(HostErrno.EOPNOTSUPP);
        Ask(gofer, frame.AsSpan(0, new ClunkRequest { Fid = 900 }.Encode(frame, 1)), out _).ShouldBe(HostErrno.EBADF);
        File.Exists(gofer.PathOf("d/e/f")).ShouldBeTrue();
        Ask(gofer, frame.AsSpan(0, new AuthRequest { Afid = 1 }.Encode(frame, 1)), out _).ShouldBe(HostErrno.EOPNOTSUPP);
    }

    private static HostErrno Ask(GoferFixture gofer, ReadOnlySpan<byte> request, out byte[] body)
    {
        DescriptorMessage.Send(gofer.Socket, request, default).IsError.ShouldBeFalse();
        byte[] reply = new byte[NinePLimits.MaxMessage];
        int length = DescriptorMessage.Receive(gofer.Socket, reply, default, out _).OrThrow("receive").Int;
        Frame.TrySplit(reply.AsSpan(0, length), out byte type, out _, out ReadOnlySpan<byte> bytes).ShouldBeTrue();
        body = bytes.ToArray();
        return type == (byte)MessageType.RLerror && LerrorReply.TryDecode(bytes, out LerrorReply error) ? (HostErrno)error.Ecode : HostErrno.None;
    }
}
