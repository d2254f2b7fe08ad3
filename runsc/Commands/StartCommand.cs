// SPDX-License-Identifier: Apache-2.0
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Commands;

/// <summary><c>start</c>.</summary>
internal static class StartCommand
{
    /// <summary>Starts the process of a made container.</summary>
    public static int Run(CommandContext context)
    {
        Container.Load(context.Store, context.Id).Start(context.Debug);
        return 0;
    }
}
