// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Cli;

/// <summary>The subcommands.</summary>
public static class CommandGrammar
{
    /// <summary>Every subcommand, as help lists them.</summary>
    public static CommandDefinition[] Commands { get; } =
    [
        LifecycleGrammar.Create,
        LifecycleGrammar.Start,
        LifecycleGrammar.Run,
        LifecycleGrammar.State,
        LifecycleGrammar.Kill,
        LifecycleGrammar.Delete,
        LifecycleGrammar.Wait,
        ProcessGrammar.Exec,
        ProcessGrammar.Ps,
        ProcessGrammar.List,
        HelperGrammar.Do,
        HelperGrammar.Spec,
        HelperGrammar.Features,
        HelperGrammar.Help,
    ];

    /// <summary>Finds a subcommand; null when there is none of that name.</summary>
    public static CommandDefinition? Find(string name) => Array.Find(Commands, command => command.Name == name);
}
