// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi.Arch;
using CVisor.Host;
using static CVisor.Platforms.Ptrace.PtraceConstants;

namespace CVisor.Platforms.Ptrace;

/// <summary>A stub process. Its mappings are changed by system calls that a stopped thread of it is made to run.</summary>
/// <remarks>Threads that guest threads left behind stay stopped in <c>_idle</c> for the next one: a new guest thread costs no clone.</remarks>
internal sealed class PtraceAddressSpace : AddressSpace
{
    private const int MapShared = 1, MapFixed = 0x10, MapPopulate = 0x8000;
    private readonly Stack<PtraceContext> _idle = new();
    private int _released;

    internal PtraceAddressSpace(PtraceExecutor home, int pid)
    {
        Home = home;
        Pid = pid;
    }

    /// <summary>The host's process id.</summary>
    internal int Pid { get; }

    /// <summary>The executor that traces all its threads.</summary>
    internal PtraceExecutor Home { get; set; }

    /// <summary>Every thread, idle ones included.</summary>
    internal List<PtraceContext> Contexts { get; } = [];

    /// <inheritdoc/>
    public override bool MapFile(GuestContext via, ulong address, ulong length, int hostFd, ulong offset, MemoryAccess access, MappingTraits traits)
    {
        long result = Home.Inject((PtraceContext)via, SYS_mmap, unchecked((long)address), unchecked((long)length), (long)access, MapShared | MapFixed | ((traits & MappingTraits.IsThere) != 0 ? MapPopulate : 0), hostFd, unchecked((long)offset));
        return !new HostResult(result).IsError;
    }

    /// <inheritdoc/>
    public override void Unmap(GuestContext via, ulong address, ulong length) =>
        _ = Home.Inject((PtraceContext)via, SYS_munmap, unchecked((long)address), unchecked((long)length));

    /// <inheritdoc/>
    public override void Protect(GuestContext via, ulong address, ulong length, MemoryAccess access) =>
        Home.ProtectMapped((PtraceContext)via, address, length, access);

    /// <inheritdoc/>
    public override void UnmapRemote(ulong address, ulong length, Action done)
    {
        PtraceExecutor home = Home;
        home.Post(() =>
        {
            if (Home != home || Contexts is [{ Home: null, IsDead: false }])
            {
                // The process moved to another worker meanwhile, or is on its way: only that one can touch it.
                UnmapRemote(address, length, done);
                return;
            }

            home.UnmapNow(this, address, length);
            done();
        });
    }

    /// <inheritdoc/>
    public override void Release()
    {
        if (System.Threading.Interlocked.Exchange(ref _released, 1) == 0)
        {
            // The executor reaps the threads as their ends are reported.
            _ = HostCalls.Kill(Pid, SIGKILL);
        }
    }

    internal bool TryTakeIdle(out PtraceContext? context) => _idle.TryPop(out context);

    internal void Retire(PtraceContext context)
    {
        context.Owner = null;
        if (!context.IsDead && _released == 0)
        {
            _idle.Push(context);
        }
    }
}
