// SPDX-License-Identifier: Apache-2.0
using BenchmarkDotNet.Attributes;
using CVisor.Abi;
using CVisor.Core.Futexes;
using CVisor.Core.Memory;
using CVisor.Platforms;

namespace CVisor.Benchmarks.Micro;

/// <summary>An address space's bookkeeping, without a platform under it, and the futex table.</summary>
[MemoryDiagnoser]
public class Memory
{
    private const ulong Page = MemoryManager.PageSize;
    private const MemoryAccess ReadWrite = MemoryAccess.Read | MemoryAccess.Write;
    private readonly FutexTable _futexes = new();
    private readonly byte[] _buffer = new byte[64];
    private MemoryManager _memory = null!;
    private UserPtr _first;
    private UserPtr _middle;

    /// <summary>How many areas the address space has.</summary>
    [Params(10, 1000)]
    public int Areas { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        _memory = new MemoryManager(SandboxMemory.Create(1UL << 32), new Nothing(), MemoryLayout.Create(0x10000, 0x7ffffffff000, 0, 8UL << 20));
        for (int i = 0; i < Areas; i++)
        {
            // Every second page may not be written, so that no two areas become one.
            MapRequest request = new() { Length = Page, Access = i % 2 == 0 ? ReadWrite : MemoryAccess.Read, MaximumAccess = ReadWrite };
            Must(_memory.Map(request, 0, Placement.Hint, growsDown: false, populate: false, out UserPtr made));
            _first = i == 0 ? made : _first;
            _middle = i <= Areas / 2 && i % 2 == 0 ? made : _middle;
        }

        Must(_memory.CopyOut(_middle, 7));
    }

    [Benchmark]
    public void MapAndUnmap()
    {
        MapRequest request = new() { Length = 16 * Page, Access = ReadWrite | MemoryAccess.Execute, MaximumAccess = ReadWrite | MemoryAccess.Execute };
        Must(_memory.Map(request, 0, Placement.Hint, growsDown: false, populate: false, out UserPtr made));
        Must(_memory.Unmap(made, 16 * Page));
    }

    [Benchmark]
    public void ProtectAndBack()
    {
        Must(_memory.Protect(_first, Page, MemoryAccess.None, extendDown: false));
        Must(_memory.Protect(_first, Page, ReadWrite, extendDown: false));
    }

    [Benchmark]
    public void CopyIn64() => Must(_memory.CopyIn(_middle, _buffer));

    [Benchmark]
    public void FutexWakeNobody() => Must(_futexes.Wake(_memory, _middle, isPrivate: true, 1, uint.MaxValue, out _));

    private static void Must(Errno error)
    {
        if (error != Errno.None)
        {
            throw new InvalidOperationException($"{error}");
        }
    }

    /// <summary>Hardware that does as it is told.</summary>
    private sealed class Nothing : AddressSpace
    {
        public override bool MapFile(GuestContext via, ulong address, ulong length, int hostFd, ulong offset, MemoryAccess access, MappingTraits traits) => true;

        public override void Unmap(GuestContext via, ulong address, ulong length)
        {
        }

        public override void Protect(GuestContext via, ulong address, ulong length, MemoryAccess access)
        {
        }

        public override void UnmapRemote(ulong address, ulong length, Action done) => done();

        public override void Release()
        {
        }
    }
}
