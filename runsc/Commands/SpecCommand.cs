// SPDX-License-Identifier: Apache-2.0
using System.IO;
using System.Text.Json;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Commands;

/// <summary><c>spec</c>.</summary>
internal static class SpecCommand
{
    /// <summary>Writes a config.json; one that is there is never overwritten.</summary>
    public static int Run(CommandContext context)
    {
        string path = Path.Combine(context.Text("bundle", "b"), "config.json");
        string[] args = context.Line.Arguments.Length > 0 ? context.Line.Arguments : ["sh"];
        OciSpec spec = SpecTemplate.Make(args, context.Flags.Text("cwd"), context.Flags.Text("netns"));
        try
        {
            using FileStream file = new(path, FileMode.CreateNew, FileAccess.Write);
            JsonSerializer.Serialize(file, spec, OciJsonContext.Default.OciSpec);
            file.WriteByte((byte)'\n');
        }
        catch (IOException) when (File.Exists(path))
        {
            throw new RunscException($"{path} exists already");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RunscException($"cannot write {path}");
        }

        return 0;
    }
}
