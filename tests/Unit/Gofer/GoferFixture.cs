// SPDX-License-Identifier: Apache-2.0
using System.Text;
using CVisor.Gofer.Client;
using CVisor.Gofer.Protocol;
using CVisor.Gofer.Server;
using CVisor.Host;

namespace CVisor.Gofer.Tests;

/// <summary>A server thread and a client on a socketpair, over a temporary tree.</summary>
internal sealed class GoferFixture : IDisposable
{
    private const int AfUnix = 1, SockSeqpacket = 5, SockCloexec = 0x80000, OPath = 0x200000, ODirectory = 0x10000, OCloexec = 0x80000, AtFdcwd = -100;

    private readonly Thread _server;
    private readonly int _procFd;

    public GoferFixture(Func<TreeOptions, TreeOptions>? change = null)
    {
        Root = Directory.CreateTempSubdirectory("gofer").FullName;
        FdPair pair = default;
        HostCalls.Socketpair(AfUnix, SockSeqpacket | SockCloexec, 0, ref pair).OrThrow("socketpair");
        _procFd = HostCalls.Openat(AtFdcwd, "/proc/self/fd\0"u8, OPath | ODirectory | OCloexec, 0).OrThrow("open /proc/self/fd").Int;
        int tree = HostCalls.Openat(AtFdcwd, Encoding.UTF8.GetBytes(Root + '\0'), OPath | OCloexec, 0).OrThrow("open the tree").Int;
        TreeOptions options = new() { DescriptorPathPrefix = "/proc/self/fd/" };
        GoferSession session = new(pair.First, tree, new HostFiles(_procFd), change?.Invoke(options) ?? options);
        _server = new Thread(session.Serve);
        _server.Start();
        Socket = pair.Second;
        GoferConnection.Open(pair.Second, out GoferConnection? connection).ShouldBe(HostErrno.None);
        Client = connection!;
        Client.Attach(wantsRootFd: false, out uint root, out _, out MountTraits traits, out _).ShouldBe(HostErrno.None);
        RootFid = root;
        Traits = traits;
    }

    public string Root { get; }

    public GoferConnection Client { get; }

    public uint RootFid { get; }

    public MountTraits Traits { get; }

    public int Socket { get; }

    public string PathOf(string name) => Path.Combine(Root, name);

    /// <summary>Walks a path and gives the fid of its end.</summary>
    public uint FidOf(string path, uint? from = null)
    {
        string[] names = path.Split('/');
        uint[] fids = new uint[names.Length];
        Client.Walk(from ?? RootFid, names, fids, new Attr[names.Length], out int walked, out WalkEnd end).ShouldBe(HostErrno.None);
        end.ShouldBe(WalkEnd.All);
        walked.ShouldBe(names.Length);
        for (int i = 0; i < walked - 1; i++)
        {
            Client.Drop(fids[i]);
        }

        return fids[^1];
    }

    public void Dispose()
    {
        Client.Dispose();
        _server.Join(TimeSpan.FromSeconds(10)).ShouldBeTrue("the server ends with its connection");
        _ = HostCalls.Close(_procFd);

        // rm, since .NET cannot name files whose names are no UTF-8.
        using System.Diagnostics.Process remove = System.Diagnostics.Process.Start("rm", ["-rf", Root]);
        remove.WaitForExit();
    }
}
