// SPDX-License-Identifier: Apache-2.0
using System.Text.Json;
using CVisor.Runsc.Oci;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Commands;

/// <summary><c>state</c>.</summary>
internal static class StateCommand
{
    /// <summary>Prints the state document.</summary>
    public static int Run(CommandContext context)
    {
        OciState state = Container.Load(context.Store, context.Id).Describe();
        CommandContext.Print(JsonSerializer.Serialize(state, OciJsonContext.Default.OciState) + "\n");
        return 0;
    }
}
