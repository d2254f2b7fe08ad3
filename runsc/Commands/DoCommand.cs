// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using CVisor.Host;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Commands;

/// <summary><c>do</c>: a command of the host's root in a sandbox.</summary>
internal static class DoCommand
{
    /// <summary>Runs the command and waits for its end.</summary>
    public static int Run(CommandContext context)
    {
        string root = Path.GetFullPath(context.Flags.Text("root"));
        RuntimeConfig config = context.Config;
        if (context.Flags.Boolean("force-overlay"))
        {
            config = config with { Overlay = new Overlay2(OverlayScope.Root, OverlayMedium.Memory), RootShared = false };
        }

        OciIdMapping[] uids = ParseMaps(context.Flags.List("uid-map"), "uid-map");
        OciIdMapping[] gids = ParseMaps(context.Flags.List("gid-map"), "gid-map");
        if (uids.Length == 0 != (gids.Length == 0))
        {
            throw new RunscException("do: --uid-map and --gid-map are given together or not at all");
        }

        string[] all = [.. Capabilities.Names];
        OciSpec spec = SpecTemplate.Make(context.Line.Arguments, Cwd(context.Flags.Text("cwd")), "");
        spec = spec with
        {
            Root = new OciRoot { Path = root },
            Mounts = [.. Volumes(context)],
            Process = spec.Process! with
            {
                Terminal = RawTerminal.IsUsable(),
                Rlimits = null,
                Capabilities = new OciCapabilities { Bounding = all, Effective = all, Inheritable = all, Permitted = all },
            },
            Linux = uids.Length == 0 ? null : new OciLinux { UidMappings = uids, GidMappings = gids, Namespaces = [new OciNamespace { Type = "user" }] },
        };
        SpecValidator.Validate(spec, "do");
        ProcessSpec process = ProcessPlanner.Plan(spec.Process!, config) with
        {
            Args = context.RawArguments[context.Line.ArgumentsStart..],
            Env = RawStrings.Environment(),
        };
        CreateOptions options = new()
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"runsc-do-{Environment.ProcessId}-{Environment.TickCount64 & 0xFFFFFF:x6}"),
            Bundle = root,
            Spec = spec,
            Process = process,
            Config = config,
            Attached = true,
            Start = true,
            Warn = context.Debug,
        };
        return RunCommand.Run(context, options, isDetached: false, keep: false);
    }

    private static string Cwd(string given) => Path.GetFullPath(given);

    private static IEnumerable<OciMount> Volumes(CommandContext context)
    {
        foreach (string volume in (IEnumerable<string>)[.. context.Flags.List("volume"), .. context.Flags.List("v")])
        {
            string[] parts = volume.Split(':');
            if (parts.Length > 2 || parts[0].Length == 0)
            {
                throw new RunscException($"do: invalid value \"{volume}\" for flag --volume: must be SRC[:DST]");
            }

            string source = Path.GetFullPath(parts[0]);
            yield return new OciMount { Type = "bind", Source = source, Destination = parts.Length == 2 ? parts[1] : source, Options = ["rbind", "rw"] };
        }
    }

    private static OciIdMapping[] ParseMaps(string[] texts, string flag) => Array.ConvertAll(texts, text =>
    {
        string[] parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return parts.Length == 3 && TryParse(parts[0], out uint inside) && TryParse(parts[1], out uint outside) && TryParse(parts[2], out uint count)
            ? new OciIdMapping { ContainerID = inside, HostID = outside, Size = count }
            : throw new RunscException($"do: invalid value \"{text}\" for flag --{flag}: must be three numbers: container id, host id, count");
    });

    private static bool TryParse(string text, out uint number) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}
