// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Platforms;

namespace CVisor.Core.Memory;

/// <summary>The address space of a process: what is mapped, the memory behind it, and the only way to copy from and to a guest.</summary>
/// <remarks>
/// <para>Lock order:
/// <code>
/// MemoryManager._lock
///   MappingSet._lock
///   locks that MemorySource.GetMemory takes (an inode's data lock, the gofer connection)
///     SandboxMemory._lock, DonatedFile._lock
/// </code>
/// <see cref="InvalidateSource"/> is called without any of a source's locks. Two managers are locked at once only by fork: the parent's, then the child's, which nobody else knows yet.</para>
/// <para>Two lists: VMAs are what the guest asked for; PMAs are the memory that is there, made on the first touch. A PMA knows what the hardware was told (<see cref="Pma.Installed"/>), so the address
/// space never holds a mapping that the list does not. Private memory is shared copy-on-write by counting references per page.</para>
/// <para>Life: counted users (tasks of a CLONE_VM family, /proc readers). At zero all memory is given back.</para>
/// <para>Files: this one; MemoryManager.Mappings.cs (mmap and its family); .Faults.cs (touching); .Copy.cs (kernel copies); .Fork.cs; .Report.cs (/proc).</para>
/// </remarks>
public sealed partial class MemoryManager
{
    /// <summary>The page size in bytes.</summary>
    public const ulong PageSize = 4096;

    private const ulong PageMask = PageSize - 1;

    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly AreaList<Vma> _vmas = new();
    [GuardedBy(nameof(_lock))]
    private readonly AreaList<Pma> _pmas = new();
    private readonly SandboxMemory _memory;
    private readonly MemoryLayout _layout;
    private int _users = 1;
    [GuardedBy(nameof(_lock))]
    private ulong _totalVmBytes;
    [GuardedBy(nameof(_lock))]
    private ulong _breakStart;
    [GuardedBy(nameof(_lock))]
    private ulong _break;

    /// <summary>Makes an empty address space with one user.</summary>
    /// <param name="memory">Where private pages come from.</param>
    /// <param name="space">The hardware's side; owned from now on.</param>
    /// <param name="layout">Where things go.</param>
    public MemoryManager(SandboxMemory memory, AddressSpace space, MemoryLayout layout) => (_memory, Space, _layout) = (memory, space, layout);

    /// <summary>The hardware's side.</summary>
    public AddressSpace Space { get; }

    /// <summary>Where things go.</summary>
    public MemoryLayout Layout => _layout;

    /// <summary>RLIMIT_STACK when the program was started, in bytes: how far the stack may grow.</summary>
    public ulong StackLimitBytes { get; set; } = 8UL << 20;

    /// <summary>RLIMIT_AS in bytes.</summary>
    public ulong AddressSpaceLimitBytes { get; set; } = ulong.MaxValue;

    /// <summary>RLIMIT_DATA in bytes.</summary>
    public ulong DataLimitBytes { get; set; } = ulong.MaxValue;

    /// <summary>Where argv and environment lie on the initial stack, for /proc/self/cmdline and environ.</summary>
    public ulong ArgumentsStart { get; set; }

    /// <summary>The first byte behind argv.</summary>
    public ulong ArgumentsEnd { get; set; }

    /// <summary>The first byte of the environment.</summary>
    public ulong EnvironmentStart { get; set; }

    /// <summary>The first byte behind the environment.</summary>
    public ulong EnvironmentEnd { get; set; }

    /// <summary>The auxiliary vector, for /proc/self/auxv.</summary>
    public byte[] AuxiliaryVector { get; set; } = [];

    /// <summary>The program, for /proc/self/exe; holds a reference, and keeps the file from being written (ETXTBSY).</summary>
    public Vfs.FileDescription? Executable { get; set; }

    /// <summary>Where the signal trampoline's vDSO lies; 0 when there is none.</summary>
    public ulong VdsoBase { get; set; }

    /// <summary>Whether a thread asked for private barriers (MEMBARRIER_CMD_REGISTER_*).</summary>
    public bool IsBarrierRegistered { get; set; }

    /// <summary>PR_SET_DUMPABLE.</summary>
    public int Dumpable { get; set; } = 1;

