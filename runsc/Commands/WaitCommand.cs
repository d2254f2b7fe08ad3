// SPDX-License-Identifier: Apache-2.0
using System.Text.Json;
using System.Text.Json.Serialization;
using CVisor.Runsc.Control;
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
        ControlReply reply = container.Call(new ControlRequest { Method = ControlMethod.Wait, Wait = new WaitRequest { Pid = (int)Math.Max(pid, 0) } });
        WaitResult result = new(context.Id, ExitStatus.FromWait(reply.WaitStatus));
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
