// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Synthetic;
using CVisor.Host;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems.Proc;

/// <summary>/proc/sys, read-only but for what says otherwise.</summary>
internal static class SysctlTree
{
    internal static void Add(SyntheticDirectory root, ProcFileSystem proc)
    {
        SyntheticDirectory sys = root.AddDirectory("sys");
        SyntheticDirectory kernel = sys.AddDirectory("kernel");
        Text(kernel, "ostype", KernelVersion.SystemName);
        Text(kernel, "osrelease", KernelVersion.Release);
        Text(kernel, "version", KernelVersion.Version);
        _ = kernel.Add("hostname", new UtsFile(proc, task => task.Namespaces.Uts.HostName));
        _ = kernel.Add("domainname", new UtsFile(proc, task => task.Namespaces.Uts.DomainName));
        Text(kernel, "cap_last_cap", "40");
        Text(kernel, "ngroups_max", "65536");
        Text(kernel, "pid_max", "4194304");
        Text(kernel, "threads-max", "32768");
        Text(kernel, "overflowuid", "65534");
        Text(kernel, "overflowgid", "65534");
        Text(kernel, "randomize_va_space", "2");
        Text(kernel, "core_pattern", "core");
        Text(kernel, "msgmax", "8192");
        Text(kernel, "msgmnb", "16384");
        Text(kernel, "msgmni", "32000");
        Text(kernel, "sem", "32000\t1024000000\t500\t32000");
        Text(kernel, "shmall", "18446744073692774399");
        Text(kernel, "shmmax", "18446744073692774399");
        Text(kernel, "shmmni", "4096");
        Text(kernel, "tainted", "0");
        SyntheticDirectory yama = kernel.AddDirectory("yama");
        Text(yama, "ptrace_scope", "0");
        SyntheticDirectory random = kernel.AddDirectory("random");
        string boot = MakeUuid();
        Text(random, "boot_id", boot);
        _ = random.Add("uuid", new TextFile(proc, text => text.Append(MakeUuid()).Append('\n')));
        Text(random, "entropy_avail", "256");
        Text(random, "poolsize", "256");

        SyntheticDirectory vm = sys.AddDirectory("vm");
        Text(vm, "max_map_count", "65530");
        Text(vm, "mmap_min_addr", "65536");
        Text(vm, "overcommit_memory", "0");
        Text(vm, "overcommit_ratio", "50");
        Text(vm, "swappiness", "60");

        SyntheticDirectory fs = sys.AddDirectory("fs");
        Text(fs, "file-max", "9223372036854775807");
        Text(fs, "file-nr", "0\t0\t9223372036854775807");
        Text(fs, "nr_open", "1048576");
        Text(fs, "pipe-max-size", "1048576");
        Text(fs, "protected_hardlinks", "1");
        Text(fs, "protected_symlinks", "1");
        SyntheticDirectory inotify = fs.AddDirectory("inotify");
        Text(inotify, "max_queued_events", "16384");
        Text(inotify, "max_user_instances", "128");
        Text(inotify, "max_user_watches", "65536");
        SyntheticDirectory mqueue = fs.AddDirectory("mqueue");
        Text(mqueue, "msg_max", "10");
        Text(mqueue, "msgsize_max", "8192");
        Text(mqueue, "queues_max", "256");

        SyntheticDirectory net = sys.AddDirectory("net");
        SyntheticDirectory core = net.AddDirectory("core");
        Text(core, "somaxconn", "4096");
        Text(core, "rmem_max", "212992");
        Text(core, "wmem_max", "212992");
        SyntheticDirectory ipv4 = net.AddDirectory("ipv4");
        Text(ipv4, "ip_forward", "0");
        Text(ipv4, "ip_local_port_range", "32768\t60999");
        Text(ipv4, "tcp_rmem", "4096\t131072\t6291456");
        Text(ipv4, "tcp_wmem", "4096\t16384\t4194304");
        SyntheticDirectory ipv6 = net.AddDirectory("ipv6");
        SyntheticDirectory all = ipv6.AddDirectory("conf").AddDirectory("all");
        Text(all, "disable_ipv6", "0");

        void Text(SyntheticDirectory directory, string name, string value) => directory.Add(name, new TextFile(proc, text => text.Append(value).Append('\n')));
    }

    private static string MakeUuid()
    {
        Span<byte> bytes = stackalloc byte[16];
        HostRandom.Fill(bytes);
        bytes[7] = (byte)((bytes[7] & 0x0f) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes).ToString("D", CultureInfo.InvariantCulture);
    }

    /// <summary>A name of the reader's UTS namespace.</summary>
    private sealed class UtsFile(ProcFileSystem proc, Func<Task, string> name) : SyntheticFile(proc, 0x1a4)
    {
        public override Abi.Errno Generate(Task? reader, out byte[] contents)
        {
            contents = reader is null ? [] : KernelString.ToBytes(name(reader) + "\n");
            return Abi.Errno.None;
        }
    }
}