    /// <summary>Which mappings a core file would hold (core(5)); children and later programs inherit it.</summary>
    public uint DumpFilter { get; set; } = 0x33;

    /// <summary>One user more.</summary>
    public void AddUser() => _ = Interlocked.Increment(ref _users);

    /// <summary>Users now.</summary>
    public int Users => Volatile.Read(ref _users);

    /// <summary>One user more, unless the last one is leaving already.</summary>
    public bool TryAddUser()
    {
        int seen = Volatile.Read(ref _users);
        while (seen != 0)
        {
            int found = Interlocked.CompareExchange(ref _users, seen + 1, seen);
            if (found == seen)
            {
                return true;
            }

            seen = found;
        }

        return false;
    }

    /// <summary>One user less; the last one gives everything back.</summary>
    public void RemoveUser()
    {
        if (Interlocked.Decrement(ref _users) != 0)
        {
            return;
        }

        // The hardware goes first: no guest code may reach a page that is given back.
        Space.Release();
        lock (_lock)
        {
            foreach (Pma pma in _pmas)
            {
                pma.File.Unreference(pma.Offset, pma.Length);
            }

            _pmas.Clear();
            foreach (Vma vma in _vmas)
            {
                DropSourceLocked(vma);
            }

            _vmas.Clear();
        }

        Executable?.Inode?.AllowWriting();
        Executable?.Unreference();
        Executable = null;
    }

    private GuestContext? Via => Tasks.Task.Current is { } task && task.Memory == this ? task.Context : null;

    private static ulong PageDown(ulong address) => address & ~PageMask;

    private static bool TryPageUp(ulong address, out ulong rounded)
    {
        rounded = unchecked(address + PageMask) & ~PageMask;
        return rounded >= address;
    }

    private void DropSourceLocked(Vma vma)
    {
        if (vma.Source is { } source)
        {
            source.Mappings.Remove(this);
            source.Unreference();
        }
    }

    private void TakeSourceLocked(Vma vma)
    {
        if (vma.Source is { } source)
        {
            source.Reference();
            source.Mappings.Add(this);
        }
    }
}

/// <summary>Where a program's parts go, randomized per program (ASLR).</summary>
/// <param name="MinimumAddress">The lowest address that can be mapped.</param>
/// <param name="MaximumAddress">The first address that cannot.</param>
/// <param name="MapTop">Where mappings without an address start, downwards.</param>
/// <param name="StackTop">The end of the stack.</param>
/// <param name="PieBase">Where a position-independent program goes.</param>
/// <param name="BreakOffset">The gap between the program and its heap.</param>
public sealed record MemoryLayout(ulong MinimumAddress, ulong MaximumAddress, ulong MapTop, ulong StackTop, ulong PieBase, ulong BreakOffset)
{
    /// <summary>A layout within the platform's bounds.</summary>
    /// <param name="minimum">The platform's lowest address.</param>
    /// <param name="maximum">The platform's end.</param>
    /// <param name="random">Random bits; zero switches randomization off.</param>
    /// <param name="stackLimitBytes">RLIMIT_STACK: the gap kept for the stack, within Linux's bounds.</param>
    public static MemoryLayout Create(ulong minimum, ulong maximum, ulong random, ulong stackLimitBytes)
    {
        // Bits as Linux spends them on x86_64: 28 for mappings, 22 for the stack (16 GiB), 28 for PIE; fewer here so that TSan-like programs fit.
        ulong stackTop = maximum - ((random & 0x3fffff) << 12) - 4096;
        ulong gap = Math.Clamp(stackLimitBytes, 128UL << 20, (maximum / 6) * 5) + (((random & 0x3fffff) != 0) ? 16UL << 30 : 0) + (1UL << 20);
        ulong mapTop = (maximum - gap - (((random >> 22) & 0xfffffff) << 12)) & ~0xfffUL;
        ulong pie = ((maximum / 3) * 2 + (((random >> 36) & 0xfffffff) << 12)) & ~0xfffUL;
        return new MemoryLayout(minimum, maximum, mapTop, stackTop & ~0xfffUL, pie, ((random >> 50) & 0x1fff) << 12);
    }
}
