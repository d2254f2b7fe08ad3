// SPDX-License-Identifier: Apache-2.0
using CVisor.Host;
using CVisor.Runsc.Control;

namespace CVisor.Runsc.Oci.Tests;

public sealed class HostChildTests
{
    [Fact]
    public void A_child_runs_its_script_and_its_program()
    {
        FdPair pipe = default;
        HostCalls.Pipe2(ref pipe, 0x80000).OrThrow("pipe2");
        using HostChild script = new();
        HostResult pid = script.PlaceFd(pipe.Second, 1).CloseFrom(3).Chdir("/usr").Exec("/bin/sh", ["sh", "-c", "pwd; echo $A; ls /proc/self/fd | wc -l; exit 4"], ["A=b c", "PATH=/bin:/usr/bin"]).Spawn();
        pid.IsError.ShouldBeFalse();
        HostCalls.Close(pipe.Second);
        System.Text.Encoding.ASCII.GetString(HostIo.ReadToEnd(pipe.First, 1000)).ShouldBe("/usr\nb c\n4\n");
        HostCalls.Close(pipe.First);
        Wait(pid.Int).ShouldBe(4 << 8);
    }

    [Fact]
    public void A_failed_step_is_told()
    {
        using HostChild script = new();
        HostResult pid = script.Chdir("/no/such/dir").Exec("/bin/true", ["true"], []).Spawn();
        pid.Error.ShouldBe(HostErrno.ENOENT);
        script.FailedStep.ShouldBe("chdir /no/such/dir");
    }

    [Fact]
    public void A_step_that_may_fail_does_not_end_the_child()
    {
        using HostChild script = new();
        HostResult pid = script.TryCall("close", 3, 12345).Exec("/bin/true", ["true"], []).Spawn();
        Wait(pid.Int).ShouldBe(0);
        script.FailedStep.ShouldBeNull();
    }

    [Fact]
    public void A_copied_child_waits_until_it_is_let_go()
    {
        FdPair pipe = default;
        HostCalls.Pipe2(ref pipe, 0x80000).OrThrow("pipe2");
        using HostChild script = new();
        HostResult pid = script.AwaitByte(pipe.First).Exec("/bin/sh", ["sh", "-c", "exit 6"], []).SpawnCopied();
        pid.IsError.ShouldBeFalse();
        int status = 0;
        HostCalls.Wait4(pid.Int, ref status, 1).Value.ShouldBe(0);
        HostCalls.Write(pipe.Second, "x"u8).Value.ShouldBe(1);
        Wait(pid.Int).ShouldBe(6 << 8);
        HostCalls.Close(pipe.First);
        HostCalls.Close(pipe.Second);
    }

    private static int Wait(int pid)
    {
        int status = -1;
        HostCalls.Wait4(pid, ref status, 0).IsError.ShouldBeFalse();
        return status;
    }
}
