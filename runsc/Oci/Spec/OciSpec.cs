// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Text.Json;

namespace CVisor.Runsc.Oci;

/// <summary>config.json of a bundle (OCI runtime specification 1.2, config.md).</summary>
public sealed record OciSpec
{
    /// <summary>The specification's version the bundle was written for.</summary>
    public string? OciVersion { get; init; }

    /// <summary>The container's first process.</summary>
    public OciProcess? Process { get; init; }

    /// <summary>The root file system.</summary>
    public OciRoot? Root { get; init; }

    /// <summary>The host name.</summary>
    public string? Hostname { get; init; }

    /// <summary>The domain name.</summary>
    public string? Domainname { get; init; }

    /// <summary>Further mounts, in order.</summary>
    public OciMount[]? Mounts { get; init; }

    /// <summary>Programs to run around the container's life.</summary>
    public OciHooks? Hooks { get; init; }

    /// <summary>Free-form settings.</summary>
    public Dictionary<string, string>? Annotations { get; init; }

    /// <summary>Linux settings.</summary>
    public OciLinux? Linux { get; init; }

    /// <summary>Present in a Solaris bundle, which is refused.</summary>
    public JsonElement? Solaris { get; init; }

    /// <summary>Present in a Windows bundle, which is refused.</summary>
    public JsonElement? Windows { get; init; }
}

/// <summary>The root file system.</summary>
public sealed record OciRoot
{
    /// <summary>Its path, absolute or relative to the bundle.</summary>
    public string? Path { get; init; }

    /// <summary>Whether the container may not write to it.</summary>
    public bool Readonly { get; init; }
}

/// <summary>A mount.</summary>
public sealed record OciMount
{
    /// <summary>Where it goes, in the container.</summary>
    public string? Destination { get; init; }

    /// <summary>The file system's type; "bind" or empty for a bind mount by its options.</summary>
    public string? Type { get; init; }

    /// <summary>A host path for a bind mount (absolute, or relative to the bundle), else a name.</summary>
    public string? Source { get; init; }

    /// <summary>mount(8) options.</summary>
    public string[]? Options { get; init; }

    /// <summary>User ids of an id-mapped mount.</summary>
    public OciIdMapping[]? UidMappings { get; init; }

    /// <summary>Group ids of an id-mapped mount.</summary>
    public OciIdMapping[]? GidMappings { get; init; }
}

/// <summary>Programs run by the runtime around the container's life.</summary>
public sealed record OciHooks
{
    /// <summary>After the namespaces are there, before the first process starts (deprecated name of createRuntime).</summary>
    public OciHook[]? Prestart { get; init; }

    /// <summary>During create, in the runtime's namespaces.</summary>
    public OciHook[]? CreateRuntime { get; init; }

    /// <summary>During create, after createRuntime.</summary>
    public OciHook[]? CreateContainer { get; init; }

    /// <summary>During start, inside the container: never run here, the sandbox is no host process.</summary>
    public OciHook[]? StartContainer { get; init; }

    /// <summary>After the first process was started.</summary>
    public OciHook[]? Poststart { get; init; }

    /// <summary>After the container was deleted.</summary>
    public OciHook[]? Poststop { get; init; }
}

/// <summary>One program; it gets the container's state on its standard input.</summary>
public sealed record OciHook
{
    /// <summary>The program, an absolute path.</summary>
    public string? Path { get; init; }

    /// <summary>argv, the program's name included.</summary>
    public string[]? Args { get; init; }

    /// <summary>The environment.</summary>
    public string[]? Env { get; init; }

    /// <summary>Seconds after which it is killed and counts as failed.</summary>
    public int? Timeout { get; init; }
}
