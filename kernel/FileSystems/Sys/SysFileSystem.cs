// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Synthetic;

namespace CVisor.FileSystems.Sys;

/// <summary>/sys, as far as programs look: the processors, an empty set of block devices, the kernel's own corner.</summary>
public sealed class SysFileSystem : SyntheticFileSystem
{
    private const ulong Magic = 0x62656572;

    /// <summary>Makes the tree.</summary>
    /// <param name="cpuCount">Processors that the guest sees.</param>
    public SysFileSystem(int cpuCount)
        : base(Magic)
    {
        SyntheticDirectory root = new(this);
        Root = root;
        root.Reference();
        foreach (string name in (ReadOnlySpan<string>)["block", "bus", "dev", "firmware", "power"])
        {
            _ = root.AddDirectory(name);
        }

        SyntheticDirectory classes = root.AddDirectory("class");
        foreach (string name in (ReadOnlySpan<string>)["block", "net", "tty", "mem"])
        {
            _ = classes.AddDirectory(name);
        }

        SyntheticDirectory fs = root.AddDirectory("fs");
        _ = fs.AddDirectory("cgroup");
        SyntheticDirectory kernel = root.AddDirectory("kernel");
        SyntheticDirectory mm = kernel.AddDirectory("mm");
        SyntheticDirectory hugepages = mm.AddDirectory("transparent_hugepage");
        Text(hugepages, "enabled", "always madvise [never]\n");
        Text(hugepages, "shmem_enabled", "always within_size advise [never] deny force\n");
        SyntheticDirectory module = root.AddDirectory("module");
        _ = module;

        SyntheticDirectory devices = root.AddDirectory("devices");
        SyntheticDirectory system = devices.AddDirectory("system");
        SyntheticDirectory cpus = system.AddDirectory("cpu");
        string all = cpuCount == 1 ? "0\n" : "0-" + (cpuCount - 1).ToString(CultureInfo.InvariantCulture) + "\n";
        foreach (string name in (ReadOnlySpan<string>)["online", "possible", "present"])
        {
            Text(cpus, name, all);
        }

        Text(cpus, "offline", "\n");
        Text(cpus, "kernel_max", (cpuCount - 1).ToString(CultureInfo.InvariantCulture) + "\n");
        for (int cpu = 0; cpu < cpuCount; cpu++)
        {
            SyntheticDirectory one = cpus.AddDirectory("cpu" + cpu.ToString(CultureInfo.InvariantCulture));
            SyntheticDirectory topology = one.AddDirectory("topology");
            string number = cpu.ToString(CultureInfo.InvariantCulture) + "\n";
            Text(topology, "core_id", number);
            Text(topology, "physical_package_id", "0\n");
            Text(topology, "thread_siblings_list", number);
            Text(topology, "core_siblings_list", all);
        }

        SyntheticDirectory node = system.AddDirectory("node");
        Text(node, "online", "0\n");
        Text(node, "possible", "0\n");
        SyntheticDirectory node0 = node.AddDirectory("node0");
        Text(node0, "cpulist", all);
        _ = devices.AddDirectory("virtual").AddDirectory("net").AddDirectory("lo");
    }

    /// <inheritdoc/>
    public override string TypeName => "sysfs";

    /// <inheritdoc/>
    public override Inode Root { get; }

    private void Text(SyntheticDirectory directory, string name, string text) => directory.Add(name, new TextFile(this, to => to.Append(text)));
}
