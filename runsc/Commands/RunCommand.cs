// SPDX-License-Identifier: Apache-2.0
using CVisor.Runsc.Oci;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Commands;

/// <summary><c>run</c>.</summary>
internal static class RunCommand
{
    /// <summary>Makes and starts a container, and waits for its end unless detached.</summary>
    public static int Run(CommandContext context)
    {
        bool isDetached = context.Boolean("detach", "d");
        CreateOptions options = CreateCommand.Options(context) with { Start = true, Attached = !isDetached };
        return Run(context, options, isDetached, context.Flags.Boolean("keep"));
    }

    /// <summary>Makes, starts and waits.</summary>
    public static int Run(CommandContext context, CreateOptions options, bool isDetached, bool keep)
    {
        // The keys are for the container's own terminal to interpret; a console socket's user sees to its own.
        bool isOurs = !isDetached && options.ConsoleSocket.Length == 0 && options.Spec.Process!.Terminal && RawTerminal.IsUsable();
        options = options with { HasTerminal = isOurs || options.ConsoleSocket.Length > 0 };
        using RawTerminal? raw = isOurs ? RawTerminal.Enter(0) : null;
        Container container = ContainerFactory.Create(context.Store, options, out LaunchedSandbox launched);
        using (launched)
        {
            if (isDetached)
            {
                return 0;
            }

            int status;
            string? problem;
            using (SignalForwarder forwarder = SignalForwarder.ToContainer(container))
            {
                status = launched.WaitForEnd(out problem);
            }

            if (!keep)
            {
                container.Delete(force: true, context.Debug);
            }

            return problem is null ? status : throw new RunscException($"container {options.Id}: {problem}");
        }
    }
}
