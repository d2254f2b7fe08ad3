// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Text;
using CVisor.Core.Vfs;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems.Proc;

/// <summary>/proc/PID/mounts and mountinfo.</summary>
internal static class MountFiles
{
    internal static void WriteMounts(StringBuilder text, Task task)
    {
        foreach (MountReport report in task.Fs.Mounts.Report(task.Fs.Root))
        {
            string own = report.Mount.FileSystem.Options;
            _ = text.Append(CultureInfo.InvariantCulture, $"{Escape(report.Mount.Source)} {Escape(report.MountPoint)} {report.Mount.FileSystem.TypeName} {Options(report.Mount)}{(own.Length > 0 ? "," + own : "")} 0 0\n");
        }
    }

    internal static void WriteMountInfo(StringBuilder text, Task task)
    {
        foreach (MountReport report in task.Fs.Mounts.Report(task.Fs.Root))
        {
            FileSystem files = report.Mount.FileSystem;
            string own = (report.Mount.IsReadOnly ? "ro" : "rw") + (files.Options.Length > 0 ? "," + files.Options : "");
            _ = text.Append(CultureInfo.InvariantCulture, $"{report.Mount.Id} {report.ParentId} {DeviceNumber.Major(files.Device)}:{DeviceNumber.Minor(files.Device)} {Escape(report.Root)} {Escape(report.MountPoint)} {Options(report.Mount)}{Propagation(report.Mount)} - {files.TypeName} {Escape(report.Mount.Source)} {own}\n");
        }
    }

    /// <summary>The optional fields (proc(5)); propagate_from is not told.</summary>
    private static string Propagation(Mount mount) =>
        (mount.Peers is { } peers ? string.Create(CultureInfo.InvariantCulture, $" shared:{peers.Id}") : "") +
        (mount.Master is { } master ? string.Create(CultureInfo.InvariantCulture, $" master:{master.Id}") : "") +
        (mount.IsUnbindable ? " unbindable" : "");

    private static string Options(Mount mount)
    {
        StringBuilder options = new(mount.IsReadOnly ? "ro" : "rw");
        Add(MountFlags.NoSetId, ",nosuid");
        Add(MountFlags.NoDevices, ",nodev");
        Add(MountFlags.NoExecute, ",noexec");
        Add(MountFlags.NoAccessTime, ",noatime");
        Add(MountFlags.RelativeAccessTime, ",relatime");
        return options.ToString();

        void Add(MountFlags flag, string name)
        {
            if ((mount.Flags & flag) != 0)
            {
                _ = options.Append(name);
            }
        }
    }

    private static string Escape(string text) =>
        text.Replace("\\", "\\134", StringComparison.Ordinal).Replace(" ", "\\040", StringComparison.Ordinal).Replace("\t", "\\011", StringComparison.Ordinal).Replace("\n", "\\012", StringComparison.Ordinal);
}
