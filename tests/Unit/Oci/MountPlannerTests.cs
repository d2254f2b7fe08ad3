// SPDX-License-Identifier: Apache-2.0
using CVisor.Runsc.Control;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Oci.Tests;

public sealed class MountPlannerTests : IDisposable
{
    private readonly string _bundle = Directory.CreateTempSubdirectory("cvisor-bundle-").FullName;

    public MountPlannerTests()
    {
        Directory.CreateDirectory(Path.Combine(_bundle, "rootfs"));
        Directory.CreateDirectory(Path.Combine(_bundle, "data"));
        File.WriteAllText(Path.Combine(_bundle, "hosts"), "");
    }

    public void Dispose() => Directory.Delete(_bundle, recursive: true);

    [Fact]
    public void The_root_comes_first_and_what_every_container_has_is_there()
    {
        MountPlan plan = Plan(Overlay2.Default);
        plan.Mounts[0].Destination.ShouldBe("/");
        plan.Mounts[0].Overlay.ShouldBe(BootOverlay.Filestore);
        plan.Trees[0].Source.ShouldBe(Path.Combine(_bundle, "rootfs"));
        plan.Trees[0].ReadOnly.ShouldBeTrue("an overlay keeps the host's files as they are");
        plan.Mounts.Select(mount => mount.Destination).ShouldBe(["/", "/proc", "/sys", "/dev", "/dev/pts", "/dev/shm"]);
    }

    [Fact]
    public void A_mount_of_the_spec_replaces_what_every_container_has()
    {
        MountPlan plan = Plan(Overlay2.Off, new OciMount { Destination = "/dev/", Type = "tmpfs" }, new OciMount { Destination = "/proc/../proc", Type = "proc" });
        plan.Mounts.Count(mount => mount.Kind == BootMountKind.Dev).ShouldBe(1);
        plan.Mounts.Count(mount => mount.Destination == "/proc").ShouldBe(1);
        plan.Mounts[0].Overlay.ShouldBe(BootOverlay.None);
        plan.Trees[0].ReadOnly.ShouldBeFalse();
    }

    [Fact]
    public void A_bind_mount_gets_a_tree_of_its_own()
    {
        MountPlan plan = Plan(
            Overlay2.Default,
            new OciMount { Destination = "/data", Type = "bind", Source = "data", Options = ["rbind", "rw"] },
            new OciMount { Destination = "/etc/hosts", Source = Path.Combine(_bundle, "hosts"), Options = ["bind", "ro"] });
        BootMount data = plan.Mounts.Single(mount => mount.Destination == "/data");
        data.GoferIndex.ShouldBe(1);
        data.Overlay.ShouldBe(BootOverlay.None);
        data.IsFile.ShouldBeFalse();
        data.Exclusive.ShouldBeFalse();
        plan.Trees[1].ShouldBe(new PlannedTree(Path.Combine(_bundle, "data"), false, true, null));
        BootMount hosts = plan.Mounts.Single(mount => mount.Destination == "/etc/hosts");
        hosts.IsFile.ShouldBeTrue();
        hosts.ReadOnly.ShouldBeTrue();
        plan.Trees[2].ReadOnly.ShouldBeTrue();
        plan.Trees[2].Recursive.ShouldBeFalse();
    }

    [Fact]
    public void An_overlay_of_all_covers_writable_directories_only()
    {
        MountPlan plan = Plan(
            new Overlay2(OverlayScope.All, OverlayMedium.Memory),
            new OciMount { Destination = "/data", Type = "bind", Source = "data" },
            new OciMount { Destination = "/ro", Type = "bind", Source = "data", Options = ["ro"] },
            new OciMount { Destination = "/hosts", Type = "bind", Source = "hosts" });
        plan.Mounts.Where(mount => mount.Kind == BootMountKind.Gofer).Select(mount => mount.Overlay)
            .ShouldBe([BootOverlay.Memory, BootOverlay.Memory, BootOverlay.None, BootOverlay.None]);
    }

    [Fact]
    public void A_missing_source_or_root_is_told_with_its_field()
    {
        Should.Throw<RunscException>(() => Plan(Overlay2.Off, new OciMount { Destination = "/x", Type = "bind", Source = "nowhere" }))
            .Message.ShouldContain("config.json: mounts[0].source: ");
        OciSpec spec = SpecTemplate.Make(["sh"], "/", "") with { Root = new OciRoot { Path = "noroot" } };
        Should.Throw<RunscException>(() => MountPlanner.Plan(spec, _bundle, Config(Overlay2.Off))).Message.ShouldContain("config.json: root.path: ");
    }

    [Fact]
    public void An_unknown_file_system_is_left_out_with_a_warning()
    {
        MountPlan plan = Plan(Overlay2.Off, new OciMount { Destination = "/x", Type = "bpf", Source = "bpf" });
        plan.Mounts.ShouldNotContain(mount => mount.Destination == "/x");
        plan.Warnings.Single().ShouldContain("mounts[0].type");
    }

    private static RuntimeConfig Config(Overlay2 overlay) => new() { Root = "/nowhere", Overlay = overlay };

    private MountPlan Plan(Overlay2 overlay, params OciMount[] mounts) =>
        MountPlanner.Plan(SpecTemplate.Make(["sh"], "/", "") with { Mounts = mounts, Root = new OciRoot { Path = "rootfs" } }, _bundle, Config(overlay));
}
