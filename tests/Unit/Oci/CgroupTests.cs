// SPDX-License-Identifier: Apache-2.0
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Oci.Tests;

public sealed class CgroupTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cvisor-cgroup-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Version_2_limits_are_converted()
    {
        CgroupLimits.SetV2(_folder, new OciResources
        {
            Memory = new OciMemory { Limit = 1 << 20, Swap = 3 << 20, Reservation = 1 << 19 },
            Cpu = new OciCpu { Shares = 1024, Quota = 50000, Period = 200000, Cpus = "0-1" },
            Pids = new OciPids { Limit = -1 },
        });
        Read("memory.max").ShouldBe("1048576");
        Read("memory.low").ShouldBe("524288");
        Read("memory.swap.max").ShouldBe("2097152", "version 1 counts memory in, version 2 does not");
        Read("cpu.weight").ShouldBe("39");
        Read("cpu.max").ShouldBe("50000 200000");
        Read("cpuset.cpus").ShouldBe("0-1");
        Read("pids.max").ShouldBe("max");
    }

    [Fact]
    public void Version_1_limits_go_to_their_controller()
    {
        OciResources resources = new() { Memory = new OciMemory { Limit = 4096, Swap = 8192 }, Cpu = new OciCpu { Shares = 2, Quota = -1 }, Pids = new OciPids { Limit = 7 } };
        foreach (string controller in (string[])["memory", "cpu", "pids", "cpuset", "devices"])
        {
            CgroupLimits.SetV1(controller, _folder, resources);
        }

        Read("memory.limit_in_bytes").ShouldBe("4096");
        Read("cpu.shares").ShouldBe("2");
        Read("cpu.cfs_quota_us").ShouldBe("-1");
        Read("pids.max").ShouldBe("7");
        File.Exists(Path.Combine(_folder, "memory.memsw.limit_in_bytes")).ShouldBeFalse("a kernel without swap accounting has no such file");
    }

    [Fact]
    public void Nothing_is_written_that_was_not_asked_for()
    {
        CgroupLimits.SetV2(_folder, new OciResources { Memory = new OciMemory(), Cpu = new OciCpu(), Pids = new OciPids() });
        CgroupLimits.SetV2(_folder, null);
        Directory.GetFiles(_folder).ShouldBeEmpty();
    }

    [Fact]
    public void A_refused_limit_names_its_field()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "pids.max"));
        Should.Throw<RunscException>(() => CgroupLimits.SetV1("pids", _folder, new OciResources { Pids = new OciPids { Limit = 1 } }))
            .Message.ShouldStartWith("cannot set linux.resources.pids.limit: ");
    }

    [Fact]
    public void Groups_are_removed_from_the_deepest_up()
    {
        string deep = Directory.CreateDirectory(Path.Combine(_folder, "a", "b")).FullName;
        ContainerCgroup.Remove([deep, Path.Combine(_folder, "a"), Path.Combine(_folder, "gone")]);
        Directory.GetDirectories(_folder).ShouldBeEmpty();
    }

    private string Read(string file) => File.ReadAllText(Path.Combine(_folder, file));
}
