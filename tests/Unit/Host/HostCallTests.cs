// SPDX-License-Identifier: Apache-2.0
using CVisor.Host;

namespace CVisor.Host.Tests;

public sealed class HostCallTests
{
    [Fact]
    public void Getpid_is_our_own() => HostCalls.Getpid().Int.ShouldBe(Environment.ProcessId);

    [Fact]
    public void A_refused_call_carries_the_host_error()
    {
        HostResult result = HostCalls.Openat(-100, "/no/such/file\0"u8, 0, 0);
        result.IsError.ShouldBeTrue();
        result.Error.ShouldBe(HostErrno.ENOENT);
    }

    [Fact]
    public void A_pipe_carries_bytes()
    {
        FdPair pair = default;
        HostCalls.Pipe2(ref pair, 0).IsError.ShouldBeFalse();
        HostCalls.Write(pair.Second, "abc"u8).Value.ShouldBe(3);
        byte[] buffer = new byte[8];
        HostCalls.Read(pair.First, buffer).Value.ShouldBe(3);
        buffer.AsSpan(0, 3).SequenceEqual("abc"u8).ShouldBeTrue();
        HostCalls.Close(pair.First).IsError.ShouldBeFalse();
        HostCalls.Close(pair.Second).IsError.ShouldBeFalse();
    }
}
