// SPDX-License-Identifier: Apache-2.0
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

/// <summary>Where a container's writes go: --overlay2, --file-access, --directfs.</summary>
public sealed class FileAccessTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cvisor-overlay-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("root:self", "unchanged")]
    [InlineData("root:memory", "unchanged")]
    [InlineData("root:dir=DIR", "unchanged")]
    [InlineData("all:memory", "unchanged")]
    [InlineData("none", "changed")]
    public async Task The_overlay_takes_the_writes(string overlay, string expected)
    {
        string root = await MakeRootAsync();
        string store = Directory.CreateDirectory(_folder + "/store").FullName;
        CommandResult result = await RunAsync(root, "echo changed > /data; cat /data; dd if=/dev/zero of=/big bs=1M count=8 2>/dev/null; wc -c < /big", "--overlay2=" + overlay.Replace("DIR", store, StringComparison.Ordinal));
        result.Output.ShouldBe("changed\n8388608\n", result.ToString());
        File.ReadAllText(root + "/data").Trim().ShouldBe(expected);
        File.Exists(root + "/big").ShouldBe(expected == "changed");
        Directory.GetFileSystemEntries(store).ShouldBeEmpty();
    }

    [Fact]
    public async Task An_overlay_may_have_a_size()
    {
        CommandResult result = await RunAsync(await MakeRootAsync(), "dd if=/dev/zero of=/big bs=1M count=8 2>&1 | grep -o 'No space left on device'", "--overlay2=root:memory,size=4m");
        result.Output.ShouldBe("No space left on device\n", result.ToString());
    }

    [Fact]
    public async Task A_full_host_file_system_is_the_guests_ENOSPC()
    {
        string store = Directory.CreateDirectory(_folder + "/store").FullName;
        await Command.MustAsync("mount", "-t", "tmpfs", "-o", "size=4m", "cvisor-test", store);
        try
        {
            const string Script = "for block in 1M 4k; do dd if=/dev/zero of=/big bs=$block 2>&1 | grep -o 'No space left on device'; rm /big; done; echo alive > /small; cat /small";
            CommandResult result = await RunAsync(await MakeRootAsync(), Script, "--overlay2=root:dir=" + store);
            result.Output.ShouldBe("No space left on device\nNo space left on device\nalive\n", result.ToString());
        }
        finally
        {
            await Command.MustAsync("umount", store);
        }
    }

    [Theory]
    [InlineData("--directfs=true")]
    [InlineData("--directfs=false")]
    public async Task A_shared_root_shows_what_the_host_changes(string directFs)
    {
        string root = await MakeRootAsync();
        await using OciRuntime runtime = OciRuntime.Get("runsc", "--overlay2=none", "--file-access=shared", directFs);
        using Bundle bundle = Bundle.Create(root, ["/bin/sh", "-c", "cat /data; echo ready; while [ ! -f /new ]; do sleep 0.05; done; cat /new /data"]);
        string id = Sandbox.NewId();
        await runtime.StartDetachedAsync(bundle, id);
        await LifecycleTests.WaitForAsync(bundle.Folder + "/out", "unchanged\nready\n");
        File.WriteAllText(root + "/data", "by the host\n");
        File.WriteAllText(root + "/new.tmp", "new\n");
        File.Move(root + "/new.tmp", root + "/new");
        await LifecycleTests.WaitForAsync(bundle.Folder + "/out", "unchanged\nready\nnew\nby the host\n");
        await runtime.WaitForStatusAsync(id, "stopped");
        await runtime.MustAsync("delete", id);
    }

    private static async Task<CommandResult> RunAsync(string root, string script, params string[] flags)
    {
        await using OciRuntime runtime = OciRuntime.Get("runsc", flags);
        using Bundle bundle = Bundle.Create(root, ["/bin/sh", "-c", script]);
        return await runtime.RunAsync(["run", "--bundle", bundle.Folder, Sandbox.NewId()]);
    }

    /// <summary>A root of this test's own, since it is written to.</summary>
    private async Task<string> MakeRootAsync()
    {
        string root = _folder + "/root";
        await Command.MustAsync("cp", "-a", await BusyboxRoot.MakeAsync(), root);
        File.WriteAllText(root + "/data", "unchanged\n");
        return root;
    }
}
