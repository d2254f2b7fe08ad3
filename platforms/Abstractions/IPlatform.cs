// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi.Arch;

namespace CVisor.Platforms;

/// <summary>
/// A way to run guest code. The seam fits three shapes: thread-affine (ptrace: a context can be touched only by the
/// executor that owns it), message passing (systrap: stub threads and shared memory, any executor may touch a stopped
/// context) and run-on-the-worker (KVM: a context runs on the calling thread until it exits).
/// </summary>
/// <remarks>
/// Life: the kernel makes one <see cref="IExecutor"/> for each of its workers, on that worker's thread. A context is
/// either <em>held</em> (stopped; the kernel reads and writes its registers) or <em>released</em> (running guest code or
/// about to). <see cref="IExecutor.Release"/> and <see cref="IExecutor.Wait"/> move it between the two. Nothing here
/// knows a kernel object: <see cref="GuestContext.Owner"/> is the kernel's own mark.
/// </remarks>
public interface IPlatform
{
    /// <summary>The name that <c>--platform</c> takes.</summary>
    string Name { get; }

    /// <summary>The lowest address that guest mappings may use, in bytes.</summary>
    ulong MinimumAddress { get; }

    /// <summary>The first address that guest mappings may not use, in bytes; page aligned.</summary>
    ulong MaximumAddress { get; }

    /// <summary>Names the system calls whose answers <see cref="GuestContext.SetAnswers"/> may give: the platform may then answer them itself. Called once, before any executor is made.</summary>
    /// <param name="numbers">Their numbers; a platform may take some of them, or none.</param>
    void ExpectAnswers(ReadOnlySpan<int> numbers)
    {
    }

    /// <summary>Makes the executor of worker <paramref name="index"/>; called on that worker's thread, which alone uses it afterwards (save for the members said to be thread-safe).</summary>
    IExecutor CreateExecutor(int index);
}

/// <summary>One worker's means of running guest code.</summary>
public interface IExecutor : IDisposable
{
    /// <summary>Makes an empty guest address space.</summary>
    AddressSpace CreateAddressSpace();

    /// <summary>Makes an address space for a copy of <paramref name="parent"/>: it maps what the parent's maps, with the same protections, or nothing yet.</summary>
    /// <param name="parent">A held context of the address space to copy; the first context of the copy has its extended registers.</param>
    /// <param name="mappings">How many mappings the copy needs.</param>
    /// <param name="isEmpty">
    /// Whether nothing is mapped yet, which is cheaper when that is little: the caller has it mapped (<see cref="AddressSpace.MapFileLater"/> without a context) before guest code runs there.
    /// </param>
    /// <returns>The space, or null when the host has no room for it.</returns>
    AddressSpace? ForkAddressSpace(GuestContext parent, int mappings, out bool isEmpty);

    /// <summary>Makes a held context (a guest thread) in an address space, with undefined registers.</summary>
    /// <param name="space">The address space.</param>
    /// <param name="sibling">A held context of this executor in the same address space, when there is one.</param>
    /// <returns>The context, or null when the host has no room for it.</returns>
    GuestContext? CreateContext(AddressSpace space, GuestContext? sibling);

    /// <summary>Whether this executor can touch the context now: always for platforms without thread affinity.</summary>
    bool Owns(GuestContext context);

    /// <summary>Lets go of a held context, so that another executor can <see cref="Import"/> it.</summary>
    /// <returns>Whether it was let go; false when it must stay (it has siblings here).</returns>
    bool TryExport(GuestContext context);

    /// <summary>Takes a context that another executor exported.</summary>
    void Import(GuestContext context);

    /// <summary>Lets a held context run guest code with its current registers until something needs the kernel. Returns at once.</summary>
    void Release(GuestContext context);

    /// <summary>Says that a held context will not be released before something else has happened: what ran it may do other things meanwhile.</summary>
    void Park(GuestContext context);

    /// <summary>
    /// Waits until a released context comes back, then returns it (held, <see cref="GuestContext.Exit"/> set); or
    /// returns null after <see cref="Kick"/>. A context that was released to several executors comes back on one.
    /// </summary>
    /// <param name="block">Whether to wait when nothing has come back; otherwise null is returned.</param>
    GuestContext? Wait(WaitMode block);

