// SPDX-License-Identifier: Apache-2.0
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using CVisor.Host;

namespace CVisor.Runsc.Control;

/// <summary>A configuration in a memfd: how runsc tells a process of its own what to do.</summary>
public static class BootConfigFile
{
    private const uint MfdCloexec = 1;

    /// <summary>Far more than any spec needs; a larger file is a mistake.</summary>
    private const int MaxBytes = 64 << 20;

    /// <summary>Writes a sandbox's configuration; the returned descriptor is close-on-exec and at offset 0.</summary>
    public static int Write(BootConfig config) => Write(config, ControlJsonContext.Default.BootConfig);

    /// <summary>Writes a gofer's configuration likewise.</summary>
    public static int Write(GoferConfig config) => Write(config, ControlJsonContext.Default.GoferConfig);

    /// <summary>Reads a sandbox's configuration and closes its descriptor.</summary>
    public static BootConfig ReadBoot(int fd) => Read(fd, ControlJsonContext.Default.BootConfig);

    /// <summary>Reads a gofer's configuration and closes its descriptor.</summary>
    public static GoferConfig ReadGofer(int fd) => Read(fd, ControlJsonContext.Default.GoferConfig);

    private static int Write<T>(T config, JsonTypeInfo<T> type)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(config, type);
        int fd = HostCalls.MemfdCreate("cvisor-config\0"u8, MfdCloexec).OrThrow("memfd_create").Int;
        HostIo.WriteAll(fd, json).OrThrow("write the configuration");
        HostCalls.Lseek(fd, 0, 0).OrThrow("lseek");
        return fd;
    }

    private static T Read<T>(int fd, JsonTypeInfo<T> type)
    {
        byte[] json = HostIo.ReadToEnd(fd, MaxBytes);
        _ = HostCalls.Close(fd);
        return JsonSerializer.Deserialize(json, type) ?? throw new InvalidOperationException("the configuration is empty");
    }
}
