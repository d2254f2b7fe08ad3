// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Core.Vfs;

namespace CVisor.FileSystems.Inotify;

/// <summary>What inotify_add_watch(2) may ask for besides events.</summary>
[Flags]
public enum InotifyOptions : uint
{
    None = 0,
    OnlyDirectory = 0x0100_0000,
    DoNotFollow = 0x0200_0000,
    ExcludeUnlinked = 0x0400_0000,
    MaskCreate = 0x1000_0000,
    MaskAdd = 0x2000_0000,
    OneShot = 0x8000_0000,
}

/// <summary>One watch of an inotify instance: an inode and what is to be told of it.</summary>
internal sealed class InotifyWatch(InotifyDescription instance, int number, Inode inode, uint mask) : IInodeWatch
{
    private uint _mask = mask;

    /// <summary>The watch descriptor.</summary>
    internal int Number { get; } = number;

    /// <summary>The file.</summary>
    internal Inode Inode { get; } = inode;

    /// <summary>Events and <see cref="InotifyOptions"/>.</summary>
    internal uint Mask
    {
        get => Volatile.Read(ref _mask);
        set => Volatile.Write(ref _mask, value);
    }

    /// <inheritdoc/>
    public void OnEvent(FileEventMask events, uint cookie, string? name, bool isUnlinked)
    {
        uint mask = Mask;
        InotifyOptions options = (InotifyOptions)mask;
        bool ends = (events & (FileEventMask.DeleteSelf | FileEventMask.Unmount)) != 0;
        bool isExcluded = isUnlinked && name is not null && (options & InotifyOptions.ExcludeUnlinked) != 0;
        FileEventMask told = events & ((FileEventMask)mask | FileEventMask.Unmount) & (InotifyDescription.AllEvents | FileEventMask.Unmount);
        if (told != FileEventMask.None && !isExcluded)
        {
            instance.Enqueue(Number, told | (events & FileEventMask.IsDirectory), cookie, name);
            ends |= (options & InotifyOptions.OneShot) != 0;
        }

        if (ends)
        {
            _ = instance.Remove(this);
        }
    }
}
