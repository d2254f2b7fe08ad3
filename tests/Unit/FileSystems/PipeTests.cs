// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Pipes;

namespace CVisor.FileSystems.Tests;

public sealed class PipeTests
{
    private readonly PipeDescription _reader;
    private readonly PipeDescription _writer;

    public PipeTests() => (_reader, _writer) = PipeDescription.CreatePair(OpenFlags.ReadOnly, UserCredentials.Root);

    [Fact]
    public void Bytes_come_out_as_they_went_in()
    {
        Write("hello, ").ShouldBe(7);
        Write("world").ShouldBe(5);
        Read(100).ShouldBe("hello, world");
        Read(100, out IoResult result).ShouldBe("");
        result.Error.ShouldBe(Errno.EAGAIN);
    }

    [Fact]
    public void A_small_write_is_all_or_nothing()
    {
        Write(new string('a', 65536 - 100)).ShouldBe(65536 - 100);
        Write(new string('b', 101)).Error.ShouldBe(Errno.EAGAIN);
        Write(new string('b', 100)).ShouldBe(100);
        Write("c").Error.ShouldBe(Errno.EAGAIN);
    }

    [Fact]
    public void A_large_write_fills_what_room_there_is()
    {
        IoBuffer source = new(new byte[100_000]);
        _writer.Write(null, ref source).Count.ShouldBe(65536);
        source.Remaining.ShouldBe(100_000 - 65536);
    }

    [Fact]
    public void Without_writers_comes_the_end_and_without_readers_EPIPE()
    {
        Write("x").ShouldBe(1);
        _writer.Unreference();
        (_reader.Readiness(PollEvents.Any) & (PollEvents.In | PollEvents.Hup)).ShouldBe(PollEvents.In | PollEvents.Hup);
        Read(10).ShouldBe("x");
        Read(10, out IoResult end).ShouldBe("");
        end.ShouldBe(new IoResult(0, Errno.None));

        (PipeDescription reader, PipeDescription writer) = PipeDescription.CreatePair(OpenFlags.ReadOnly, UserCredentials.Root);
        reader.Unreference();
        IoBuffer source = new(new byte[1]);
        writer.Write(null, ref source).Error.ShouldBe(Errno.EPIPE);
        (writer.Readiness(PollEvents.Any) & PollEvents.Err).ShouldBe(PollEvents.Err);
    }

    [Fact]
    public void Packets_stay_apart_and_lose_what_is_not_read()
    {
        Write("plain").ShouldBe(5);
        _writer.SetStatusFlags(OpenFlags.Direct);
        Write("first").ShouldBe(5);
        Write("second").ShouldBe(6);
        _writer.SetStatusFlags(OpenFlags.ReadOnly);
        Write("tail").ShouldBe(4);
        Read(3).ShouldBe("pla");
        Read(100).ShouldBe("in");
        Read(2).ShouldBe("fi");
        Read(100).ShouldBe("second");
        Read(100).ShouldBe("tail");
    }

    [Fact]
    public void The_capacity_can_be_changed()
    {
        _reader.Pipe.SetCapacity(5000, false).Count.ShouldBe(8192);
        Write(new string('a', 8192)).ShouldBe(8192);
        _reader.Pipe.SetCapacity(4096, false).Error.ShouldBe(Errno.EBUSY);
        _reader.Pipe.SetCapacity(2 << 20, false).Error.ShouldBe(Errno.EPERM);
        _reader.Pipe.SetCapacity(2 << 20, true).Count.ShouldBe(2 << 20);
        _reader.Pipe.SetCapacity(0, false).Error.ShouldBe(Errno.EBUSY);
    }

    [Fact]
    public void Tee_copies_and_splice_moves()
    {
        (PipeDescription reader, PipeDescription writer) = PipeDescription.CreatePair(OpenFlags.ReadOnly, UserCredentials.Root);
        Write("abcdef").ShouldBe(6);
        _reader.Pipe.TransferTo(writer.Pipe, 4, keeps: true).Count.ShouldBe(4);
        _reader.Pipe.TransferTo(writer.Pipe, 100, keeps: false).Count.ShouldBe(6);
        Read(10, out IoResult empty);
        empty.Error.ShouldBe(Errno.EAGAIN);
        byte[] all = new byte[100];
        IoBuffer destination = new(all);
        reader.Read(null, ref destination).Count.ShouldBe(10);
        System.Text.Encoding.ASCII.GetString(all, 0, 10).ShouldBe("abcdabcdef");
        _reader.Pipe.TransferTo(_writer.Pipe, 1, false).Error.ShouldBe(Errno.EINVAL);
    }

    [Fact]
    public void Writing_and_reading_allocate_nothing()
    {
        byte[] data = new byte[512];
        RoundTrip(data);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
        {
            RoundTrip(data);
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);
    }

    [Fact]
    public void Random_pieces_keep_their_order()
    {
        Random random = new(7);
        byte next = 0;
        byte expected = 0;
        for (int i = 0; i < 2_000; i++)
        {
            byte[] piece = new byte[random.Next(1, 9000)];
            for (int j = 0; j < piece.Length; j++)
            {
                piece[j] = unchecked((byte)(next + j));
            }

            IoBuffer source = new(piece);
            next = unchecked((byte)(next + _writer.Write(null, ref source).Count));
            IoBuffer destination = new(piece = new byte[random.Next(1, 9000)]);
            long read = _reader.Read(null, ref destination).Count;
            bool isInOrder = true;
            for (int j = 0; j < read; j++)
            {
                isInOrder &= piece[j] == expected;
                expected = unchecked((byte)(expected + 1));
            }

            isInOrder.ShouldBeTrue();
        }
    }

    private void RoundTrip(byte[] data)
    {
        IoBuffer source = new(data);
        _ = _writer.Write(null, ref source);
        IoBuffer destination = new(data);
        _ = _reader.Read(null, ref destination);
    }

    private IoResult Write(string text)
    {
        IoBuffer source = new(System.Text.Encoding.ASCII.GetBytes(text));
        return _writer.Write(null, ref source);
    }

    private string Read(int length) => Read(length, out _);

    private string Read(int length, out IoResult result)
    {
        byte[] data = new byte[length];
        IoBuffer destination = new(data);
        result = _reader.Read(null, ref destination);
        return System.Text.Encoding.ASCII.GetString(data, 0, (int)result.Count);
    }
}
