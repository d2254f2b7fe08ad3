// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Signals;
using CVisor.Core.Tasks;
using CVisor.Core.Time;
using CVisor.Core.Vfs;
using CVisor.Platforms;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems.Proc;

/// <summary>The text files of /proc/PID (proc(5), fs/proc/array.c).</summary>
internal static class TaskFiles
{
    private const ulong PageSize = MemoryManager.PageSize;
    private const long TickNs = 10_000_000;

    internal static void WriteCommandLine(StringBuilder text, Task task) => WriteMemory(text, task, task.Memory.ArgumentsStart, task.Memory.ArgumentsEnd);

    internal static void WriteEnvironment(StringBuilder text, Task task) => WriteMemory(text, task, task.Memory.EnvironmentStart, task.Memory.EnvironmentEnd);

    internal static void WriteAuxiliaryVector(StringBuilder text, Task task) => text.Append(KernelString.FromBytes(task.Memory.AuxiliaryVector));

    internal static void WriteStat(StringBuilder text, Task task, ProcFileSystem proc)
    {
        ThreadGroup group = task.ThreadGroup;
        MemoryManager memory = task.Memory;
        ProcessorTime time = task.ProcessorTime;
        ulong vm = task.HasExited ? 0 : memory.TotalBytes;
        ulong rss = task.HasExited ? 0 : memory.ResidentBytes / PageSize;
        (SignalSet ignored, SignalSet caught, SignalSet pending, _) = group.DescribeSignals();
        string terminal = group.ControllingTerminal is { } tty ? tty.DeviceNumber.ToString(CultureInfo.InvariantCulture) : "0";
        int foreground = group.ControllingTerminal is null || group.Session.Foreground is not { } fore ? -1 : fore.Id.NumberIn(proc.Pids);
        _ = text.Append(CultureInfo.InvariantCulture, $"{proc.NumberOf(task)} ({task.Name}) {StateOf(task)[0]} {group.Parent?.PidIn(proc.Pids) ?? 0} {group.ProcessGroup.Id.NumberIn(proc.Pids)} {group.Session.Id.NumberIn(proc.Pids)} {terminal} {foreground} ");
        _ = text.Append(CultureInfo.InvariantCulture, $"4194304 {task.Faults} 0 0 0 {time.UserNs / TickNs} {time.SystemNs / TickNs} {group.ChildrenUsage.Time.UserNs / TickNs} {group.ChildrenUsage.Time.SystemNs / TickNs} {20 + task.Attributes.Nice} {task.Attributes.Nice} {group.LiveThreads} 0 {Math.Max(0, group.StartNs - proc.Machine.StartNs) / TickNs} {vm} {rss} 18446744073709551615 ");
        _ = text.Append(CultureInfo.InvariantCulture, $"0 0 0 0 0 {pending.Bits & 0x7fffffff} {task.SignalMask.Bits & 0x7fffffff} {ignored.Bits & 0x7fffffff} {caught.Bits & 0x7fffffff} 0 0 0 17 0 0 0 0 0 0 0 0 0 {memory.ArgumentsStart} {memory.ArgumentsEnd} {memory.EnvironmentStart} {memory.EnvironmentEnd} 0\n");
    }

    internal static void WriteStatm(StringBuilder text, Task task) =>
        text.Append(CultureInfo.InvariantCulture, $"{task.Memory.TotalBytes / PageSize} {task.Memory.ResidentBytes / PageSize} 0 0 0 0 0\n");

