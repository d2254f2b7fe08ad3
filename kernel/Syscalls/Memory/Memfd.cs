// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Tmpfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>memfd_create.</content>
public static partial class Handlers
{
    /// <summary>memfd_create(2)</summary>
    public static partial SyscallResult MemfdCreate(Task task, UserPtr name, uint flags)
    {
        const uint CloseOnExec = 1, AllowSealing = 2, HugePages = 4, NoExecuteSeal = 8, Execute = 16, HugeSizeMask = 0x3fu << 26;
        const int LongestName = 249; // "memfd:" and it are a file's name.
        const uint Kinds = NoExecuteSeal | Execute;
        if ((flags & ~(CloseOnExec | AllowSealing | HugePages | Kinds | ((flags & HugePages) != 0 ? HugeSizeMask : 0))) != 0 || (flags & Kinds) == Kinds)
        {
            return Errno.EINVAL;
        }

        Errno error = task.Memory.CopyInString(name, LongestName + 1, Errno.EINVAL, out string text);
        if (error != Errno.None)
        {
            return error;
        }

        if ((flags & HugePages) != 0)
        {
            return Errno.ENOSYS; // Without huge pages, as CONFIG_HUGETLBFS=n.
        }

        bool isSealedAgainstExecution = (flags & NoExecuteSeal) != 0;
        FileSeals seals = isSealedAgainstExecution ? FileSeals.Execute : (flags & AllowSealing) != 0 ? FileSeals.None : FileSeals.Seal;
        uint mode = isSealedAgainstExecution ? 0x1b6u : 0x1ffu; // 0666, 0777
        OpenResult opened = TmpfsRegular.OpenUnnamed(TmpfsFileSystem.ForUnnamed(task.Kernel.Memory), task.Operation, "memfd:" + text, mode, seals);
        return opened.Description is { } file ? Descriptors.Install(task, file, (flags & CloseOnExec) != 0) : opened.Error;
    }
}
