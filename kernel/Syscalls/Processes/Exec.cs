// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Loader;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;

namespace CVisor.Syscalls;

/// <content>execve, execveat.</content>
public static partial class Handlers
{
    private const int AtFdCwd = -100, AtSymlinkNoFollow = 0x100, AtEmptyPath = 0x1000;
    private const int PathMaximum = 4096;
    private const int ArgumentMaximum = 32 * 4096;
    private const ulong ArgumentsMinimumRoom = 128 << 10, ArgumentsMaximumRoom = 6 << 20;
    private const uint AddressNoRandomize = 0x0040000;

    /// <summary>execve(2)</summary>
    public static partial Blocking<SyscallResult> Execve(Task task, UserPtr path, UserPtr argv, UserPtr envp) =>
        Execute(task, AtFdCwd, path, argv, envp, 0);

    /// <summary>execveat(2)</summary>
    public static partial Blocking<SyscallResult> Execveat(Task task, int dirfd, UserPtr path, UserPtr argv, UserPtr envp, int flags) =>
        (flags & ~(AtSymlinkNoFollow | AtEmptyPath)) != 0 ? (SyscallResult)Errno.EINVAL : Execute(task, dirfd, path, argv, envp, flags);

    private static async Blocking<SyscallResult> Execute(Task task, int dirfd, UserPtr pathPointer, UserPtr argv, UserPtr envp, int flags)
    {
        Errno error = task.Memory.CopyInString(pathPointer, PathMaximum, Errno.ENAMETOOLONG, out string path);
        if (error != Errno.None)
        {
            return error;
        }

        if (task.MayNotExecute())
        {
            return Errno.EAGAIN;
        }

        ulong room = Math.Clamp(task.ThreadGroup.Limits[Resource.Stack].Soft / 4, ArgumentsMinimumRoom, ArgumentsMaximumRoom);
        List<string> arguments = [];
        List<string> environment = [];
        error = CopyInStrings(task.Memory, argv, arguments, ref room);
        if (error == Errno.None)
        {
            error = CopyInStrings(task.Memory, envp, environment, ref room);
        }

        if (error != Errno.None)
        {
            return error;
        }

        if (arguments.Count == 0)
        {
            arguments.Add(""); // As Linux since 5.18: no program meets an argc of 0.
        }

        (OpenResult opened, string name) = await OpenProgram(task, dirfd, path, flags);
        if (opened.Error != Errno.None)
        {
            return opened.Error;
        }

        // A tracer that could not trace the privileged program must not get hold of it this way (LSM_UNSAFE_PTRACE).
        bool mayGain = !task.HasNoNewPrivileges && task.MayGainWhileTraced;
        error = ProgramPrivileges.Apply(task.Credentials with { HasNoNewPrivileges = !mayGain }, opened.Description!, out bool isSecure, out UserCredentials credentials);
        credentials = credentials with { HasNoNewPrivileges = task.HasNoNewPrivileges };
        if (error != Errno.None)
        {
            opened.Description!.Unreference();
            return error;
        }

        bool gains = isSecure || !(credentials.Permitted & ~task.Credentials.Permitted).IsEmpty;
        return await task.Execute(
            new ProgramRequest
            {
                File = opened.Description!,
                Path = name,
                Arguments = arguments,
                Environment = environment,
                OpenProgram = interpreter => OpenForExecution(task, interpreter),
                Credentials = credentials,
                IsSecure = isSecure,
                StackLimitBytes = task.ThreadGroup.Limits[Resource.Stack].Soft,
                IsRandomized = (task.Attributes.Personality & AddressNoRandomize) == 0,
            },
            gains);
    }

    private static async Blocking<(OpenResult Opened, string Name)> OpenProgram(Task task, int dirfd, string path, int flags)
    {
        OpenFlags open = OpenFlags.ReadOnly | OpenFlags.ForExecution | ((flags & AtSymlinkNoFollow) != 0 ? OpenFlags.NoFollow : 0);
        if (path.StartsWith('/') || dirfd == AtFdCwd)
        {
            return (await VirtualFileSystem.Open(task.Operation, task.Fs.Root, task.Fs.WorkingDirectory, path, open), path);
        }

        if (path.Length == 0 && (flags & AtEmptyPath) == 0)
        {
            return (Errno.ENOENT, path);
        }

        if (task.Descriptors.Get(dirfd) is not { } start)
        {
            return (Errno.EBADF, path);
        }

        string name = path.Length == 0 ? $"/dev/fd/{dirfd}" : $"/dev/fd/{dirfd}/{path}";
        OpenResult opened = !start.Path.IsValid ? Errno.EACCES
            : path.Length == 0 ? await VirtualFileSystem.OpenPlace(task.Operation, start.Path, open)
            : await VirtualFileSystem.Open(task.Operation, task.Fs.Root, start.Path, path, open);
        start.Unreference();
        return (opened, name);
    }

    private static Blocking<OpenResult> OpenForExecution(Task task, string path) =>
        VirtualFileSystem.Open(task.Operation, task.Fs.Root, task.Fs.WorkingDirectory, path, OpenFlags.ReadOnly | OpenFlags.ForExecution);

    /// <summary>Reads a NULL-terminated vector of strings; NULL itself is an empty one.</summary>
    private static Errno CopyInStrings(MemoryManager memory, UserPtr vector, List<string> strings, ref ulong room)
    {
        const ulong PointerSize = 8;
        if (vector.IsNull)
        {
            return Errno.None;
        }

        for (UserPtr at = vector; ; at = at.Offset(PointerSize))
        {
            Errno error = memory.CopyIn(at, out ulong pointer);
            if (error != Errno.None || pointer == 0)
            {
                return error;
            }

            error = memory.CopyInString(new UserPtr(pointer), ArgumentMaximum, Errno.E2BIG, out string text);
            if (error != Errno.None)
            {
                return error;
            }

            ulong cost = (ulong)text.Length + 1 + PointerSize;
            if (cost > room)
            {
                return Errno.E2BIG;
            }

            room -= cost;
            strings.Add(text);
        }
    }
}