    internal static void WriteStatus(StringBuilder text, Task task, ProcFileSystem proc, UserNamespace seenFrom)
    {
        ThreadGroup group = task.ThreadGroup;
        var who = task.Credentials;
        (SignalSet ignored, SignalSet caught, SignalSet pending, int queued) = group.DescribeSignals();
        string number = proc.NumberOf(task);
        _ = text.Append(CultureInfo.InvariantCulture, $"Name:\t{task.Name}\nUmask:\t{Convert.ToString(task.Fs.Umask, 8).PadLeft(4, '0')}\nState:\t{StateOf(task)}\nTgid:\t{proc.NumberOf(group.Leader)}\nNgid:\t0\nPid:\t{number}\nPPid:\t{group.Parent?.PidIn(proc.Pids) ?? 0}\nTracerPid:\t{task.Tracer?.ThreadGroup.PidIn(proc.Pids) ?? 0}\n");
        _ = text.Append(CultureInfo.InvariantCulture, $"Uid:\t{User(who.RealUid)}\t{User(who.EffectiveUid)}\t{User(who.SavedUid)}\t{User(who.FileUid)}\nGid:\t{Group(who.RealGid)}\t{Group(who.EffectiveGid)}\t{Group(who.SavedGid)}\t{Group(who.FileGid)}\nFDSize:\t64\nGroups:\t");
        foreach (uint gid in who.Groups)
        {
            _ = text.Append(Group(gid)).Append(' ');
        }

        _ = text.Append(CultureInfo.InvariantCulture, $"\nNStgid:\t{proc.NumberOf(group.Leader)}\nNSpid:\t{number}\nNSpgid:\t{group.ProcessGroup.Id.NumberIn(proc.Pids)}\nNSsid:\t{group.Session.Id.NumberIn(proc.Pids)}\n");
        if (!task.HasExited)
        {
            ulong vm = task.Memory.TotalBytes / 1024;
            ulong rss = task.Memory.ResidentBytes / 1024;
            _ = text.Append(CultureInfo.InvariantCulture, $"VmPeak:\t{vm,8} kB\nVmSize:\t{vm,8} kB\nVmLck:\t{task.Memory.LockedBytes / 1024,8} kB\nVmPin:\t{0,8} kB\nVmHWM:\t{rss,8} kB\nVmRSS:\t{rss,8} kB\nVmData:\t{vm,8} kB\nVmStk:\t{132,8} kB\nVmSwap:\t{0,8} kB\n");
        }

        _ = text.Append(CultureInfo.InvariantCulture, $"Threads:\t{group.LiveThreads}\nSigQ:\t{queued}/32768\nSigPnd:\t{task.OwnPendingSignalSet.Bits:x16}\nShdPnd:\t{pending.Bits:x16}\nSigBlk:\t{task.SignalMask.Bits:x16}\nSigIgn:\t{ignored.Bits:x16}\nSigCgt:\t{caught.Bits:x16}\n");
        _ = text.Append(CultureInfo.InvariantCulture, $"CapInh:\t{who.Inheritable.Bits:x16}\nCapPrm:\t{who.Permitted.Bits:x16}\nCapEff:\t{who.Effective.Bits:x16}\nCapBnd:\t{who.Bounding.Bits:x16}\nCapAmb:\t{who.Ambient.Bits:x16}\nNoNewPrivs:\t{(task.HasNoNewPrivileges ? 1 : 0)}\nSeccomp:\t{(int)(task.Seccomp?.Mode ?? Core.Seccomp.SeccompMode.Disabled)}\nSeccomp_filters:\t{task.Seccomp?.FilterCount ?? 0}\n");
        _ = text.Append(CultureInfo.InvariantCulture, $"Cpus_allowed:\t{AllowedProcessors(task):x}\nCpus_allowed_list:\t{ProcessorList(AllowedProcessors(task))}\nMems_allowed:\t1\nMems_allowed_list:\t0\nvoluntary_ctxt_switches:\t{task.Waits}\nnonvoluntary_ctxt_switches:\t0\n");

        uint User(uint uid) => seenFrom.ToGuestUid(uid);
        uint Group(uint gid) => seenFrom.ToGuestGid(gid);
    }

    internal static void WriteMaps(StringBuilder text, Task task)
    {
        foreach (AreaReport area in task.Memory.Report())
        {
            WriteArea(text, area, task);
        }
    }

    internal static void WriteDetailedMaps(StringBuilder text, Task task)
    {
        foreach (AreaReport area in task.Memory.Report())
        {
            WriteArea(text, area, task);
            ulong size = (area.End - area.Start) / 1024;
            ulong resident = area.ResidentBytes / 1024;
            _ = text.Append(CultureInfo.InvariantCulture, $"Size:           {size,8} kB\nKernelPageSize: {4,8} kB\nMMUPageSize:    {4,8} kB\n");
            WriteSizes(text, resident);
            _ = text.Append("VmFlags: rd mr mw me\n");
        }
    }

    internal static void WriteRollup(StringBuilder text, Task task)
    {
        ulong resident = 0;
        ulong first = 0;
        ulong last = 0;
        foreach (AreaReport area in task.Memory.Report())
        {
            first = first == 0 ? area.Start : first;
            last = area.End;
            resident += area.ResidentBytes / 1024;
        }

        _ = text.Append(CultureInfo.InvariantCulture, $"{first:x8}-{last:x8} ---p 00000000 00:00 0                          [rollup]\n");
        WriteSizes(text, resident);
    }

