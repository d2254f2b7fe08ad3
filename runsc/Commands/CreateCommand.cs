// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using CVisor.Runsc.Control;
using CVisor.Runsc.Oci;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Commands;

/// <summary><c>create</c>, and what <c>run</c> shares with it.</summary>
internal static class CreateCommand
{
    /// <summary>Makes a container.</summary>
    public static int Run(CommandContext context)
    {
        _ = ContainerFactory.Create(context.Store, Options(context), out LaunchedSandbox launched);
        launched.Dispose();
        return 0;
    }

    /// <summary>Reads the bundle and the flags that create and run share.</summary>
    public static CreateOptions Options(CommandContext context)
    {
        string bundle = context.Text("bundle", "b") is { Length: > 0 } given ? Path.GetFullPath(given) : Directory.GetCurrentDirectory();
        OciSpec spec = SpecFile.ReadBundle(bundle);
        return new CreateOptions
        {
            Id = context.Id,
            Bundle = bundle,
            Spec = spec,
            Config = ConfigBinder.BindWithAnnotations(context.Line.Globals, context.Config, spec.Annotations),
            ConsoleSocket = context.Flags.Text("console-socket"),
            PidFile = context.Flags.Text("pid-file"),
            UserLog = context.Flags.Text("user-log"),
            Passed = Passed(context),
            Warn = context.Debug,
        };
    }

    /// <summary>The descriptors of --pass-fd and --preserve-fds.</summary>
    public static PassedFd[] Passed(CommandContext context)
    {
        List<PassedFd> passed = [];
        long preserved = context.Flags.Integer("preserve-fds");
        if (preserved is < 0 or > 1000)
        {
            throw new RunscException("--preserve-fds must be between 0 and 1000");
        }

        for (int fd = 3; fd < 3 + preserved; fd++)
        {
            passed.Add(new PassedFd(fd, fd));
        }

        foreach (string pair in context.Flags.List("pass-fd"))
        {
            string[] parts = pair.Split(':');
            if (parts.Length != 2
                || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int host)
                || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int guest))
            {
                throw new RunscException($"invalid value \"{pair}\" for flag --pass-fd: must be M:N");
            }

            passed.Add(new PassedFd(host, guest));
        }

        return [.. passed];
    }
}
