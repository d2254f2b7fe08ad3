// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi.Arch;
using CVisor.Host;

namespace CVisor.Platforms.Ptrace;

/// <summary>A traced thread of a stub process.</summary>
internal sealed class PtraceContext : GuestContext
{
    private const int MaxExtendedState = 16384;

    internal PtraceContext(PtraceAddressSpace space, int tid)
    {
        StubSpace = space;
        Tid = tid;
    }

    internal PtraceAddressSpace StubSpace { get; }

    /// <summary>The host's thread id of the stub thread.</summary>
    internal int Tid { get; }

    /// <summary>The executor whose thread traces it; null while it is exported.</summary>
    internal PtraceExecutor? Home { get; set; }

    /// <summary>Whether it is running guest code, as far as the home executor knows.</summary>
    internal bool IsReleased { get; set; }

    /// <summary>Whether the host thread has gone.</summary>
    internal bool IsDead { get; set; }

    /// <inheritdoc/>
    public override AddressSpace Space => StubSpace;

    /// <inheritdoc/>
    public override int ExtendedStateSize { get; } = MaxExtendedState;

    /// <inheritdoc/>
    public override long GuestTimeNs => 0;

    /// <inheritdoc/>
    public override int ReadExtendedState(Span<byte> area)
    {
        HostResult result = Tracee.GetExtendedState(Tid, area);
        return result.IsError ? 0 : result.Int;
    }

    /// <inheritdoc/>
    public override bool WriteExtendedState(ReadOnlySpan<byte> area) => !Tracee.SetExtendedState(Tid, area).IsError;

    /// <inheritdoc/>
    public override void Interrupt()
    {
        // A signal stop is the one stop that any thread of ours can cause; the executor swallows the signal.
        // ESRCH means that the thread has gone, which is interruption enough.
        _ = HostCalls.Tgkill(StubSpace.Pid, Tid, PtraceConstants.SIGUSR1);
    }

    /// <inheritdoc/>
    public override void Destroy() => StubSpace.Retire(this);
}
