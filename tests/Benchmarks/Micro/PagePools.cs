// SPDX-License-Identifier: Apache-2.0
using BenchmarkDotNet.Attributes;
using CVisor.Core.Memory;

namespace CVisor.Benchmarks.Micro;

/// <summary>The buffers of pipes and sockets: renting and returning must not allocate once the pool is warm.</summary>
[MemoryDiagnoser]
public class PagePools
{
    [Benchmark]
    public void RentAndReturn() => PagePool.Return(PagePool.Rent());
}
