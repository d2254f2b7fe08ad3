// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Generators.Shared;

/// <summary>Names of the incremental steps, by which tests ask why a step ran.</summary>
public static class StepNames
{
    /// <summary>The text of syscalls.yaml.</summary>
    public const string Text = "SpecText";

    /// <summary>The outputs the project asks for.</summary>
    public const string Outputs = "Outputs";

    /// <summary>The parsed guest call sections.</summary>
    public const string Spec = "Spec";

    /// <summary>The parsed filter section.</summary>
    public const string Filters = "Filters";

    /// <summary>The model of one output.</summary>
    public static string Model(string output) => output + "Model";
}
