// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Platforms;

namespace CVisor.Core.Loader;

/// <summary>What execve(2) is asked to run.</summary>
public sealed class ProgramRequest
{
    /// <summary>The program, opened for execution; the loader takes over the reference.</summary>
    public required FileDescription File { get; init; }

    /// <summary>The path it was called by (AT_EXECFN, and argv[0]'s replacement in scripts).</summary>
    public required string Path { get; init; }

    /// <summary>argv.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>envp.</summary>
    public required IReadOnlyList<string> Environment { get; init; }

    /// <summary>Opens another file by path for execution: interpreters.</summary>
    public required Func<string, Blocking<OpenResult>> OpenProgram { get; init; }

    /// <summary>The credentials that the program will have; set-ID bits are the caller's business.</summary>
    public required UserCredentials Credentials { get; init; }

    /// <summary>AT_SECURE: whether the program gained privileges.</summary>
    public bool IsSecure { get; init; }

    /// <summary>RLIMIT_STACK in bytes.</summary>
    public ulong StackLimitBytes { get; init; } = 8UL << 20;

    /// <summary>Whether addresses are randomized (personality ADDR_NO_RANDOMIZE unset).</summary>
    public bool IsRandomized { get; init; } = true;
}

/// <summary>A program in an address space of its own, ready to run.</summary>
/// <param name="Memory">The address space, with one user.</param>
/// <param name="Entry">Where it starts.</param>
/// <param name="StackPointer">The initial stack pointer.</param>
/// <param name="Name">comm: the last component of the path, at most 15 bytes.</param>
public sealed record LoadedProgram(MemoryManager Memory, ulong Entry, ulong StackPointer, string Name);

/// <summary>What <see cref="ProgramLoader.Load"/> came to.</summary>
/// <param name="Program">The program, or null.</param>
/// <param name="Error">Why there is none.</param>
public readonly record struct LoadResult(LoadedProgram? Program, Errno Error);

/// <summary>Loads programs: ELF (static, dynamic, position independent) and <c>#!</c> scripts (execve(2), binfmt_elf, binfmt_script).</summary>
public static class ProgramLoader
{
    private const int HeadBytes = 256;
    private const int MaximumInterpreters = 5;

    /// <summary>Loads a program into a fresh address space.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="space">The hardware's side of the new address space; owned by the result, released on failure.</param>
    /// <param name="request">What to load.</param>
    public static async Blocking<LoadResult> Load(Kernel kernel, AddressSpace space, ProgramRequest request)
    {
        FileDescription file = request.File;
        List<string> arguments = [.. request.Arguments];
        byte[] head = new byte[HeadBytes];
        Errno error;
        int length;
        for (int depth = 0; ; depth++)
        {
            if (file.Inode?.TryDenyWriting() == false)
            {
                file.Unreference();
                space.Release();
                return new LoadResult(null, Errno.ETXTBSY);
            }

            error = LoaderIo.Read(file, head, 0, out length);
            if (error != Errno.None || length < 2 || head[0] != '#' || head[1] != '!')
            {
                break;
            }

            if (depth == MaximumInterpreters)
            {
                error = Errno.ELOOP;
                break;
            }

            if (!TryParseScript(head.AsSpan(0, length), out string interpreter, out string? argument))
            {
                error = Errno.ENOEXEC;
                break;
            }

            // interpreter [argument] script arguments...
            if (arguments.Count > 0)
            {
                arguments.RemoveAt(0);
            }

            arguments.Insert(0, depth == 0 ? request.Path : ScriptPath(file, request.Path));
            if (argument is not null)
            {
                arguments.Insert(0, argument);
            }

            arguments.Insert(0, interpreter);
            OpenResult opened = await request.OpenProgram(interpreter);
            if (opened.Error != Errno.None)
            {
                error = opened.Error;
                break;
            }

            file.Inode?.AllowWriting();
            file.Unreference();
            file = opened.Description!;
        }

        ElfFile? elf = null;
        if (error == Errno.None)
        {
            error = ElfFile.TryRead(file, head.AsSpan(0, length), out elf);
        }

        FileDescription? interpreterFile = null;
        ElfFile? interpreterElf = null;
        if (error == Errno.None && elf!.Interpreter is not null)
        {
            OpenResult opened = await request.OpenProgram(elf.Interpreter);
            error = opened.Error;
            interpreterFile = opened.Description;
            if (error == Errno.None)
            {
                byte[] interpreterHead = new byte[HeadBytes];
                error = LoaderIo.Read(interpreterFile!, interpreterHead, 0, out int interpreterLength);
                if (error == Errno.None)
                {
                    error = ElfFile.TryRead(interpreterFile!, interpreterHead.AsSpan(0, interpreterLength), out interpreterElf);
                    error = error == Errno.ENOEXEC ? Errno.ELIBBAD : error;
                }
            }
        }

        if (error != Errno.None)
        {
            file.Inode?.AllowWriting();
            file.Unreference();
            interpreterFile?.Unreference();
            space.Release();
            return new LoadResult(null, error);
        }

        LoadResult result = AddressSpaceBuilder.Build(kernel, space, request, arguments, file, elf!, interpreterFile, interpreterElf);
        interpreterFile?.Unreference();
        return result;
    }

    private static string ScriptPath(FileDescription file, string fallback) => file.Path.Dentry?.Name is { Length: > 0 } name ? name : fallback;

    /// <summary>Parses <c>#! interpreter [one argument]</c>.</summary>
    internal static bool TryParseScript(ReadOnlySpan<byte> head, out string interpreter, out string? argument)
    {
        interpreter = "";
        argument = null;
        ReadOnlySpan<byte> line = head[2..];
        int end = line.IndexOf((byte)'\n');
        if (end < 0 && head.Length == HeadBytes && line.Trim(" \t"u8).IndexOfAny((byte)' ', (byte)'\t') < 0)
        {
            return false; // The interpreter's name itself is cut off.
        }

        line = (end < 0 ? line : line[..end]).Trim(" \t"u8);
        int nul = line.IndexOf((byte)0);
        line = nul < 0 ? line : line[..nul];
        int space = line.IndexOfAny((byte)' ', (byte)'\t');
        interpreter = KernelString.FromBytes(space < 0 ? line : line[..space]);
        if (space >= 0)
        {
            argument = KernelString.FromBytes(line[space..].Trim(" \t"u8));
        }

        return interpreter.Length > 0;
    }
}
