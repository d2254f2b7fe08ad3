// SPDX-License-Identifier: Apache-2.0
using CVisor.Runsc.Cli;
using CVisor.Runsc.Commands;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Oci.Tests;

public sealed class ConfigBinderTests
{
    [Fact]
    public void Defaults_are_gVisor_s()
    {
        RuntimeConfig config = ConfigBinder.Bind(Globals());
        config.Overlay.ShouldBe(Overlay2.Default);
        config.RootShared.ShouldBeFalse();
        config.MountsShared.ShouldBeTrue();
        config.DirectFs.ShouldBeTrue();
        config.NetRaw.ShouldBeFalse();
        config.StraceLogSizeBytes.ShouldBe(1024);
        config.HostUds.ShouldBe("none");
    }

    [Theory]
    [InlineData("--overlay2", "--overlay2=root:disk")]
    [InlineData("--file-access=shared and --overlay2 exclude each other", "--file-access=shared", "--overlay2=root:self")]
    [InlineData("--strace-log-size must be", "--strace-log-size=-1")]
    public void Wrong_combinations_are_told(string message, params string[] flags) =>
        Should.Throw<RunscException>(() => ConfigBinder.Bind(Globals(flags))).Message.ShouldContain(message);

    [Fact]
    public void A_bundle_may_set_flags_that_weaken_nothing()
    {
        ParsedFlags flags = Globals();
        RuntimeConfig config = ConfigBinder.BindWithAnnotations(flags, ConfigBinder.Bind(flags), new() { ["dev.gvisor.flag.strace"] = "true", ["other"] = "x" });
        config.Strace.ShouldBeTrue();
    }

    [Theory]
    [InlineData("network", "host")]
    [InlineData("platform", "kvm")]
    [InlineData("overlay2", "root:dir=/etc")]
    [InlineData("frob", "1")]
    [InlineData("strace", "perhaps")]
    public void A_bundle_may_not_set_others(string flag, string value)
    {
        ParsedFlags flags = Globals();
        Should.Throw<RunscException>(() => ConfigBinder.BindWithAnnotations(flags, ConfigBinder.Bind(flags), new() { ["dev.gvisor.flag." + flag] = value }))
            .Message.ShouldContain("annotations.dev.gvisor.flag." + flag);
    }

    [Fact]
    public void The_host_s_owner_may_let_it()
    {
        ParsedFlags flags = Globals("--allow-flag-override");
        ConfigBinder.BindWithAnnotations(flags, ConfigBinder.Bind(flags), new() { ["dev.gvisor.flag.network"] = "host" }).Network.ShouldBe("host");
    }

    [Fact]
    public void Debug_log_patterns_expand()
    {
        DebugLogFile.Expand("/l/%COMMAND%-%ID%.txt", "boot", "c1").ShouldBe("/l/boot-c1.txt");
        DebugLogFile.Expand("/l/", "gofer", "c1").ShouldMatch(@"^/l/runsc\.log\.\d{8}-\d{6}\.\d{6}\.gofer\.txt$");
    }

    private static ParsedFlags Globals(params string[] flags) => CommandLineParser.Parse([.. flags, "list"]).Globals;
}