    private static void WriteSizes(StringBuilder text, ulong resident) =>
        text.Append(CultureInfo.InvariantCulture, $"Rss:            {resident,8} kB\nPss:            {resident,8} kB\nShared_Clean:   {0,8} kB\nShared_Dirty:   {0,8} kB\nPrivate_Clean:  {0,8} kB\nPrivate_Dirty:  {resident,8} kB\nReferenced:     {resident,8} kB\nAnonymous:      {resident,8} kB\nSwap:           {0,8} kB\nLocked:         {0,8} kB\n");

    internal static void WriteLimits(StringBuilder text, Task task)
    {
        (string Name, Resource Resource, string Unit)[] rows =
        [
            ("Max cpu time", Resource.Cpu, "seconds"), ("Max file size", Resource.FileSize, "bytes"), ("Max data size", Resource.Data, "bytes"), ("Max stack size", Resource.Stack, "bytes"),
            ("Max core file size", Resource.Core, "bytes"), ("Max resident set", Resource.ResidentSet, "bytes"), ("Max processes", Resource.Processes, "processes"), ("Max open files", Resource.OpenFiles, "files"),
            ("Max locked memory", Resource.LockedMemory, "bytes"), ("Max address space", Resource.AddressSpace, "bytes"), ("Max file locks", Resource.Locks, "locks"), ("Max pending signals", Resource.PendingSignals, "signals"),
            ("Max msgqueue size", Resource.MessageQueues, "bytes"), ("Max nice priority", Resource.Nice, ""), ("Max realtime priority", Resource.RealTimePriority, ""), ("Max realtime timeout", Resource.RealTimeTime, "us"),
        ];
        _ = text.Append("Limit                     Soft Limit           Hard Limit           Units     \n");
        foreach ((string name, Resource resource, string unit) in rows)
        {
            ResourceLimit limit = task.ThreadGroup.Limits[resource];
            _ = text.Append(CultureInfo.InvariantCulture, $"{name,-25} {Limit(limit.Soft),-20} {Limit(limit.Hard),-20} {unit,-10}\n");
        }
    }

    private static ulong AllowedProcessors(Task task)
    {
        int count = task.Kernel.ProcessorCount;
        return task.Attributes.Affinity & (count >= 64 ? ulong.MaxValue : (1UL << count) - 1);
    }

    private static string ProcessorList(ulong set)
    {
        StringBuilder list = new();
        for (int first = 0; first < 64; first++)
        {
            if ((set & (1UL << first)) == 0)
            {
                continue;
            }

            int last = first;
            while (last < 63 && (set & (1UL << (last + 1))) != 0)
            {
                last++;
            }

            _ = list.Append(list.Length > 0 ? "," : "").Append(first);
            if (last > first)
            {
                _ = list.Append('-').Append(last);
            }

            first = last;
        }

        return list.ToString();
    }

    private static string Limit(ulong value) => value == ulong.MaxValue ? "unlimited" : value.ToString(CultureInfo.InvariantCulture);

    private static string StateOf(Task task) =>
        task.ThreadGroup.IsZombie || task.HasExited ? "Z (zombie)" : task.IsTraceStopped ? "t (tracing stop)" : task.ThreadGroup.IsStoppedCompletely ? "T (stopped)" : task.IsParked ? "S (sleeping)" : "R (running)";

    private static void WriteArea(StringBuilder text, in AreaReport area, Task task)
    {
        int before = text.Length;
        _ = text.Append(CultureInfo.InvariantCulture, $"{area.Start:x8}-{area.End:x8} ")
            .Append((area.Access & MemoryAccess.Read) != 0 ? 'r' : '-').Append((area.Access & MemoryAccess.Write) != 0 ? 'w' : '-').Append((area.Access & MemoryAccess.Execute) != 0 ? 'x' : '-').Append(area.IsShared ? 's' : 'p')
            .Append(CultureInfo.InvariantCulture, $" {area.Offset:x8} {DeviceNumber.Major(area.Device):x2}:{DeviceNumber.Minor(area.Device):x2} {area.Inode} ");
        string name = area.Place.IsValid ? PathText.Of(area.Place, task.Fs.Root).Replace("\n", "\\012", StringComparison.Ordinal) : area.Name;
        if (name.Length > 0)
        {
            _ = text.Append(' ', Math.Max(0, 73 - (text.Length - before))).Append(name);
        }

        _ = text.Append('\n');
    }

    private static void WriteMemory(StringBuilder text, Task task, ulong start, ulong end)
    {
        const ulong Most = 1 << 20;
        if (end <= start)
        {
            return;
        }

        byte[] bytes = new byte[Math.Min(Most, end - start)];
        int got = task.Memory.AccessForced(new UserPtr(start), bytes, write: false);
        _ = text.Append(KernelString.FromBytes(bytes.AsSpan(0, got)));
    }
}
