// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Client;
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Tests;

/// <summary>Lookups, and every way out of the tree that must be shut.</summary>
public sealed class WalkTests
{
    private const uint TypeMask = 0xF000, TypeDirectory = 0x4000, TypeFile = 0x8000, TypeLink = 0xA000;

    [Fact]
    public void AWholePathIsWalkedInOneRequest()
    {
        using GoferFixture gofer = new();
        Directory.CreateDirectory(gofer.PathOf("a/b"));
        File.WriteAllText(gofer.PathOf("a/b/c"), "hello");
        uint[] fids = new uint[3];
        Attr[] attrs = new Attr[3];
        gofer.Client.Walk(gofer.RootFid, ["a", "b", "c"], fids, attrs, out int walked, out WalkEnd end).ShouldBe(HostErrno.None);
        end.ShouldBe(WalkEnd.All);
        walked.ShouldBe(3);
        (attrs[0].Mode & TypeMask).ShouldBe(TypeDirectory);
        (attrs[2].Mode & TypeMask).ShouldBe(TypeFile);
        attrs[2].Size.ShouldBe(5UL);
        fids.Distinct().Count().ShouldBe(3);
        gofer.Client.GetAttr(fids[2], out Attr again).ShouldBe(HostErrno.None);
        again.Ino.ShouldBe(attrs[2].Ino);
    }

    [Fact]
    public void AWalkStopsAtAMissingName()
    {
        using GoferFixture gofer = new();
        Directory.CreateDirectory(gofer.PathOf("a"));
        uint[] fids = new uint[3];
        gofer.Client.Walk(gofer.RootFid, ["a", "none", "c"], fids, new Attr[3], out int walked, out WalkEnd end).ShouldBe(HostErrno.None);
        walked.ShouldBe(1);
        end.ShouldBe(WalkEnd.Missing);
    }

    [Fact]
    public void AWalkStopsAtASymbolicLinkAndDoesNotFollowIt()
    {
        using GoferFixture gofer = new();
        File.CreateSymbolicLink(gofer.PathOf("out"), "/etc");
        uint[] fids = new uint[2];
        Attr[] attrs = new Attr[2];
        gofer.Client.Walk(gofer.RootFid, ["out", "passwd"], fids, attrs, out int walked, out WalkEnd end).ShouldBe(HostErrno.None);
        walked.ShouldBe(1);
        end.ShouldBe(WalkEnd.Symlink);
        (attrs[0].Mode & TypeMask).ShouldBe(TypeLink);
        gofer.Client.ReadLink(fids[0], out string target).ShouldBe(HostErrno.None);
        target.ShouldBe("/etc");
    }

    [Fact]
    public void AWalkStopsAtAFile()
    {
        using GoferFixture gofer = new();
        File.WriteAllText(gofer.PathOf("f"), "");
        gofer.Client.Walk(gofer.RootFid, ["f", "x"], new uint[2], new Attr[2], out int walked, out WalkEnd end).ShouldBe(HostErrno.None);
        walked.ShouldBe(1);
        end.ShouldBe(WalkEnd.NotDirectory);
    }

