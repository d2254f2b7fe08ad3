// SPDX-License-Identifier: Apache-2.0
using System.Text;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.Syscalls.Trace;

/// <summary>A task as the trace sees it; for the task's own worker while the task is in the kernel.</summary>
internal sealed class TaskTraceTarget : ITraceTarget
{
    /// <summary>Deeper paths are cut; a guest can nest directories without end.</summary>
    private const int MaxDepth = 128;

    private readonly Task _task;

    public TaskTraceTarget(Task task) => _task = task;

    /// <inheritdoc/>
    public int ThreadId => _task.Tid;

    /// <inheritdoc/>
    public string Name => _task.Name;

    /// <inheritdoc/>
    public int Read(UserPtr source, Span<byte> destination) => _task.Memory.CopyInPartial(source, destination);

    /// <inheritdoc/>
    public string? DescribeFile(int descriptor)
    {
        FileDescription? file = _task.Descriptors.Get(descriptor);
        if (file is null)
        {
            return null;
        }

        string text = file.AnonymousName ?? Describe(file.Path);
        file.Unreference();
        return text;
    }

    /// <inheritdoc/>
    public string DescribeWorkingDirectory() => Describe(_task.Fs.WorkingDirectory);

    // Names are read without the rename lock: a path that is being renamed may be shown half old, which a log can bear.
    private static string Describe(VfsPath path)
    {
        StringBuilder text = new();
        Mount? mount = path.Mount;
        Dentry? dentry = path.Dentry;
        for (int depth = 0; dentry is not null && depth < MaxDepth; depth++)
        {
            if (dentry == mount?.Root)
            {
                VfsPath point = mount.MountPoint;
                (mount, dentry) = (point.Mount, point.Dentry);
                continue;
            }

            if (dentry.Parent is null)
            {
                break;
            }

            text.Insert(0, dentry.Name).Insert(0, '/');
            dentry = dentry.Parent;
        }

        return text.Length == 0 ? "/" : text.ToString();
    }
}
