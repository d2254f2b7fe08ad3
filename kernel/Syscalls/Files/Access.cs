// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Abi.Linux;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Syscalls.Support;

namespace CVisor.Syscalls;

/// <content>access, faccessat, faccessat2.</content>
public static partial class Handlers
{
    /// <summary>access(2)</summary>
    public static partial Blocking<SyscallResult> Access(Task task, UserPtr path, int mode) => (SyscallResult)AccessAt(task, AtFlags.FdCwd, path, mode, 0);

    /// <summary>faccessat(2)</summary>
    public static partial Blocking<SyscallResult> Faccessat(Task task, int dirfd, UserPtr path, int mode) => (SyscallResult)AccessAt(task, dirfd, path, mode, 0);

    /// <summary>faccessat2(2)</summary>
    public static partial Blocking<SyscallResult> Faccessat2(Task task, int dirfd, UserPtr path, int mode, int flags) => (SyscallResult)AccessAt(task, dirfd, path, mode, flags);

    private static Errno AccessAt(Task task, int dirfd, UserPtr path, int mode, int flags)
    {
        if ((mode & ~7) != 0 || (flags & ~(AtFlags.EffectiveAccess | AtFlags.SymlinkNoFollow | AtFlags.EmptyPath)) != 0)
        {
            return Errno.EINVAL;
        }

        UserCredentials credentials = (flags & AtFlags.EffectiveAccess) != 0 ? task.Credentials : RealCredentials(task.Credentials);
        Errno error = Paths.Start(task, dirfd, path, out string text, out WalkStart start);
        if (error != Errno.None)
        {
            return error;
        }

        OperationContext context = new(credentials, task);
        error = VirtualFileSystem.Resolve(context, start.Root, start.Directory, text, Paths.FlagsOf(flags), out VfsPath place);
        start.Release();
        if (error == Errno.None)
        {
            error = VirtualFileSystem.CheckAccess(credentials, place, (AccessMode)unchecked((uint)mode));
            place.Unreference();
        }

        return error;
    }

    /// <summary>access(2) asks for the real user, with the capabilities that this one would have (access_override_creds()).</summary>
    private static UserCredentials RealCredentials(UserCredentials credentials)
    {
        const uint NoRoot = 1; // SECBIT_NOROOT
        if (credentials.RealUid == credentials.FileUid && credentials.RealGid == credentials.FileGid && (credentials.SecureBits & NoRoot) != 0)
        {
            return credentials;
        }

        CapabilitySet effective = (credentials.SecureBits & NoRoot) != 0 ? credentials.Effective
            : credentials.RealUid == 0 ? credentials.Permitted : default;
        return credentials with { FileUid = credentials.RealUid, FileGid = credentials.RealGid, Effective = effective };
    }
}
