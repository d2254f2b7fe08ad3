// SPDX-License-Identifier: Apache-2.0
using BenchmarkDotNet.Attributes;
using CVisor.Gofer.Protocol;

namespace CVisor.Benchmarks.Micro;

/// <summary>The generated 9P codecs, as the hot messages use them. None of them may allocate.</summary>
[MemoryDiagnoser]
public class NinePCodecs
{
    private readonly byte[] _walk = new byte[256];
    private readonly byte[] _read = new byte[64];
    private readonly byte[] _output = new byte[256];
    private readonly byte[] _scratch = new byte[128];
    private int _walkLength;
    private int _readLength;

    [GlobalSetup]
    public void Prepare()
    {
        _walkLength = EncodeWalk();
        _output.AsSpan(0, _walkLength).CopyTo(_walk);
        _readLength = EncodeRead();
        _output.AsSpan(0, _readLength).CopyTo(_read);
    }

    [Benchmark]
    public int EncodeWalk() =>
        new WalkRequest { Fid = 1, NewFid = 2, Names = StringList.Of(["usr", "lib", "x86_64-linux-gnu"], _scratch) }.Encode(_output, 7);

    [Benchmark]
    public int EncodeRead() => new ReadRequest { Fid = 3, Offset = 4096, Count = 65536 }.Encode(_output, 7);

    [Benchmark]
    public bool DecodeWalk() =>
        Frame.TrySplit(_walk.AsSpan(0, _walkLength), out _, out _, out ReadOnlySpan<byte> body) && WalkRequest.TryDecode(body, out _);

    [Benchmark]
    public bool DecodeRead() =>
        Frame.TrySplit(_read.AsSpan(0, _readLength), out _, out _, out ReadOnlySpan<byte> body) && ReadRequest.TryDecode(body, out _);
}
