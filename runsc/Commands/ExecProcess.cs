// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Commands;

/// <summary>The process that <c>exec</c> starts: of a file, or the container's own with changes by flags.</summary>
internal static class ExecProcess
{
    /// <summary>Makes the process.</summary>
    /// <param name="context">The command line.</param>
    /// <param name="container">The container's process.</param>
    public static OciProcess Make(CommandContext context, OciProcess container)
    {
        string file = context.Text("process", "p");
        string[] args = context.Line.Arguments[1..];
        if (file.Length > 0)
        {
            return SpecFile.ReadProcess(file);
        }

        if (args.Length == 0)
        {
            throw new RunscException("exec: give a command, or a process with --process");
        }

        string cwd = context.Flags.Text("cwd");
        if (cwd.Length > 0 && cwd[0] != '/')
        {
            throw new RunscException("exec: --cwd must be an absolute path");
        }

        string user = context.Text("user", "u");
        string[] gids = context.Flags.List("additional-gids");
        return container with
        {
            Args = args,
            Terminal = false,
            Cwd = cwd.Length > 0 ? cwd : container.Cwd,
            Env = [.. container.Env ?? [], .. context.Flags.List("env"), .. context.Flags.List("e")],
            User = user.Length > 0 || gids.Length > 0 ? ParseUser(user, gids, container.User) : container.User,
            Capabilities = AddCapabilities(container.Capabilities, context.Flags.List("cap")),
        };
    }

    private static OciUser ParseUser(string text, string[] gids, OciUser? container)
    {
        uint uid = container?.Uid ?? 0;
        uint gid = container?.Gid ?? 0;
        if (text.Length > 0)
        {
            string[] parts = text.Split(':');
            if (parts.Length > 2 || !TryParse(parts[0], out uid) || (parts.Length == 2 && !TryParse(parts[1], out gid)))
            {
                throw new RunscException($"exec: invalid value \"{text}\" for flag --user: must be uid[:gid]");
            }
        }

        return new OciUser
        {
            Uid = uid,
            Gid = gid,
            Umask = container?.Umask,
            AdditionalGids = gids.Length > 0
                ? Array.ConvertAll(gids, static one => TryParse(one, out uint number) ? number : throw new RunscException($"exec: invalid value \"{one}\" for flag --additional-gids: must be a group id"))
                : container?.AdditionalGids,
        };
    }

    private static OciCapabilities? AddCapabilities(OciCapabilities? sets, string[] added)
    {
        if (added.Length == 0)
        {
            return sets;
        }

        string[] names = Array.ConvertAll(added, static name => Capabilities.Number(name) is >= 0 and int number
            ? Capabilities.Names[number]
            : throw new RunscException($"exec: unknown capability \"{name}\""));
        return new OciCapabilities
        {
            Bounding = [.. sets?.Bounding ?? [], .. names],
            Effective = [.. sets?.Effective ?? [], .. names],
            Permitted = [.. sets?.Permitted ?? [], .. names],
            Inheritable = sets?.Inheritable,
            Ambient = sets?.Ambient,
        };
    }

    private static bool TryParse(string text, out uint number) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
