// SPDX-License-Identifier: Apache-2.0
using CVisor.Runsc.Control;

namespace CVisor.Runsc.Oci.Tests;

public sealed class ValueParsingTests
{
    [Theory]
    [InlineData("TERM", 15)]
    [InlineData("SIGTERM", 15)]
    [InlineData("sigkill", 9)]
    [InlineData("9", 9)]
    [InlineData("0", 0)]
    [InlineData("64", 64)]
    [InlineData("RTMIN", 34)]
    [InlineData("SIGRTMIN+3", 37)]
    [InlineData("RTMAX-1", 63)]
    [InlineData("65", -1)]
    [InlineData("-1", -1)]
    [InlineData("FOO", -1)]
    [InlineData("RTMIN+99", -1)]
    [InlineData("", -1)]
    public void Signals(string text, int number) => SignalNames.Parse(text).ShouldBe(number);

    [Theory]
    [InlineData("CAP_CHOWN", 0)]
    [InlineData("net_raw", 13)]
    [InlineData("cap_checkpoint_restore", 40)]
    [InlineData("CAP_", -1)]
    public void Capability_names(string name, int number) => Capabilities.Number(name).ShouldBe(number);

    [Fact]
    public void A_capability_mask_has_a_bit_for_each_name() => Capabilities.Mask(["CAP_CHOWN", "CAP_SYS_ADMIN"]).ShouldBe(1UL | (1UL << 21));

    [Fact]
    public void Overlay_values()
    {
        Overlay2.Parse("none").ShouldBe(Overlay2.Off);
        Overlay2.Parse("root:self").ShouldBe(Overlay2.Default);
        Overlay2.Parse("all:memory").ShouldBe(new Overlay2(OverlayScope.All, OverlayMedium.Memory));
        Overlay2.Parse("root:dir=/d").ShouldBe(new Overlay2(OverlayScope.Root, OverlayMedium.Directory, "/d"));
        Overlay2.Parse("root:memory,size=2g").ShouldBe(new Overlay2(OverlayScope.Root, OverlayMedium.Memory, "", 2L << 30));
        foreach (string wrong in (string[])["", "root", "some:memory", "root:disk", "root:dir=rel", "root:memory,size=x", "root:memory,size=99999999999999999999", "root:memory,size=9999999999t"])
        {
            Overlay2.Parse(wrong).ShouldBeNull(wrong);
        }
    }

    [Fact]
    public void Mount_options_are_sorted_out()
    {
        MountOptions options = MountOptions.Parse(["rbind", "ro", "nosuid", "mode=755", "rw", "relatime", "size=1k"]);
        options.Bind.ShouldBeTrue();
        options.Recursive.ShouldBeTrue();
        options.ReadOnly.ShouldBeFalse("the later rw overrides ro");
        options.NoSuid.ShouldBeTrue();
        options.Data.ShouldBe(["mode=755", "size=1k"]);
        MountOptions.IsBind(new OciMount { Options = ["bind"] }).ShouldBeTrue();
        MountOptions.IsBind(new OciMount { Type = "tmpfs", Options = ["bind"] }).ShouldBeFalse();
    }

    [Fact]
    public void Guest_text_holds_a_char_per_byte()
    {
        GuestText.FromText("ä").ShouldBe("\u00c3\u00a4");
        GuestText.ToText("\u00c3\u00a4").ShouldBe("ä");
        GuestText.ToBytes("a\u00ff").ShouldBe([(byte)'a', 0xff, 0]);
    }
}
