// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using CVisor.Core.Namespaces;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Synthetic;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems.Proc;

/// <summary>/proc (proc(5)): processes by the numbers of one PID namespace, and the kernel's figures.</summary>
/// <remarks>Contents are made at each read; nothing is kept. Locks: the task set's lock is taken for the length of a look, never while guest memory is read.</remarks>
public sealed class ProcFileSystem : SyntheticFileSystem
{
    private const ulong Magic = 0x9fa0;

    /// <summary>Makes the tree.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="pids">Whose numbers it shows.</param>
    /// <param name="cpuCount">Processors that the guest sees.</param>
    /// <param name="totalMemoryBytes">Memory that the guest sees, in bytes.</param>
    public ProcFileSystem(Kernel kernel, PidNamespace pids, int cpuCount, ulong totalMemoryBytes)
        : base(Magic)
    {
        Kernel = kernel;
        Pids = pids;
        Machine = new MachineInfo(kernel, cpuCount, totalMemoryBytes);
        ProcRoot root = new(this);
        Root = root;
        root.Reference();
        AddMachineFiles(root);
        SysctlTree.Add(root, this);
    }

    /// <inheritdoc/>
    public override string TypeName => "proc";

    /// <inheritdoc/>
    public override Inode Root { get; }

    internal Kernel Kernel { get; }

    internal PidNamespace Pids { get; }

    internal MachineInfo Machine { get; }

    /// <summary>The number of the process that reads, or "".</summary>
    internal string SelfOf(Task? reader) => NumberOf(reader?.ThreadGroup.Leader);

    internal string NumberOf(Task? task) =>
        task?.Id.NumberIn(Pids) is > 0 and int number ? number.ToString(CultureInfo.InvariantCulture) : "";

    private void AddMachineFiles(SyntheticDirectory root)
    {
        _ = root.Add("self", new SyntheticLink(this, SelfOf));
        _ = root.Add("thread-self", new SyntheticLink(this, reader => reader is null ? "" : SelfOf(reader) + "/task/" + NumberOf(reader)));
        _ = root.Add("mounts", new SyntheticLink(this, _ => "self/mounts"));
        _ = root.Add("net", new SyntheticLink(this, _ => "self/net"));
        Add(root, "cmdline", text => text.Append('\n'));
        Add(root, "consoles", _ => { });
        Add(root, "cpuinfo", Machine.WriteProcessors);
        Add(root, "devices", text => text.Append("Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/ptmx\n 10 misc\n136 pts\n\nBlock devices:\n"));
        Add(root, "filesystems", text => text.Append("nodev\t9p\nnodev\tcgroup\nnodev\tdevpts\nnodev\tdevtmpfs\nnodev\tmqueue\nnodev\toverlay\nnodev\tproc\nnodev\tsysfs\nnodev\ttmpfs\n"));
        Add(root, "loadavg", Machine.WriteLoad);
        Add(root, "meminfo", Machine.WriteMemory);
        Add(root, "partitions", text => text.Append("major minor  #blocks  name\n\n"));
        Add(root, "stat", Machine.WriteStatistics);
        Add(root, "swaps", text => text.Append("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"));
        Add(root, "uptime", Machine.WriteUptime);
        Add(root, "version", text => text.Append(CultureInfo.InvariantCulture, $"{KernelVersion.SystemName} version {KernelVersion.Release} {KernelVersion.Version}\n"));
        Add(root, "vmstat", text => text.Append("pgfault 0\npgmajfault 0\n"));
    }

    private void Add(SyntheticDirectory directory, string name, Action<StringBuilder> write) => directory.Add(name, new TextFile(this, write));

    /// <summary>The root directory: fixed files, and a directory for each process.</summary>
    private sealed class ProcRoot(ProcFileSystem proc) : SyntheticDirectory(proc)
    {
        protected override Inode? FindDynamic(in OperationContext context, string name) =>
            TryParse(name, out int number) && proc.Kernel.Tasks.FindTask(proc.Pids, number) is { } task ? new TaskDirectory(proc, task, isProcess: true) : null;

        protected override bool IsDynamicValid(in OperationContext context, string name, Inode? child) =>
            child is TaskDirectory directory && TryParse(name, out int number) && proc.Kernel.Tasks.FindTask(proc.Pids, number) == directory.Task;

        protected override IEnumerable<(string Name, FileType Type)> ListDynamic(OperationContext context)
        {
            foreach (ThreadGroup process in proc.Kernel.Tasks.Processes(proc.Pids))
            {
                string number = proc.NumberOf(process.Leader);
                if (number.Length > 0)
                {
                    yield return (number, FileType.Directory);
                }
            }
        }
    }

    internal static bool TryParse(string name, out int number)
    {
        number = 0;
        return name.Length is > 0 and < 10 && name[0] != '0' && int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