    [Theory]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("a/b")]
    [InlineData("/etc")]
    [InlineData("../etc")]
    public void NamesThatAreNoNamesAreRefused(string name)
    {
        using GoferFixture gofer = new();
        Directory.CreateDirectory(gofer.PathOf("a/b"));
        gofer.Client.Walk(gofer.RootFid, [name], new uint[1], new Attr[1], out int walked, out _).ShouldBe(HostErrno.EINVAL);
        walked.ShouldBe(0);
        gofer.Client.WalkStat(gofer.RootFid, ["a", name], new Attr[2], out _, out _).ShouldBe(HostErrno.EINVAL);
        gofer.Client.CreateFile(gofer.RootFid, name, 1, 0x1A4, 0, 0, out _, out _, out _).ShouldBe(HostErrno.EINVAL);
        gofer.Client.Make(gofer.RootFid, name, TypeDirectory | 0x1ED, 0, 0, "", out _, out _).ShouldBe(HostErrno.EINVAL);
        gofer.Client.Unlink(gofer.RootFid, name, 0).ShouldBe(HostErrno.EINVAL);
        gofer.Client.Rename(gofer.RootFid, "a", gofer.RootFid, name, 0).ShouldBe(HostErrno.EINVAL);
        gofer.Client.Link(gofer.RootFid, gofer.FidOf("a/b"), name).ShouldBe(HostErrno.EINVAL);
        Directory.Exists(gofer.PathOf("a/b")).ShouldBeTrue();
    }

    [Fact]
    public void ANameTooLongIsRefusedBeforeItTravels()
    {
        using GoferFixture gofer = new();
        gofer.Client.Walk(gofer.RootFid, [new string('x', 256)], new uint[1], new Attr[1], out _, out _).ShouldBe(HostErrno.ENAMETOOLONG);
        gofer.Client.Walk(gofer.RootFid, [new string('x', 255)], new uint[1], new Attr[1], out _, out WalkEnd end).ShouldBe(HostErrno.None);
        end.ShouldBe(WalkEnd.Missing);
    }

    [Fact]
    public void AFidFollowsItsFileThroughARename()
    {
        using GoferFixture gofer = new();
        Directory.CreateDirectory(gofer.PathOf("old"));
        File.WriteAllText(gofer.PathOf("old/f"), "one");
        uint directory = gofer.FidOf("old");
        Directory.Move(gofer.PathOf("old"), gofer.PathOf("new"));
        File.CreateSymbolicLink(gofer.PathOf("old"), "/etc");
        uint[] fid = new uint[1];
        Attr[] attr = new Attr[1];
        gofer.Client.Walk(directory, ["f"], fid, attr, out _, out WalkEnd end).ShouldBe(HostErrno.None);
        end.ShouldBe(WalkEnd.All);
        attr[0].Size.ShouldBe(3UL);
    }

    [Fact]
    public async Task NoRaceOfRenamesEverLeadsOut()
    {
        // A directory is swapped with a link to a host directory as fast as can be, while the walk goes through it.
        using GoferFixture gofer = new();
        string outside = Directory.CreateTempSubdirectory("outside").FullName;
        File.WriteAllText(Path.Combine(outside, "secret"), new string('s', 4321));
        Directory.CreateDirectory(gofer.PathOf("real"));
        File.WriteAllText(gofer.PathOf("real/secret"), "x");
        File.CreateSymbolicLink(gofer.PathOf("trap"), outside);
        File.CreateSymbolicLink(gofer.PathOf("door"), "real");
        using CancellationTokenSource stop = new();
        Task swapper = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                Exchange(gofer.PathOf("real"), gofer.PathOf("trap"));
            }
        });
        int found = 0;
        for (int i = 0; i < 5000; i++)
        {
            uint[] fids = new uint[2];
            Attr[] attrs = new Attr[2];
            gofer.Client.Walk(gofer.RootFid, ["real", "secret"], fids, attrs, out int walked, out WalkEnd end).ShouldBe(HostErrno.None);
            if (end == WalkEnd.All)
            {
                attrs[1].Size.ShouldBe(1UL);
                found++;
            }
            else
            {
                end.ShouldBe(WalkEnd.Symlink);
            }

            for (int n = 0; n < walked; n++)
            {
                gofer.Client.Drop(fids[n]);
            }
        }

        await stop.CancelAsync();
        await swapper;
        found.ShouldBeGreaterThan(0);
        Directory.Delete(outside, recursive: true);
    }

    [Fact]
    public void DroppedFidsFreeTheGofersDescriptors()
    {
        using GoferFixture gofer = new();
        File.WriteAllText(gofer.PathOf("f"), "");
        int before = Directory.GetFiles("/proc/self/fd").Length;
        for (int i = 0; i < 1000; i++)
        {
            gofer.Client.Drop(gofer.FidOf("f"));
        }

        gofer.Client.FlushDropped();
        (Directory.GetFiles("/proc/self/fd").Length - before).ShouldBeLessThan(100);
    }

    private static void Exchange(string one, string other) =>
        HostCalls.Renameat2(-100, Text(one), -100, Text(other), 2).OrThrow("renameat2");

    private static byte[] Text(string path) => System.Text.Encoding.UTF8.GetBytes(path + '\0');
}