    /// <summary>Makes a running or a later <see cref="Wait"/> return null promptly. Thread-safe.</summary>
    void Kick();
}

/// <summary>Whether <see cref="IExecutor.Wait"/> may wait.</summary>
public enum WaitMode
{
    /// <summary>Return null when nothing has come back yet.</summary>
    Poll,

    /// <summary>Wait for a context or a kick.</summary>
    Block,
}

/// <summary>The mappings of a guest process as the hardware sees them. The kernel's memory manager decides what is in it.</summary>
/// <remarks>
/// Every operation takes the held context it acts through (<c>via</c>), because a thread-affine platform has no other way in;
/// other platforms ignore it. Callers hold the memory manager's lock, so operations on one space do not race.
/// Addresses and lengths are page aligned and below <see cref="IPlatform.MaximumAddress"/>.
/// </remarks>
public abstract class AddressSpace
{
    /// <summary>Maps a range of a host file, replacing what was there.</summary>
    /// <param name="via">A held context in this space.</param>
    /// <param name="address">Guest address.</param>
    /// <param name="length">Length in bytes.</param>
    /// <param name="hostFd">The host descriptor to map (shared).</param>
    /// <param name="offset">Offset in that file, in bytes.</param>
    /// <param name="access">What the guest may do there.</param>
    /// <param name="traits">What is known of the memory there.</param>
    /// <returns>Whether the host did it; false when it is out of memory or mappings.</returns>
    public abstract bool MapFile(GuestContext via, ulong address, ulong length, int hostFd, ulong offset, MemoryAccess access, MappingTraits traits);

    /// <summary>As <see cref="MapFile"/>, but the platform may put it off until the next <see cref="Flush"/>, which then tells whether the host did it.</summary>
    public virtual bool MapFileLater(GuestContext? via, ulong address, ulong length, int hostFd, ulong offset, MemoryAccess access, MappingTraits traits) =>
        MapFile(via!, address, length, hostFd, offset, access, traits);

    /// <summary>As <see cref="Protect"/>, but the platform may put it off until the next <see cref="Flush"/>.</summary>
    public virtual void ProtectLater(GuestContext? via, ulong address, ulong length, MemoryAccess access) => Protect(via!, address, length, access);

    /// <summary>Has begun what has been put off.</summary>
    public virtual void Start()
    {
    }

    /// <summary>Waits for what has been put off. No guest code may run in the space in between.</summary>
    /// <param name="via">A held context in this space, or null.</param>
    /// <returns>Whether the host did all of it.</returns>
    public virtual bool Flush(GuestContext? via) => true;

    /// <summary>Removes mappings; holes are fine.</summary>
    public abstract void Unmap(GuestContext via, ulong address, ulong length);

    /// <summary>Changes what the guest may do in a range; holes are fine.</summary>
    public abstract void Protect(GuestContext via, ulong address, ulong length, MemoryAccess access);

    /// <summary>
    /// Removes mappings from outside, when no context of this space is at hand (a truncated file, a reclaimed page).
    /// Returns at once; <paramref name="done"/> is called, on any thread, when no guest code can reach the old pages any more.
    /// </summary>
    public abstract void UnmapRemote(ulong address, ulong length, Action done);

    /// <summary>A range that the platform uses for itself while no guest mapping needs it: its start and the first address behind it.</summary>
    public virtual (ulong Start, ulong End) BorrowedRange => default;

    /// <summary>A guest mapping needs a part of <see cref="BorrowedRange"/>: the platform does without from now on.</summary>
    public virtual void ReturnBorrowed(GuestContext? via)
    {
    }

    /// <summary>Drops the space once its last context is gone. Thread-safe.</summary>
    public abstract void Release();
}

/// <summary>What a platform may make use of when it maps a range.</summary>
[Flags]
public enum MappingTraits
{
    None = 0,

    /// <summary>Nobody writes there: the platform may put a copy in its place that differs where the guest cannot tell.</summary>
    IsStill = 1,

