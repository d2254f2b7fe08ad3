// SPDX-License-Identifier: Apache-2.0
using System.Globalization;

namespace CVisor.Runsc.Cli;

/// <summary>What a flag's value is.</summary>
public enum FlagKind
{
    /// <summary>True or false; given as <c>--flag</c> or <c>--flag=false</c>, never as two words.</summary>
    Boolean,

    /// <summary>Any text.</summary>
    Text,

    /// <summary>A whole number.</summary>
    Integer,

    /// <summary>Text that may be given several times.</summary>
    List,
}

/// <summary>A flag.</summary>
/// <param name="Name">Its name without dashes.</param>
/// <param name="Kind">What its value is.</param>
/// <param name="Default">The value when it is not given.</param>
/// <param name="Help">What it does, one line.</param>
public sealed record FlagDefinition(string Name, FlagKind Kind, string Default, string Help)
{
    /// <summary>The values it takes; empty for any.</summary>
    public string[] Values { get; init; } = [];

    /// <summary>A container's author may set it by the annotation <c>dev.gvisor.flag.NAME</c>.</summary>
    public bool Overridable { get; init; }

    /// <summary>Known in gVisor but without a counterpart here: only the default is accepted.</summary>
    public bool DefaultOnly { get; init; }

    /// <summary>Not listed by help.</summary>
    public bool Hidden { get; init; }

    /// <summary>A Boolean flag that is off by default.</summary>
    public static FlagDefinition Switch(string name, string help, bool value = false) => new(name, FlagKind.Boolean, value ? "true" : "false", help);

    /// <summary>A text flag.</summary>
    public static FlagDefinition Text(string name, string help, string value = "", params string[] values) => new(name, FlagKind.Text, value, help) { Values = values };

    /// <summary>A whole-number flag.</summary>
    public static FlagDefinition Integer(string name, string help, long value) => new(name, FlagKind.Integer, value.ToString(CultureInfo.InvariantCulture), help);

    /// <summary>A repeatable flag.</summary>
    public static FlagDefinition List(string name, string help) => new(name, FlagKind.List, "", help);

    /// <summary>A flag of gVisor's that only keeps its default here.</summary>
    public static FlagDefinition Fixed(string name, FlagKind kind, string value) => new(name, kind, value, "not supported; only the default is accepted") { DefaultOnly = true, Hidden = true };

    /// <summary>Brings a value into the form it is kept in, or says what is wrong with it.</summary>
    /// <param name="value">The value as written.</param>
    /// <param name="normal">The value as kept.</param>
    /// <returns>The complaint; null when there is none.</returns>
    public string? Check(string value, out string normal)
    {
        normal = value;
        switch (Kind)
        {
            case FlagKind.Boolean:
                // The spellings of Go's strconv.ParseBool, which callers of gVisor rely on.
                switch (value)
                {
                    case "1" or "t" or "T" or "true" or "TRUE" or "True":
                        normal = "true";
                        break;
                    case "0" or "f" or "F" or "false" or "FALSE" or "False":
                        normal = "false";
                        break;
                    default:
                        return $"invalid value \"{value}\" for flag --{Name}: must be true or false";
                }

                break;
            case FlagKind.Integer:
                if (!long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number))
                {
                    return $"invalid value \"{value}\" for flag --{Name}: must be a whole number";
                }

                normal = number.ToString(CultureInfo.InvariantCulture);
                break;
        }

        if (Values.Length > 0 && Array.IndexOf(Values, normal) < 0)
        {
            return $"invalid value \"{value}\" for flag --{Name}: must be one of {string.Join(", ", Values)}";
        }

        return DefaultOnly && normal != Default ? $"flag --{Name}={value} is not supported by this runtime; only --{Name}={Default} is" : null;
    }
}
