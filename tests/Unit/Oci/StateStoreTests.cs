// SPDX-License-Identifier: Apache-2.0
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Oci.Tests;

public sealed class StateStoreTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("cvisor-state-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData(".hidden")]
    [InlineData("a b")]
    [InlineData("ä")]
    public void An_id_that_is_no_plain_file_name_is_refused(string id) => Should.Throw<RunscException>(() => StateStore.CheckId(id));

    [Fact]
    public void A_state_comes_back_as_it_was_saved()
    {
        StateStore store = new(_root);
        ContainerState state = Some("c1");
        store.Save(state);
        ContainerState loaded = store.Load("c1");
        loaded.Sandbox.ShouldBe(state.Sandbox);
        loaded.Process.Args.ShouldBe(["true"]);
        loaded.Annotations!["k"].ShouldBe("v");
        store.List().ShouldBe(["c1"]);
        Directory.GetFiles(_root).ShouldBe([Path.Combine(_root, "c1.state")]);
    }

    [Fact]
    public void A_missing_container_does_not_exist() =>
        Should.Throw<RunscException>(() => new StateStore(_root).Load("nobody")).Message.ShouldContain("does not exist");

    [Fact]
    public void A_damaged_state_is_told()
    {
        File.WriteAllText(Path.Combine(_root, "c1.state"), "{");
        Should.Throw<RunscException>(() => new StateStore(_root).Load("c1")).Message.ShouldContain("is damaged");
    }

    [Fact]
    public async Task A_lock_is_held_by_one_even_when_its_file_is_removed_meanwhile()
    {
        StateStore store = new(_root);
        StateLock first = store.Lock("c1");
        Task<StateLock> second = Task.Run(() => store.Lock("c1"));
        await Task.Delay(50);
        second.IsCompleted.ShouldBeFalse();
        store.Remove("c1");
        first.Dispose();
        using StateLock taken = await second;

        // The second one holds the file that is there now, not the removed one.
        File.Exists(Path.Combine(_root, "c1.lock")).ShouldBeTrue();
    }

    [Fact]
    public void A_process_is_known_by_its_start_time()
    {
        ProcessIdentity self = ProcessIdentity.Of(Environment.ProcessId);
        self.IsAlive().ShouldBeTrue();
        (self with { StartTicks = self.StartTicks + 1 }).IsAlive().ShouldBeFalse();
        new ProcessIdentity(int.MaxValue, 1).IsAlive().ShouldBeFalse();
    }

    private static ContainerState Some(string id) => new()
    {
        Id = id,
        OciVersion = "1.0.2",
        Bundle = "/b",
        Rootfs = "/b/rootfs",
        Created = "2026-01-01T00:00:00Z",
        Owner = "root",
        Sandbox = new ProcessIdentity(10, 20),
        Gofer = new ProcessIdentity(11, 21),
        Process = new OciProcess { Args = ["true"], Cwd = "/" },
        Annotations = new Dictionary<string, string> { ["k"] = "v" },
    };
}
