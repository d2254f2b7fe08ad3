// SPDX-License-Identifier: Apache-2.0
using System.Diagnostics;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Oci.Tests;

public sealed class HookRunnerTests
{
    private static readonly OciState s_state = new() { OciVersion = "1.2.0", Id = "c1", Status = "creating", Pid = 7, Bundle = "/b" };

    [Fact]
    public void A_hook_gets_the_state_its_arguments_and_only_its_own_environment()
    {
        string file = Path.GetTempFileName();
        try
        {
            OciHook hook = new() { Path = "/bin/sh", Args = ["sh", "-c", "cat > " + file + "; echo \"$0 $A ${HOME-unset}\" >> " + file, "zero"], Env = ["A=1"] };
            HookRunner.Run([hook], "prestart", s_state);
            string text = File.ReadAllText(file);
            text.ShouldContain("\"id\": \"c1\"");
            text.ShouldContain("\"pid\": 7");
            text.ShouldEndWith("zero 1 unset\n");
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public void A_failing_hook_is_told_with_its_status_and_output()
    {
        OciHook hook = new() { Path = "/bin/sh", Args = ["sh", "-c", "echo no luck >&2; exit 3"] };
        Should.Throw<RunscException>(() => HookRunner.Run([hook], "createRuntime", s_state)).Message
            .ShouldBe("createRuntime hook /bin/sh: exit status 3, output: no luck");
    }

    [Fact]
    public void A_hook_that_is_not_there_is_told() =>
        Should.Throw<RunscException>(() => HookRunner.Run([new OciHook { Path = "/no/such" }], "poststart", s_state)).Message
            .ShouldBe("poststart hook /no/such: exec /no/such: ENOENT");

    [Fact]
    public void A_hook_that_takes_too_long_is_killed()
    {
        Stopwatch watch = Stopwatch.StartNew();
        OciHook hook = new() { Path = "/bin/sleep", Args = ["sleep", "60"], Timeout = 1 };
        Should.Throw<RunscException>(() => HookRunner.Run([hook], "prestart", s_state)).Message.ShouldContain("did not end within 1 s");
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void After_a_poststop_failure_the_next_hook_runs()
    {
        List<string> complaints = [];
        string file = Path.GetTempFileName();
        HookRunner.RunAll([new OciHook { Path = "/bin/false" }, new OciHook { Path = "/bin/rm", Args = ["rm", file] }], "poststop", s_state, complaints.Add);
        complaints.Count.ShouldBe(1);
        File.Exists(file).ShouldBeFalse();
    }
}
