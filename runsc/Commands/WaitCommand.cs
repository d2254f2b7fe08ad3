// SPDX-License-Identifier: Apache-2.0
using System.Text.Json;
using System.Text.Json.Serialization;
using CVisor.Runsc.Oci;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Commands;

/// <summary><c>wait</c>.</summary>
internal static class WaitCommand
{
    /// <summary>Waits for a process and prints its status.</summary>
    public static int Run(CommandContext context)
    {
        long pid = Math.Max(context.Flags.Integer("pid"), context.Flags.Integer("rootpid"));
        if (pid > int.MaxValue)
        {
            throw new RunscException("--pid is out of range");
        }

        Container container = Container.Load(context.Store, context.Id);
        WaitResult result = new(context.Id, container.Wait((int)Math.Max(pid, 0)));
        CommandContext.Print(JsonSerializer.Serialize(result, WaitJsonContext.Default.WaitResult) + "\n");
        return 0;
    }
}

/// <summary>What <c>wait</c> prints.</summary>
/// <param name="Id">The container's id.</param>
/// <param name="ExitStatus">The exit code, or 128 + signal.</param>
internal sealed record WaitResult(string Id, int ExitStatus);

/// <summary>Compiled JSON writer of <see cref="WaitResult"/>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(WaitResult))]
internal sealed partial class WaitJsonContext : JsonSerializerContext;
