// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;

namespace CVisor.Runsc.Oci;

/// <summary>Checks a spec before anything is made; each error names the file and the field.</summary>
public static class SpecValidator
{
    private static readonly HashSet<string> s_namespaceTypes =
        new(["pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time"], StringComparer.Ordinal);

    /// <summary>Checks a bundle's spec.</summary>
    /// <exception cref="RunscException">It is not one this runtime can run.</exception>
    public static void Validate(OciSpec spec, string file)
    {
        CheckVersion(spec.OciVersion, file);
        Refuse(spec.Solaris is not null, file, "solaris", "is not supported, this is a Linux runtime");
        Refuse(spec.Windows is not null, file, "windows", "is not supported, this is a Linux runtime");
        Refuse(spec.Root is null, file, "root", "is required");
        Refuse(string.IsNullOrEmpty(spec.Root!.Path), file, "root.path", "must not be empty");
        Refuse(spec.Process is null, file, "process", "is required");
        ValidateProcess(spec.Process!, file, "process");
        ValidateMounts(spec.Mounts ?? [], file);
        ValidateHooks(spec.Hooks, file);
        if (spec.Linux is { } linux)
        {
            ValidateLinux(linux, file);
        }
    }

    /// <summary>Checks a process document.</summary>
    /// <param name="process">The document.</param>
    /// <param name="file">The file it came from.</param>
    /// <param name="field">The document's name in that file.</param>
    public static void ValidateProcess(OciProcess process, string file, string field)
    {
        Refuse(process.Args is not { Length: > 0 }, file, field + ".args", "must not be empty");
        Refuse(string.IsNullOrEmpty(process.Cwd), file, field + ".cwd", "must not be empty");
        Refuse(process.Cwd![0] != '/', file, field + ".cwd", "must be an absolute path");
        Refuse(!string.IsNullOrEmpty(process.SelinuxLabel), file, field + ".selinuxLabel", "SELinux is not supported");
        for (int i = 0; i < process.Args!.Length; i++)
        {
            RefuseNul(process.Args[i], file, field + ".args", i);
        }

        for (int i = 0; i < (process.Env?.Length ?? 0); i++)
        {
            RefuseNul(process.Env![i], file, field + ".env", i);
        }

        HashSet<string> seen = new(StringComparer.Ordinal);
        for (int i = 0; i < (process.Rlimits?.Length ?? 0); i++)
        {
            OciRlimit limit = process.Rlimits![i];
            string name = Item(field + ".rlimits", i);
            Refuse(Rlimits.Number(limit.Type ?? "") < 0, file, name + ".type", $"unknown resource limit \"{limit.Type}\"");
            Refuse(!seen.Add(limit.Type!), file, name + ".type", $"\"{limit.Type}\" is given twice");
            Refuse(limit.Soft > limit.Hard, file, name + ".soft", "must not be above the hard limit");
        }

        ValidateCapabilities(process.Capabilities?.Bounding, file, field + ".capabilities.bounding");
        ValidateCapabilities(process.Capabilities?.Effective, file, field + ".capabilities.effective");
        ValidateCapabilities(process.Capabilities?.Inheritable, file, field + ".capabilities.inheritable");
        ValidateCapabilities(process.Capabilities?.Permitted, file, field + ".capabilities.permitted");
        ValidateCapabilities(process.Capabilities?.Ambient, file, field + ".capabilities.ambient");
    }

    private static void ValidateCapabilities(string[]? names, string file, string field)
    {
        for (int i = 0; i < (names?.Length ?? 0); i++)
        {
            Refuse(Capabilities.Number(names![i]) < 0, file, Item(field, i), $"unknown capability \"{names[i]}\"");
        }
    }

