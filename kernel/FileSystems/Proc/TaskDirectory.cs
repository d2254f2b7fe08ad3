// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Text;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Synthetic;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems.Proc;

/// <summary>/proc/PID, and /proc/PID/task/TID.</summary>
internal sealed class TaskDirectory : SyntheticDirectory, IProcessDirectory
{
    private readonly bool _isProcess;

    internal TaskDirectory(ProcFileSystem proc, Task task, bool isProcess)
        : base(proc)
    {
        Task = task;
        _isProcess = isProcess;
        Text("cmdline", TaskFiles.WriteCommandLine);
        Text("environ", TaskFiles.WriteEnvironment, 0x100);
        Text("auxv", TaskFiles.WriteAuxiliaryVector, 0x100);
        _ = Add("comm", new CommFile(proc, task));
        Text("stat", (text, t) => TaskFiles.WriteStat(text, t, proc));
        Text("statm", TaskFiles.WriteStatm);
        _ = Add("status", new StatusFile(proc, task));
        Text("maps", TaskFiles.WriteMaps);
        Text("smaps", TaskFiles.WriteDetailedMaps);
        Text("smaps_rollup", TaskFiles.WriteRollup);
        Text("limits", TaskFiles.WriteLimits);
        Text("mounts", MountFiles.WriteMounts);
        Text("mountinfo", MountFiles.WriteMountInfo);
        Text("cgroup", (text, _) => text.Append("0::/\n"));
        Text("io", (text, _) => text.Append("rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n"), 0x100);
        Text("oom_score", (text, _) => text.Append("0\n"));
        _ = Add("oom_score_adj", new OomAdjustment(proc, task));
        _ = Add("coredump_filter", new DumpFilterFile(proc, task));
        Text("personality", (text, t) => text.Append(t.Attributes.Personality.ToString("x8", System.Globalization.CultureInfo.InvariantCulture)).Append('\n'), 0x100);
        Text("timerslack_ns", (text, t) => text.Append(t.Attributes.TimerSlackNs).Append('\n'));
        Text("wchan", (text, _) => text.Append('0'));
        Text("loginuid", (text, _) => text.Append("4294967295"));
        Text("sessionid", (text, _) => text.Append("4294967295"));
        _ = Add("mem", new MemoryDevice(proc, task));
        _ = Add("cwd", new PlaceLink(proc, task, t => t.Fs.WorkingDirectory));
        _ = Add("root", new PlaceLink(proc, task, t => t.Fs.Root));
        _ = Add("exe", new PlaceLink(proc, task, t => t.Memory.Executable?.Path ?? default));
        _ = Add("fd", new DescriptorDirectory(proc, task, isInfo: false));
        _ = Add("fdinfo", new DescriptorDirectory(proc, task, isInfo: true));
        _ = Add("ns", new NamespaceDirectory(proc, task));
        _ = Add("net", new NetworkDirectory(proc, task));
        UserNamespaceFiles.Add(this, proc, task);
        if (!isProcess)
        {
            Text("children", (text, t) =>
            {
                foreach (int pid in t.Kernel.Tasks.ChildrenOf(t, proc.Pids))
                {
                    _ = text.Append(pid).Append(' ');
                }
            });
        }
        else
        {
            _ = Add("task", new ThreadsDirectory(proc, task));
        }
    }

    internal Task Task { get; }

    /// <inheritdoc/>
    public ThreadGroup? Process => _isProcess ? Task.ThreadGroup : null;

    /// <inheritdoc/>
    public override bool IsGone => Task.IsForgotten;

    /// <inheritdoc/>
    protected override (uint Uid, uint Gid) Owner => (Task.Credentials.EffectiveUid, Task.Credentials.EffectiveGid);

    private void Text(string name, Action<StringBuilder, Task> write, uint permissions = 0x124) =>
        Add(name, new TaskFile((ProcFileSystem)FileSystem, Task, write, permissions));
}

/// <summary>A file of a task whose text a function makes.</summary>
internal class TaskFile(ProcFileSystem proc, Task task, Action<StringBuilder, Task> write, uint permissions) : SyntheticFile(proc, permissions)
{
    /// <inheritdoc/>
    protected override (uint Uid, uint Gid) Owner => (task.Credentials.EffectiveUid, task.Credentials.EffectiveGid);

    /// <inheritdoc/>
    public override Errno Generate(Task? reader, out byte[] contents)
    {
        if (task.IsForgotten)
        {
            contents = [];
            return Errno.ESRCH;
        }

        StringBuilder text = new();
        write(text, task);
        contents = ToBytes(text);
        return Errno.None;
    }
}

/// <summary>/proc/PID/comm: the name, which the process itself may set.</summary>
internal sealed class CommFile(ProcFileSystem proc, Task task) : TaskFile(proc, task, (text, t) => text.Append(t.Name).Append('\n'), 0x1a4)
{
    private const int MaximumName = 15;
    private readonly Task _task = task;