    /// <summary>All pages are in memory: they can be mapped at once, without a fault of the host for each.</summary>
    IsThere = 2,
}

/// <summary>What guest code may do with a page.</summary>
[Flags]
public enum MemoryAccess
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Read.</summary>
    Read = 1,

    /// <summary>Write.</summary>
    Write = 2,

    /// <summary>Execute.</summary>
    Execute = 4,
}

/// <summary>Why a released context came back.</summary>
public enum GuestExit
{
    /// <summary>It made a system call: the number is in <see cref="X64Registers.OrigRax"/>, the return address in Rip.</summary>
    Syscall,

    /// <summary>A fault or trap of its own code: <see cref="GuestContext.Fault"/> says which.</summary>
    Fault,

    /// <summary><see cref="GuestContext.Interrupt"/> brought it back, or nothing happened that concerns it.</summary>
    Interrupted,

    /// <summary>A system call entry that is not the 64-bit <c>syscall</c> (int 0x80, sysenter): it did not happen.</summary>
    ForeignSyscall,

    /// <summary>The host took the thread away (killed from outside).</summary>
    Lost,
}

/// <summary>A synchronous signal's cause, as Linux's siginfo would give it.</summary>
/// <param name="Signal">SIGSEGV, SIGBUS, SIGILL, SIGFPE or SIGTRAP.</param>
/// <param name="Code">si_code.</param>
/// <param name="Address">si_addr.</param>
/// <param name="IsWrite">For page faults: whether it was a write, when the platform can tell; see <see cref="HasAccess"/>.</param>
/// <param name="HasAccess">Whether <see cref="IsWrite"/> and <see cref="IsExecute"/> are known.</param>
/// <param name="IsExecute">For page faults: whether it was an instruction fetch.</param>
public readonly record struct GuestFault(int Signal, int Code, ulong Address, bool IsWrite, bool HasAccess, bool IsExecute);

/// <summary>A guest thread's hardware state.</summary>
public abstract class GuestContext
{
    /// <summary>The general registers; valid and writable while the context is held.</summary>
    public X64Registers Registers;

    /// <summary>Why it last came back.</summary>
    public GuestExit Exit { get; set; }

    /// <summary>The fault, when <see cref="Exit"/> is <see cref="GuestExit.Fault"/>.</summary>
    public GuestFault Fault { get; set; }

    /// <summary>The kernel's own mark: the task that runs here.</summary>
    public object? Owner { get; set; }

    /// <summary>The space the thread runs in.</summary>
    public abstract AddressSpace Space { get; }

    /// <summary>Reads the extended state (x87, SSE, AVX: an XSAVE area).</summary>
    /// <param name="area">The destination; must be at least <see cref="ExtendedStateSize"/> long.</param>
    /// <returns>The bytes stored.</returns>
    public abstract int ReadExtendedState(Span<byte> area);

    /// <summary>Replaces the extended state from an XSAVE area; a malformed area is refused.</summary>
    /// <returns>Whether the processor took it.</returns>
    public abstract bool WriteExtendedState(ReadOnlySpan<byte> area);

    /// <summary>The length in bytes of the extended state.</summary>
    public abstract int ExtendedStateSize { get; }

    /// <summary>Brings a released context back soon (<see cref="GuestExit.Interrupted"/>, or whatever happened first). Harmless on a held one. Thread-safe.</summary>
    public abstract void Interrupt();

    /// <summary>
    /// Gives the platform what the thread's calls answer from now on, in the order of <see cref="IPlatform.ExpectAnswers"/>, or takes that back (an empty span): then every call is the kernel's.
    /// Answers are given while the context is held; they are taken back by any thread at any time, and no call that begins after this returns is answered from them.
    /// </summary>
    public virtual void SetAnswers(ReadOnlySpan<ulong> answers)
    {
    }

    /// <summary>Ends the hardware thread. The context is held or lost.</summary>
    public abstract void Destroy();

    /// <summary>Consumed processor time in nanoseconds, when the platform can tell; otherwise 0.</summary>
    public abstract long GuestTimeNs { get; }
}