    private static void CheckVersion(string? version, string file)
    {
        Refuse(string.IsNullOrEmpty(version), file, "ociVersion", "is required");
        string[] parts = version!.Split('.', 3);
        bool isNumber = int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out int major);
        Refuse(!isNumber || parts.Length != 3, file, "ociVersion", $"\"{version}\" is not a version");
        Refuse(major != 1, file, "ociVersion", $"\"{version}\" is not supported, only versions 1.x.y are");
    }

    private static void ValidateMounts(OciMount[] mounts, string file)
    {
        for (int i = 0; i < mounts.Length; i++)
        {
            OciMount mount = mounts[i];
            string name = Item("mounts", i);
            Refuse(string.IsNullOrEmpty(mount.Destination), file, name + ".destination", "must not be empty");
            RefuseNul(mount.Destination!, file, "mounts", i);
            Refuse(MountOptions.IsBind(mount) && string.IsNullOrEmpty(mount.Source), file, name + ".source", "must not be empty for a bind mount");
        }
    }

    private static void ValidateHooks(OciHooks? hooks, string file)
    {
        ValidateHooks(hooks?.Prestart, file, "hooks.prestart");
        ValidateHooks(hooks?.CreateRuntime, file, "hooks.createRuntime");
        ValidateHooks(hooks?.CreateContainer, file, "hooks.createContainer");
        ValidateHooks(hooks?.StartContainer, file, "hooks.startContainer");
        ValidateHooks(hooks?.Poststart, file, "hooks.poststart");
        ValidateHooks(hooks?.Poststop, file, "hooks.poststop");
    }

    private static void ValidateHooks(OciHook[]? hooks, string file, string field)
    {
        for (int i = 0; i < (hooks?.Length ?? 0); i++)
        {
            Refuse(hooks![i].Path is not { Length: > 0 } path || path[0] != '/', file, Item(field, i) + ".path", "must be an absolute path");
            Refuse(hooks[i].Timeout is <= 0, file, Item(field, i) + ".timeout", "must be above zero");
        }
    }

    private static void ValidateLinux(OciLinux linux, string file)
    {
        Refuse(!string.IsNullOrEmpty(linux.MountLabel), file, "linux.mountLabel", "SELinux is not supported");
        HashSet<string> seen = new(StringComparer.Ordinal);
        bool hasUser = false;
        for (int i = 0; i < (linux.Namespaces?.Length ?? 0); i++)
        {
            OciNamespace one = linux.Namespaces![i];
            string name = Item("linux.namespaces", i);
            Refuse(!s_namespaceTypes.Contains(one.Type ?? ""), file, name + ".type", $"unknown namespace \"{one.Type}\"");
            Refuse(!seen.Add(one.Type!), file, name + ".type", $"\"{one.Type}\" is given twice");
            Refuse(one.Path is { Length: > 0 } path && path[0] != '/', file, name + ".path", "must be an absolute path");
            hasUser |= one.Type == "user";
        }

        Refuse(!hasUser && linux.UidMappings is { Length: > 0 }, file, "linux.uidMappings", "needs a namespace of type \"user\" in linux.namespaces");
        Refuse(!hasUser && linux.GidMappings is { Length: > 0 }, file, "linux.gidMappings", "needs a namespace of type \"user\" in linux.namespaces");
        ValidateDevices(linux.Devices ?? [], file);
        if (linux.Seccomp is { } seccomp)
        {
            ValidateSeccomp(seccomp, file);
        }

        for (int i = 0; i < (linux.MaskedPaths?.Length ?? 0); i++)
        {
            Refuse(linux.MaskedPaths![i] is not { Length: > 0 } path || path[0] != '/', file, Item("linux.maskedPaths", i), "must be an absolute path");
        }

        for (int i = 0; i < (linux.ReadonlyPaths?.Length ?? 0); i++)
        {
            Refuse(linux.ReadonlyPaths![i] is not { Length: > 0 } path || path[0] != '/', file, Item("linux.readonlyPaths", i), "must be an absolute path");
        }
    }

    private static void ValidateDevices(OciDevice[] devices, string file)
    {
        const long MaxMajor = 0xfff;
        const long MaxMinor = 0xfffff;
        for (int i = 0; i < devices.Length; i++)
        {
            OciDevice device = devices[i];
            string name = Item("linux.devices", i);
            Refuse(device.Path is not { Length: > 0 } path || path[0] != '/', file, name + ".path", "must be an absolute path");
            RefuseNul(device.Path!, file, "linux.devices", i);
            Refuse(device.Type is not ("c" or "u" or "b" or "p"), file, name + ".type", $"unknown type \"{device.Type}\"");
            Refuse(device.Type != "p" && device.Major is < 0 or > MaxMajor, file, name + ".major", "is out of range");
            Refuse(device.Type != "p" && device.Minor is < 0 or > MaxMinor, file, name + ".minor", "is out of range");
        }
    }

    private static void ValidateSeccomp(OciSeccomp seccomp, string file)
    {
        const uint ArgumentCount = 6;
        Refuse(SeccompWords.Action(seccomp.DefaultAction) is null, file, "linux.seccomp.defaultAction", $"unknown or unsupported action \"{seccomp.DefaultAction}\"");
        for (int i = 0; i < (seccomp.Syscalls?.Length ?? 0); i++)
        {
            OciSeccompRule rule = seccomp.Syscalls![i];
            string name = Item("linux.seccomp.syscalls", i);
            Refuse(rule.Names is not { Length: > 0 }, file, name + ".names", "must not be empty");
            Refuse(SeccompWords.Action(rule.Action) is null, file, name + ".action", $"unknown or unsupported action \"{rule.Action}\"");
            for (int j = 0; j < (rule.Args?.Length ?? 0); j++)
            {
                Refuse(rule.Args![j].Index >= ArgumentCount, file, Item(name + ".args", j) + ".index", "is out of range");
                Refuse(!SeccompWords.IsOperator(rule.Args[j].Op), file, Item(name + ".args", j) + ".op", $"unknown operator \"{rule.Args[j].Op}\"");
            }
        }
    }

    private static string Item(string field, int index) => string.Create(CultureInfo.InvariantCulture, $"{field}[{index}]");

    private static void RefuseNul(string text, string file, string field, int index) =>
        Refuse(text.Contains('\0', StringComparison.Ordinal), file, Item(field, index), "must not contain a NUL character");

    private static void Refuse(bool isWrong, string file, string field, string reason)
    {
        if (isWrong)
        {
            throw new RunscException($"{file}: {field}: {reason}");
        }
    }
}