    /// <inheritdoc/>
    public override Errno Accept(Task? writer, ReadOnlySpan<byte> data)
    {
        if (writer?.ThreadGroup != _task.ThreadGroup)
        {
            return Errno.EINVAL;
        }

        int end = data.IndexOfAny((byte)0, (byte)'\n');
        data = end < 0 ? data : data[..end];
        _task.Name = KernelString.FromBytes(data.Length > MaximumName ? data[..MaximumName] : data);
        return Errno.None;
    }
}

/// <summary>/proc/PID/status: ids as the reader's user namespace sees them.</summary>
internal sealed class StatusFile(ProcFileSystem proc, Task task) : TaskFile(proc, task, static (_, _) => { }, 0x124)
{
    private readonly Task _task = task;

    /// <inheritdoc/>
    public override Errno Generate(Task? reader, out byte[] contents)
    {
        Errno error = base.Generate(reader, out contents);
        if (error != Errno.None)
        {
            return error;
        }

        StringBuilder text = new();
        TaskFiles.WriteStatus(text, _task, (ProcFileSystem)FileSystem, reader?.Credentials.UserNamespace ?? UserNamespace.Initial);
        contents = ToBytes(text);
        return Errno.None;
    }
}

/// <summary>/proc/PID/coredump_filter (core(5)): kept and inherited; this kernel writes no core files.</summary>
internal sealed class DumpFilterFile(ProcFileSystem proc, Task task) : TaskFile(proc, task, static (text, t) => text.Append(System.Globalization.CultureInfo.InvariantCulture, $"{(t.HasExited ? 0 : t.Memory.DumpFilter):x8}\n"), 0x1a4)
{
    private const uint Known = 0x1ff;
    private readonly Task _task = task;

    /// <inheritdoc/>
    public override Errno Accept(Task? writer, ReadOnlySpan<byte> data)
    {
        if (_task.HasExited)
        {
            return Errno.ESRCH;
        }

        Errno error = Parse(KernelString.FromBytes(data), out uint value);
        if (error == Errno.None)
        {
            _task.Memory.DumpFilter = value & Known;
        }

        return error;
    }

    /// <summary>A number as C writes it: decimal, 0x… or 0…, with a newline at most behind it (kstrtouint()).</summary>
    private static Errno Parse(string text, out uint value)
    {
        value = 0;
        text = text.EndsWith('\n') ? text[..^1] : text;
        text = text.StartsWith('+') ? text[1..] : text;
        bool isHex = text.StartsWith("0x", System.StringComparison.OrdinalIgnoreCase);
        uint numberBase = isHex ? 16u : text.StartsWith('0') ? 8u : 10u;
        string digits = isHex ? text[2..] : text;
        ulong sum = 0;
        foreach (char c in digits)
        {
            uint digit = char.IsAsciiHexDigit(c) ? Convert.ToUInt32(c.ToString(), 16) : uint.MaxValue;
            if (digit >= numberBase)
            {
                return Errno.EINVAL;
            }

            sum = (sum * numberBase) + digit;
            if (sum > uint.MaxValue)
            {
                return Errno.ERANGE;
            }
        }

        value = (uint)sum;
        return digits.Length == 0 ? Errno.EINVAL : Errno.None;
    }
}

/// <summary>/proc/PID/oom_score_adj: kept, and without effect, since the sandbox as a whole is what the host may kill.</summary>
internal sealed class OomAdjustment(ProcFileSystem proc, Task task) : TaskFile(proc, task, (text, t) => text.Append(t.ThreadGroup.OomScoreAdjustment).Append('\n'), 0x1a4)
{
    private readonly Task _task = task;

    /// <inheritdoc/>
    public override Errno Accept(Task? writer, ReadOnlySpan<byte> data)
    {
        if (!int.TryParse(KernelString.FromBytes(data).Trim(), System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out int value) || value is < -1000 or > 1000)
        {
            return Errno.EINVAL;
        }

        _task.ThreadGroup.OomScoreAdjustment = value;
        return Errno.None;
    }
}

/// <summary>/proc/PID/task.</summary>
internal sealed class ThreadsDirectory(ProcFileSystem proc, Task task) : SyntheticDirectory(proc)
{
    /// <inheritdoc/>
    public override bool IsGone => task.IsForgotten;

    /// <inheritdoc/>
    protected override Inode? FindDynamic(in OperationContext context, string name) =>
        ProcFileSystem.TryParse(name, out int number) && proc.Kernel.Tasks.FindTask(proc.Pids, number) is { } thread && thread.ThreadGroup == task.ThreadGroup ? new TaskDirectory(proc, thread, isProcess: false) : null;

    /// <inheritdoc/>
    protected override bool IsDynamicValid(in OperationContext context, string name, Inode? child) =>
        child is TaskDirectory directory && ProcFileSystem.TryParse(name, out int number) && proc.Kernel.Tasks.FindTask(proc.Pids, number) == directory.Task;

    /// <inheritdoc/>
    protected override IEnumerable<(string Name, FileType Type)> ListDynamic(OperationContext context)
    {
        foreach (Task thread in proc.Kernel.Tasks.Threads(task.ThreadGroup))
        {
            yield return (proc.NumberOf(thread), FileType.Directory);
        }
    }
}
