// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Platforms;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>mmap, munmap, mprotect, pkey_mprotect, mremap, remap_file_pages, brk.</content>
public static partial class Handlers
{
    private const int ProtRead = 1, ProtWrite = 2, ProtExecute = 4, ProtGrowsDown = 0x01000000, ProtGrowsUp = 0x02000000;
    private const int MapShared = 1, MapPrivate = 2, MapSharedValidate = 3, MapTypeMask = 0xf, MapFixed = 0x10, MapAnonymous = 0x20, MapGrowsDown = 0x100, MapLocked = 0x2000;
    private const int MapPopulate = 0x8000, MapNonBlock = 0x10000, MapFixedNoReplace = 0x100000;
    private const int RemapMayMove = 1, RemapFixed = 2, RemapDontUnmap = 4;
    private const ulong PageMask = MemoryManager.PageSize - 1;

    /// <summary>mmap(2)</summary>
    public static partial Blocking<SyscallResult> Mmap(Task task, UserPtr addr, ulong length, int prot, int flags, int fd, ulong offset)
    {
        if ((offset & PageMask) != 0 || length == 0)
        {
            return (SyscallResult)Errno.EINVAL;
        }

        int type = flags & MapTypeMask;
        bool isAnonymous = (flags & MapAnonymous) != 0;
        if (type is not (MapShared or MapPrivate or MapSharedValidate))
        {
            return (SyscallResult)Errno.EINVAL;
        }

        MapRequest request = new()
        {
            Length = length,
            Offset = isAnonymous ? 0 : offset,
            Access = AccessOf(prot),
            MaximumAccess = MemoryAccess.Read | MemoryAccess.Write | MemoryAccess.Execute,
            IsShared = type != MapPrivate,
        };
        if (length > ulong.MaxValue - MemoryManager.PageSize || offset > ulong.MaxValue - length)
        {
            return (SyscallResult)(isAnonymous ? Errno.ENOMEM : Errno.EOVERFLOW);
        }

        Errno error = isAnonymous ? PrepareAnonymous(task, ref request) : PrepareFile(task, fd, ref request);
        if (error != Errno.None)
        {
            return (SyscallResult)error;
        }

        Placement placement = (flags & MapFixedNoReplace) != 0 ? Placement.FixedNoReplace : (flags & MapFixed) != 0 ? Placement.Fixed : Placement.Hint;
        error = task.Memory.Map(request, addr.Address, placement, (flags & MapGrowsDown) != 0, (flags & (MapPopulate | MapLocked)) != 0, out UserPtr mapped);
        request.Source?.Unreference();
        return error != Errno.None ? (SyscallResult)error : SyscallResult.Ok(unchecked((long)mapped.Address));
    }

    /// <summary>munmap(2)</summary>
    public static partial SyscallResult Munmap(Task task, UserPtr addr, ulong length) => task.Memory.Unmap(addr, length);

    /// <summary>mprotect(2)</summary>
    public static partial SyscallResult Mprotect(Task task, UserPtr addr, ulong length, int prot) =>
        (prot & ~(ProtRead | ProtWrite | ProtExecute | ProtGrowsDown | ProtGrowsUp | 8)) != 0 || (prot & ProtGrowsUp) != 0
            ? Errno.EINVAL
            : task.Memory.Protect(addr, length, AccessOf(prot), (prot & ProtGrowsDown) != 0);

    /// <summary>mremap(2)</summary>
    public static partial SyscallResult Mremap(Task task, UserPtr oldAddr, ulong oldSize, ulong newSize, int flags, UserPtr newAddr)
    {
        bool mayMove = (flags & RemapMayMove) != 0;
        bool isFixed = (flags & RemapFixed) != 0;
        bool keepsOld = (flags & RemapDontUnmap) != 0;
        if ((flags & ~(RemapMayMove | RemapFixed | RemapDontUnmap)) != 0 || ((isFixed || keepsOld) && !mayMove))
        {
            return Errno.EINVAL;
        }

        Errno error = task.Memory.Remap(oldAddr, oldSize, newSize, mayMove, isFixed ? newAddr : null, keepsOld, out UserPtr mapped);
        return error != Errno.None ? error : SyscallResult.Ok(unchecked((long)mapped.Address));
    }

    /// <summary>remap_file_pages(2): of flags only MAP_NONBLOCK counts.</summary>
    public static partial SyscallResult RemapFilePages(Task task, UserPtr addr, ulong size, int prot, ulong pgoff, int flags) =>
        prot != 0 ? Errno.EINVAL : task.Memory.RemapFilePages(addr, size, pgoff, populate: (flags & MapNonBlock) == 0);

    /// <summary>brk(2): the end of the heap afterwards, which tells of a failure by being the old one.</summary>
    public static partial SyscallResult Brk(Task task, UserPtr addr) => SyscallResult.Ok(unchecked((long)task.Memory.SetBreak(addr.Address)));

    private static MemoryAccess AccessOf(int prot) => (MemoryAccess)(prot & (ProtRead | ProtWrite | ProtExecute));

    private static Errno PrepareAnonymous(Task task, ref MapRequest request)
    {
        if (request.IsShared)
        {
            // Shared anonymous memory outlives a fork as one thing, so it has a source of its own (shmem_zero_setup()).
            request.Source = new SharedAnonymousMemory(task.Kernel.Memory, (request.Length + PageMask) & ~PageMask);
            request.Name = "/dev/zero (deleted)";
        }

        return Errno.None;
    }

    private static Errno PrepareFile(Task task, int fd, ref MapRequest request)
    {
        Errno error = Descriptors.Get(task, fd, out FileDescription file);
        if (error != Errno.None)
        {
            return error;
        }

        if (!file.IsReadable || (request.IsShared && (request.Access & MemoryAccess.Write) != 0 && !file.IsWritable))
        {
            error = Errno.EACCES;
        }
        else if (file.Path.Mount is { } mount && (mount.Flags & MountFlags.NoExecute) != 0 && (request.Access & MemoryAccess.Execute) != 0)
        {
            error = Errno.EPERM;
        }
        else
        {
            if (request.IsShared && !file.IsWritable)
            {
                request.MaximumAccess &= ~MemoryAccess.Write;
            }

            error = file.ConfigureMap(task, ref request);
            request.Place = request.Source is null ? default : file.Path;
            request.Name ??= request.Source is null || file.Path.IsValid ? null : file.AnonymousName;
        }

        file.Unreference();
        return error;
    }
}
