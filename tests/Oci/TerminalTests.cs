// SPDX-License-Identifier: Apache-2.0
using System.Text;
using System.Text.Json.Nodes;
using CVisor.Host;
using CVisor.Runsc.Control;
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

public sealed class TerminalTests
{
    public static IEnumerable<TheoryDataRow<string>> Runtimes => OciRuntime.Names;

    [Theory]
    [MemberData(nameof(Runtimes))]
    public async Task The_terminal_s_master_comes_over_the_console_socket(string name)
    {
        await using OciRuntime runtime = OciRuntime.Get(name);
        string id = Sandbox.NewId();
        using Bundle bundle = await OciBundle.CreateAsync(["/bin/sh", "-c", "test -t 0 && test -t 1 && stty size; read line; echo got $line"]);
        bundle.Config["process"]!["terminal"] = true;
        bundle.Config["process"]!["consoleSize"] = new JsonObject { ["height"] = 33, ["width"] = 111 };
        bundle.Save();
        string path = bundle.Folder + "/console.sock";
        int listener = ControlAddress.Listen(path, 1).OrThrow("listen").Int;
        Task<int> master = Task.Run(() => ReceiveMaster(listener));
        CommandResult created = await runtime.CreateAsync(bundle, id, "--console-socket " + path);
        created.ExitCode.ShouldBe(0, created.ToString());
        await runtime.MustAsync("start", id);
        int fd = await master.WaitAsync(TimeSpan.FromSeconds(20));
        HostIo.WriteAll(fd, "hello\n"u8).IsError.ShouldBeFalse();
        string text = await ReadUntilAsync(fd, "got hello");
        text.ShouldContain("33 111");
        HostCalls.Close(fd);
        HostCalls.Close(listener);
    }

    private static int ReceiveMaster(int listener)
    {
        int socket = HostCalls.Accept4(listener, 0x80000).OrThrow("accept").Int;
        byte[] name = new byte[4096];
        int[] fds = new int[1];
        DescriptorMessage.Receive(socket, name, fds, out int count).OrThrow("receive");
        count.ShouldBe(1);
        HostCalls.Close(socket);
        return fds[0];
    }

    private static async Task<string> ReadUntilAsync(int fd, string end)
    {
        StringBuilder text = new();
        byte[] buffer = new byte[4096];
        for (int i = 0; i < 400 && !text.ToString().Contains(end, StringComparison.Ordinal); i++)
        {
            HostPollFd[] poll = [new HostPollFd { Fd = fd, Events = 1 }];
            if (HostCalls.Poll(poll, 0).Value > 0)
            {
                HostResult read = HostCalls.Read(fd, buffer);
                if (read.IsError || read.Value == 0)
                {
                    break;
                }

                text.Append(Encoding.ASCII.GetString(buffer, 0, read.Int));
            }
            else
            {
                await Task.Delay(50);
            }
        }

        text.ToString().ShouldContain(end);
        return text.ToString();
    }
}
