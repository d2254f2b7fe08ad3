// SPDX-License-Identifier: Apache-2.0
using CVisor.Runsc.Oci;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Commands;

/// <summary><c>delete</c>.</summary>
internal static class DeleteCommand
{
    /// <summary>Deletes containers; one that fails does not keep the others.</summary>
    public static int Run(CommandContext context)
    {
        bool force = context.Boolean("force", "f");
        RunscException? first = null;
        foreach (string id in context.Line.Arguments)
        {
            try
            {
                StateStore.CheckId(id);
                if (force && !context.Store.Exists(id))
                {
                    continue;
                }

                Container.Load(context.Store, id).Delete(force, context.Debug);
            }
            catch (RunscException error)
            {
                first ??= error;
            }
        }

        return first is null ? 0 : throw first;
    }
}
