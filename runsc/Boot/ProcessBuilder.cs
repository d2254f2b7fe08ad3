// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Collections.Immutable;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Loader;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Runsc.Control;

namespace CVisor.Runsc.Boot;

/// <summary>Turns a process of the control protocol into one of the kernel's.</summary>
internal static class ProcessBuilder
{
    private const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    /// <summary>Who the process is.</summary>
    internal static UserCredentials CredentialsOf(ProcessSpec spec)
    {
        CapabilitySets sets = spec.Capabilities ?? new CapabilitySets();
        ulong known = CapabilitySet.All.Bits;
        return new UserCredentials
        {
            RealUid = spec.Uid,
            EffectiveUid = spec.Uid,
            SavedUid = spec.Uid,
            FileUid = spec.Uid,
            RealGid = spec.Gid,
            EffectiveGid = spec.Gid,
            SavedGid = spec.Gid,
            FileGid = spec.Gid,
            Groups = [.. spec.AdditionalGids],
            Permitted = new CapabilitySet(sets.Permitted & known),
            Effective = new CapabilitySet(sets.Effective & known),
            Inheritable = new CapabilitySet(sets.Inheritable & known),
            Bounding = new CapabilitySet(sets.Bounding & known),
            Ambient = new CapabilitySet(sets.Ambient & known),
            HasNoNewPrivileges = spec.NoNewPrivileges,
        };
    }

    /// <summary>The environment, with HOME from the container's /etc/passwd when it is missing.</summary>
    internal static List<string> EnvironmentOf(ProcessSpec spec, VfsPath root)
    {
        List<string> environment = [.. spec.Env];
        if (!environment.Exists(entry => entry.StartsWith("HOME=", StringComparison.Ordinal)))
        {
            environment.Add("HOME=" + HomeOf(spec.Uid, root));
        }

        return environment;
    }

    /// <summary>Finds and opens the program: by its path, or in PATH when it has no slash.</summary>
    /// <returns>None with the path and the open file; ENOENT; EACCES.</returns>
    internal static Errno FindProgram(ProcessSpec spec, UserCredentials credentials, FsContext fs, out string path, out FileDescription? file)
    {
        path = spec.Args[0];
        if (path.Contains('/', StringComparison.Ordinal))
        {
            return OpenProgram(credentials, fs, path, out file);
        }

        string search = DefaultPath;
        foreach (string entry in spec.Env)
        {
            if (entry.StartsWith("PATH=", StringComparison.Ordinal))
            {
                search = entry[5..];
            }
        }

        Errno worst = Errno.ENOENT;
        foreach (string directory in search.Split(':'))
        {
            string candidate = (directory.Length == 0 ? "." : directory) + "/" + path;
            Errno error = OpenProgram(credentials, fs, candidate, out file);
            if (error == Errno.None)
            {
                path = candidate;
                return Errno.None;
            }

            worst = error == Errno.EACCES ? error : worst;
        }

        file = null;
        return worst;
    }

    /// <summary>Opens a file for execution.</summary>
    internal static Errno OpenProgram(UserCredentials credentials, FsContext fs, string path, out FileDescription? file)
    {
        OperationContext context = new(credentials, null);
        Blocking<OpenResult> opening = VirtualFileSystem.Open(context, fs.Root, fs.WorkingDirectory, path, OpenFlags.ReadOnly | OpenFlags.ForExecution);
        if (!opening.IsCompleted)
        {
            file = null;
            return Errno.EACCES; // A FIFO: no program.
        }

        OpenResult opened = opening.Take();
        file = opened.Description;
        return opened.Error;
    }

    /// <summary>The working directory, made when it is missing (as runc does).</summary>
    internal static Errno EnterDirectory(ProcessSpec spec, VfsPath root, out VfsPath directory)
    {
        string path = spec.Cwd.Length == 0 ? "/" : spec.Cwd;
        Errno error = VirtualFileSystem.Resolve(OperationContext.Kernel, root, root, path, WalkFlags.None, out directory);
        if (error != Errno.ENOENT)
        {
            return error;
        }

        string made = "";
        foreach (string part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            made += "/" + part;
            error = VirtualFileSystem.MakeDirectory(OperationContext.Kernel, root, root, made, 0x1ed);
            if (error is not (Errno.None or Errno.EEXIST))
            {
                return error;
            }
        }

        return VirtualFileSystem.Resolve(OperationContext.Kernel, root, root, path, WalkFlags.None, out directory);
    }

    private static string HomeOf(uint uid, VfsPath root)
    {
        Blocking<OpenResult> opening = VirtualFileSystem.Open(OperationContext.Kernel, root, root, "/etc/passwd", OpenFlags.ReadOnly);
        if (!opening.IsCompleted || opening.Take() is not { Description: { } file })
        {
            return "/";
        }

        byte[] content = new byte[1 << 20];
        int length = 0;
        while (length < content.Length)
        {
            IoBuffer buffer = new(content.AsMemory(length));
            IoResult read = file.Read(null, ref buffer);
            if (read.IsError || read.Count == 0)
            {
                break;
            }

            length += (int)read.Count;
        }

        file.Unreference();
        string id = uid.ToString(System.Globalization.CultureInfo.InvariantCulture);
        foreach (string line in KernelString.FromBytes(content.AsSpan(0, length)).Split('\n'))
        {
            string[] fields = line.Split(':');
            if (fields.Length >= 6 && fields[2] == id)
            {
                return fields[5].Length == 0 ? "/" : fields[5];
            }
        }

        return "/";
    }
}
