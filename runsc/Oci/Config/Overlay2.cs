// SPDX-License-Identifier: Apache-2.0
using System.Globalization;

namespace CVisor.Runsc.Oci;

/// <summary>Which mounts get a writable upper layer of the sandbox's own.</summary>
public enum OverlayScope
{
    /// <summary>None: writes go to the host's files.</summary>
    None,

    /// <summary>The root only.</summary>
    Root,

    /// <summary>The root and every bind mount.</summary>
    All,
}

/// <summary>What holds the upper layer's data.</summary>
public enum OverlayMedium
{
    /// <summary>Sandbox memory.</summary>
    Memory,

    /// <summary>A hidden file in the mount's own source directory.</summary>
    Self,

    /// <summary>A file in a given directory.</summary>
    Directory,
}

/// <summary>The value of --overlay2: <c>none</c> or <c>{root|all}:{memory|self|dir=/abs}[,size=N]</c>.</summary>
/// <param name="Scope">Which mounts.</param>
/// <param name="Medium">What holds the data.</param>
/// <param name="Directory">For <see cref="OverlayMedium.Directory"/>.</param>
/// <param name="SizeBytes">The most a layer may hold; 0 for no limit.</param>
public sealed record Overlay2(OverlayScope Scope, OverlayMedium Medium, string Directory = "", long SizeBytes = 0)
{
    /// <summary>"root:self".</summary>
    public static Overlay2 Default { get; } = new(OverlayScope.Root, OverlayMedium.Self);

    /// <summary>"none".</summary>
    public static Overlay2 Off { get; } = new(OverlayScope.None, OverlayMedium.Memory);

    /// <summary>Parses the flag's value; null when it is none.</summary>
    public static Overlay2? Parse(string text)
    {
        if (text == "none")
        {
            return Off;
        }

        int colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0)
        {
            return null;
        }

        OverlayScope? scope = text[..colon] switch
        {
            "root" => OverlayScope.Root,
            "all" => OverlayScope.All,
            _ => null,
        };
        string rest = text[(colon + 1)..];
        long size = 0;
        int comma = rest.IndexOf(",size=", StringComparison.Ordinal);
        if (comma >= 0)
        {
            size = ParseSize(rest[(comma + 6)..]);
            rest = rest[..comma];
        }

        if (scope is null || size < 0)
        {
            return null;
        }

        return rest switch
        {
            "memory" => new Overlay2(scope.Value, OverlayMedium.Memory, "", size),
            "self" => new Overlay2(scope.Value, OverlayMedium.Self, "", size),
            _ when rest.StartsWith("dir=/", StringComparison.Ordinal) => new Overlay2(scope.Value, OverlayMedium.Directory, rest[4..], size),
            _ => null,
        };
    }

    /// <summary>Parses a size with an optional k, m, g or t; -1 when it is none.</summary>
    private static long ParseSize(string text)
    {
        int shift = text.Length == 0 ? 0 : char.ToLowerInvariant(text[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, 't' => 40, _ => 0 };
        string digits = shift == 0 ? text : text[..^1];
        return long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number <= long.MaxValue >> shift ? number << shift : -1;
    }
}
