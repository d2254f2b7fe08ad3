// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Runtime.Intrinsics.X86;
using System.Threading;
using CVisor.Host;

namespace CVisor.Platforms.Systrap;

/// <summary>Guest code runs in stub processes under a filter that traps every system call; they and the Sentry speak through shared memory.</summary>
/// <remarks>README.md in this folder tells how.</remarks>
public sealed class SystrapPlatform : IPlatform
{
    /// <summary>How often the Sentry looks at a stub's answer before it sleeps.</summary>
    internal const int AwaitSpins = 2000;

    /// <summary>The same, when looking does not pay.</summary>
    internal const int FewSpins = 50;

    /// <summary>How often an executor looks at its released contexts before it sleeps.</summary>
    internal const int ExecutorSpins = 4000;

    /// <summary>The same, while guests could use its processor, too.</summary>
    internal const int CrowdedSpins = 320;

    /// <summary>How often a stopped carrier looks for an order before it sleeps.</summary>
    internal const int StubSpins = 600;

    /// <summary>The same, while others could use its processor.</summary>
    internal const int CrowdedStubSpins = 150;

    /// <summary>How often it looks before it wakes a carrier that nobody else has woken.</summary>
    internal const int OwedSpins = 200;

    /// <summary>How many looks lie between two at the clock.</summary>
    internal const int SpinsPerGlance = 64;

    /// <summary>After how many looks a carrier that is awake should have taken its order; a multiple of <see cref="SpinsPerGlance"/>.</summary>
    internal const int UnseenSpins = 512;

    /// <summary>After how many stops of others it does so.</summary>
    internal const int OwedStops = 32;

    /// <summary>How long a sleep for an answer lasts before the Sentry looks whether the stub lives.</summary>
    internal const long PatienceNs = 20_000_000;

    /// <summary>How often an executor looks whether the processes that it waits for live; and how long guest threads that share carriers run at a time.</summary>
    internal const int CheckMs = 20;

    /// <summary>After how many stops one that does not sleep does so.</summary>
    internal const int StopsPerCheck = 1024;

    /// <summary>How long a guest thread may take to stop for an interrupt, however busy the machine is; then its process is ended.</summary>
    internal const long DeafNs = 5_000_000_000;

    /// <summary>How many mappings are made anew for a forked process; the address space of one with more is copied.</summary>
    internal const int MappingsWorthACopy = 64;

    private const int SigChld = 17, HelperSpins = 200;
    private const int EfdNonblock = 0x800, OCloexec = 0x80000;
    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly List<(Helper Helper, List<int> Lines)> _dying = [];
    private readonly int[] _eventFds;
    private readonly List<SystrapExecutor> _executors = [];
    private readonly bool _isAlone;

    /// <summary>Makes the platform: the shared memory and the first helper.</summary>
    /// <param name="executorCount">How many executors there will be.</param>
    public SystrapPlatform(int executorCount)
    {
        if (!HasFsGsBase)
        {
            throw new HostException("find a processor with FSGSBASE and XSAVE, which --platform=systrap needs (--platform=ptrace does not)", HostErrno.ENOSYS);
        }

        _eventFds = OpenEvents(Math.Clamp(executorCount, 1, SystrapLayout.MaximumExecutors));
        Region = new SharedRegion(_eventFds[0], _eventFds[^1]);
        _isAlone = Environment.ProcessorCount < 2;
        Processors = Math.Max(1, Environment.ProcessorCount / _eventFds.Length);
        SetStubSpins(StubSpins);
        Region.DoorbellWord(SystrapLayout.HelperSpin) = _isAlone ? 0 : HelperSpins;
        _ = HostCalls.IgnoreSignal(SigChld).OrThrow("let dead stubs go");
        ulong part = Region.TakeSpace();
        Region.Quad(part + SystrapLayout.PartPlace) = part;
        HostResult pid = Region.StartZygote(part).OrThrow("make the first stub process");
        Pool = new StubPool(new Helper(this, part, pid.Int));
        Pool.MakeAhead(); // The first program's, while the sandbox is being set up.
    }

    /// <inheritdoc/>
    public string Name => "systrap";

    /// <inheritdoc/>
    public ulong MinimumAddress => 0x10000;

    /// <inheritdoc/>
    public ulong MaximumAddress => Region.Address;

    private static bool HasFsGsBase => X86Base.IsSupported && (X86Base.CpuId(7, 0).Ebx & 1) != 0 && (X86Base.CpuId(1, 0).Ecx & (1 << 27)) != 0;

    /// <summary>Whether what one executor released is all that runs.</summary>
    internal bool HasOneExecutor => _eventFds.Length == 1;

    /// <summary>How many processors an executor and what it released have for themselves.</summary>
    internal int Processors { get; }

    internal SharedRegion Region { get; }

    /// <summary>Whether looking for news pays.</summary>
    internal Contention Contention { get; } = new();

    /// <summary>Copies of code pages with patched call sites.</summary>
    internal CodePool CodePool { get; } = new();

    /// <summary>Empty address spaces: made ahead, or left behind by processes that have ended.</summary>
    internal StubPool Pool { get; }

    /// <inheritdoc/>
    public void ExpectAnswers(ReadOnlySpan<int> numbers) => Region.SetAnswerPlaces(numbers);

    /// <inheritdoc/>
    public IExecutor CreateExecutor(int index) => new SystrapExecutor(this, index, _eventFds[index % _eventFds.Length]);

    internal void Add(SystrapExecutor executor)
    {
        lock (_lock)
        {
            _executors.Add(executor);
        }
    }

    /// <summary>Has all executors look again.</summary>
    internal void KickAll()
    {
        lock (_lock)
        {
            foreach (SystrapExecutor executor in _executors)
            {
                executor.Kick();
            }
        }
    }

    /// <summary>Says how often stopped carriers are to look for orders before they sleep.</summary>
    internal void SetStubSpins(int looks)
    {
        ref int word = ref Region.DoorbellWord(SystrapLayout.Spin);
        looks = _isAlone ? 0 : looks;
        if (Volatile.Read(ref word) != looks)
        {
            Volatile.Write(ref word, looks);
        }
    }

    /// <summary>Keeps a helper that was told to end until it has, and gives back the parts of those that have.</summary>
    internal void Bury(Helper helper, List<int> lines)
    {
        lock (_lock)
        {
            for (int i = _dying.Count - 1; i >= 0; i--)
            {
                if (_dying[i].Helper.AreGone)
                {
                    Region.ReturnSpace(_dying[i].Helper.Part);
                    Region.ReturnLines(_dying[i].Lines);
                    _dying.RemoveAt(i);
                }
            }

            _dying.Add((helper, lines));
        }
    }

    /// <summary>Opens the event descriptors with neighbouring numbers: a guest's process keeps this range and nothing else.</summary>
    private static int[] OpenEvents(int count)
    {
        // Until the last ones are neighbours; the others fill the holes before them meanwhile.
        List<int> opened = [];
        int run = 0;
        while (run < count)
        {
            int fd = HostCalls.Eventfd2(0, EfdNonblock | OCloexec).OrThrow("make an event descriptor").Int;
            run = opened.Count > 0 && fd == opened[^1] + 1 ? run + 1 : 1;
            opened.Add(fd);
        }

        foreach (int spare in opened[..^count])
        {
            _ = HostCalls.Close(spare);
        }

        return [.. opened[^count..]];
    }
}
