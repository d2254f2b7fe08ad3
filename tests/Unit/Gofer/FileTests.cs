// SPDX-License-Identifier: Apache-2.0
using System.Text;
using CVisor.Gofer.Client;
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Tests;

/// <summary>Opening, making, reading, writing, changing and naming files.</summary>
public sealed class FileTests
{
    private const uint ReadOnly = 0, WriteOnly = 1, ReadWrite = 2, Truncate = 0x200, Directory_ = 0x10000;
    private const uint TypeMask = 0xF000, TypeDirectory = 0x4000, TypeLink = 0xA000, TypeFifo = 0x1000, TypeDevice = 0x2000;
    private static readonly uint s_uid = (uint)HostCalls.Geteuid().Value;
    private static readonly uint s_gid = (uint)HostCalls.Getegid().Value;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AFileIsReadAndWritten(bool donates)
    {
        using GoferFixture gofer = new(options => options with { DonatesFiles = donates });
        File.WriteAllText(gofer.PathOf("f"), "hello world");
        gofer.Client.OpenFile(gofer.FidOf("f"), ReadWrite, out GoferOpen open).ShouldBe(HostErrno.None);
        open.IsDonated.ShouldBe(donates);
        byte[] buffer = new byte[64];
        if (donates)
        {
            HostCalls.Pread(open.HostFd, buffer, 6).Int.ShouldBe(5);
            HostCalls.Pwrite(open.HostFd, "W"u8, 6).Int.ShouldBe(1);
            HostCalls.Close(open.HostFd).IsError.ShouldBeFalse();
        }
        else
        {
            gofer.Client.Read(open.Fid, 6, buffer).Int.ShouldBe(5);
            gofer.Client.Write(open.Fid, 6, "W"u8).Int.ShouldBe(1);
            gofer.Client.Read(open.Fid, 11, buffer.AsSpan(20)).Int.ShouldBe(0);
            gofer.Client.Sync(open.Fid, dataOnly: true).ShouldBe(HostErrno.None);
            gofer.Client.Sync([open.Fid], dataOnly: false).ShouldBe(HostErrno.None);
            gofer.Client.Allocate(open.Fid, 0, 0, 4096).ShouldBe(HostErrno.None);
            gofer.Client.Drop(open.Fid);
        }

        Encoding.ASCII.GetString(buffer, 0, 5).ShouldBe("world");
        File.ReadAllText(gofer.PathOf("f"))[..11].ShouldBe("hello World");
    }

    [Fact]
    public void ALongTransferIsSplitByTheCaller()
    {
        using GoferFixture gofer = new(options => options with { DonatesFiles = false });
        byte[] data = new byte[1_000_000];
        new Random(1).NextBytes(data);
        File.WriteAllBytes(gofer.PathOf("f"), data);
        gofer.Client.OpenFile(gofer.FidOf("f"), ReadWrite, out GoferOpen open).ShouldBe(HostErrno.None);
        gofer.Client.LongestPayload.ShouldBe(NinePLimits.MaxIo);
        byte[] seen = new byte[data.Length];
        int position = 0;
        while (position < seen.Length)
        {
            int count = gofer.Client.Read(open.Fid, (ulong)position, seen.AsSpan(position)).Int;
            count.ShouldBeInRange(1, NinePLimits.MaxIo);
            position += count;
        }

        seen.ShouldBe(data);
        gofer.Client.Write(open.Fid, 0, new byte[200_000]).Int.ShouldBe(NinePLimits.MaxIo);
    }

    [Fact]
    public void ANewFileHasItsModeWhateverTheUmask()
    {
        using GoferFixture gofer = new();
        HostErrno error = gofer.Client.CreateFile(gofer.RootFid, "f", ReadWrite, 0x1FF, s_uid, s_gid, out uint fid, out Attr attr, out GoferOpen open);
        error.ShouldBe(HostErrno.None);
        (attr.Mode & 0xFFF).ShouldBe(0x1FFu);
        gofer.Client.GetAttr(gofer.FidOf("f"), out attr).ShouldBe(HostErrno.None);
        (attr.Mode & 0xFFF).ShouldBe(0x1FFu);
        HostCalls.Pwrite(open.HostFd, "abc"u8, 0).Int.ShouldBe(3);
        HostCalls.Close(open.HostFd).IsError.ShouldBeFalse();
        gofer.Client.GetAttr(fid, out attr).ShouldBe(HostErrno.None);
        attr.Size.ShouldBe(3UL);
        gofer.Client.CreateFile(gofer.RootFid, "f", ReadWrite, 0x1FF, s_uid, s_gid, out _, out _, out _).ShouldBe(HostErrno.EEXIST);
    }

    [Fact]
    public void ACreateNeverFollowsALinkOut()
    {
        using GoferFixture gofer = new();
        string outside = Path.Combine(Path.GetTempPath(), "gofer-outside-" + Guid.NewGuid().ToString("N"));
        File.CreateSymbolicLink(gofer.PathOf("f"), outside);
        gofer.Client.CreateFile(gofer.RootFid, "f", ReadWrite, 0x1A4, s_uid, s_gid, out _, out _, out _).ShouldBe(HostErrno.EEXIST);
        gofer.Client.OpenFile(gofer.FidOf("f"), ReadOnly, out _).ShouldBe(HostErrno.ELOOP);
        File.Exists(outside).ShouldBeFalse();
    }

    [Fact]
    public void NewFilesBelongToTheGuestsUser()
    {
        Assert.SkipUnless(s_uid == 0, "needs root to give files away");
        using GoferFixture gofer = new();
        gofer.Client.CreateFile(gofer.RootFid, "f", WriteOnly, 0x9ED, 1234, 5678, out _, out Attr attr, out GoferOpen open).ShouldBe(HostErrno.None);
        HostCalls.Close(open.HostFd).IsError.ShouldBeFalse();
        attr.Uid.ShouldBe(1234u);
        attr.Gid.ShouldBe(5678u);
        (attr.Mode & 0xFFF).ShouldBe(0x9EDu); // the set-user-ID bit outlives the change of owner
        gofer.Client.Make(gofer.RootFid, "d", TypeDirectory | 0x1C0, 1, 2, "", out _, out attr).ShouldBe(HostErrno.None);
        (attr.Uid, attr.Gid, attr.Mode).ShouldBe((1u, 2u, TypeDirectory | 0x1C0));
        gofer.Client.Make(gofer.RootFid, "l", TypeLink | 0x1FF, 3, 4, "target", out _, out attr).ShouldBe(HostErrno.None);
        (attr.Uid, attr.Gid).ShouldBe((3u, 4u));
    }

    [Fact]
    public void NodesAreMadeButNoDevices()
    {
        using GoferFixture gofer = new();
        gofer.Client.Make(gofer.RootFid, "d", TypeDirectory | 0x1C0, s_uid, s_gid, "", out uint directory, out Attr attr).ShouldBe(HostErrno.None);
        (attr.Mode & TypeMask).ShouldBe(TypeDirectory);
        gofer.Client.Make(directory, "p", TypeFifo | 0x180, s_uid, s_gid, "", out uint fifo, out attr).ShouldBe(HostErrno.None);
        (attr.Mode & TypeMask).ShouldBe(TypeFifo);
        gofer.Client.OpenFile(fifo, ReadOnly, out _).ShouldBe(HostErrno.EACCES);
        gofer.Client.Make(directory, "l", TypeLink, s_uid, s_gid, "../x y", out uint link, out _).ShouldBe(HostErrno.None);
        gofer.Client.ReadLink(link, out string target).ShouldBe(HostErrno.None);
        target.ShouldBe("../x y");
        gofer.Client.Make(directory, "c", TypeDevice | 0x180, s_uid, s_gid, "", out _, out _).ShouldBe(HostErrno.EPERM);
        gofer.Client.Make(directory, "x", 0x1ED, s_uid, s_gid, "", out _, out _).ShouldBe(HostErrno.EPERM);
        Directory.GetFileSystemEntries(gofer.PathOf("d")).Length.ShouldBe(2);
    }

    [Fact]
    public void AttributesAreChangedAndToldBack()
    {
        using GoferFixture gofer = new();
        File.WriteAllText(gofer.PathOf("f"), "0123456789");
        uint fid = gofer.FidOf("f");
        gofer.Client.SetAttr(fid, new GoferChange { Mode = 0x180, Size = 4, MtimeNs = -1_500_000_000 }, out Attr attr).ShouldBe(HostErrno.None);
        (attr.Mode & 0xFFF).ShouldBe(0x180u);
        attr.Size.ShouldBe(4UL);
        (attr.MtimeS, attr.MtimeNs).ShouldBe((-2, 500_000_000u));
        gofer.Client.SetAttr(fid, new GoferChange { MtimeNs = GoferChange.Now }, out Attr now).ShouldBe(HostErrno.None);
        now.MtimeS.ShouldBeGreaterThan(1_600_000_000);
        now.AtimeS.ShouldBe(attr.AtimeS);
        gofer.Client.SetAttr(fid, new GoferChange { Size = ulong.MaxValue }, out _).ShouldBe(HostErrno.EINVAL);
        gofer.Client.SetAttr(gofer.RootFid, new GoferChange { Size = 1 }, out _).ShouldBe(HostErrno.EISDIR);
        File.ReadAllText(gofer.PathOf("f")).ShouldBe("0123");
    }

    [Fact]
    public void NamesAreLinkedRenamedAndRemoved()
    {
        using GoferFixture gofer = new();
        File.WriteAllText(gofer.PathOf("a"), "a");
        Directory.CreateDirectory(gofer.PathOf("d"));
        uint directory = gofer.FidOf("d");
        gofer.Client.Link(directory, gofer.FidOf("a"), "b").ShouldBe(HostErrno.None);
        gofer.Client.GetAttr(gofer.FidOf("a"), out Attr attr).ShouldBe(HostErrno.None);
        attr.Nlink.ShouldBe(2u);
        gofer.Client.Link(directory, directory, "loop").ShouldBe(HostErrno.EPERM);
        gofer.Client.Rename(gofer.RootFid, "a", directory, "b", 1).ShouldBe(HostErrno.EEXIST);
        gofer.Client.Rename(gofer.RootFid, "a", directory, "c", 1).ShouldBe(HostErrno.None);
        gofer.Client.Rename(directory, "b", directory, "c", 4).ShouldBe(HostErrno.EINVAL);
        gofer.Client.Unlink(gofer.RootFid, "d", 0x200).ShouldBe(HostErrno.ENOTEMPTY);
        gofer.Client.Unlink(gofer.RootFid, "d", 0).ShouldBe(HostErrno.EISDIR);
        gofer.Client.Unlink(directory, "b", 0).ShouldBe(HostErrno.None);
        gofer.Client.Unlink(directory, "c", 0).ShouldBe(HostErrno.None);
        gofer.Client.Unlink(gofer.RootFid, "d", 0x200).ShouldBe(HostErrno.None);
        Directory.GetFileSystemEntries(gofer.Root).ShouldBeEmpty();
    }

    [Fact]
    public void AnUnlinkedFileLivesOnInItsFid()
    {
        using GoferFixture gofer = new();
        File.WriteAllText(gofer.PathOf("f"), "still here");
        uint fid = gofer.FidOf("f");
        File.Delete(gofer.PathOf("f"));
        gofer.Client.GetAttr(fid, out Attr attr).ShouldBe(HostErrno.None);
        attr.Nlink.ShouldBe(0u);
        gofer.Client.OpenFile(fid, ReadOnly, out GoferOpen open).ShouldBe(HostErrno.None);
        byte[] buffer = new byte[10];
        HostCalls.Pread(open.HostFd, buffer, 0).Int.ShouldBe(10);
        HostCalls.Close(open.HostFd).IsError.ShouldBeFalse();
    }

    [Fact]
    public void TenThousandEntriesAreRead()
    {
        using GoferFixture gofer = new();
        for (int i = 0; i < 10_000; i++)
        {
            File.WriteAllBytes(gofer.PathOf($"a file with a rather long name, number {i}"), []);
        }

        gofer.Client.OpenFile(gofer.RootFid, ReadOnly | Directory_, out GoferOpen open).ShouldBe(HostErrno.None);
        open.IsDonated.ShouldBeFalse();
        List<GoferEntry> all = [];
        while (true)
        {
            int before = all.Count;
            gofer.Client.ReadDirectory(open.Fid, all.Count == 0 ? 0 : all[^1].Next, all).ShouldBe(HostErrno.None);
            if (all.Count == before)
            {
                break;
            }
        }

        all.Count.ShouldBe(10_002);
        all.Select(e => e.Name).Distinct().Count().ShouldBe(10_002);
        all.ShouldContain(e => e.Name == "..");

        // From the middle again: the same entries follow.
        List<GoferEntry> again = [];
        gofer.Client.ReadDirectory(open.Fid, all[5000].Next, again, 4096).ShouldBe(HostErrno.None);
        again[0].ShouldBe(all[5001]);
        gofer.Client.Drop(open.Fid);
    }

    [Fact]
    public void ShortNamesFitTheirRoom()
    {
        using GoferFixture gofer = new();
        for (int i = 0; i < 3000; i++)
        {
            File.WriteAllBytes(gofer.PathOf(i.ToString("x")), []);
        }

        gofer.Client.OpenFile(gofer.RootFid, Directory_, out GoferOpen open).ShouldBe(HostErrno.None);
        List<GoferEntry> all = [];
        int steps = 0;
        int before;
        do
        {
            before = all.Count;
            gofer.Client.ReadDirectory(open.Fid, all.Count == 0 ? 0 : all[^1].Next, all, 512).ShouldBe(HostErrno.None);
            steps++;
        }
        while (all.Count > before);
        all.Count.ShouldBe(3002);
        steps.ShouldBeGreaterThan(100);
    }

    [Fact]
    public void AttributesOfTheUserNamespaceAreKept()
    {
        using GoferFixture gofer = new();
        File.WriteAllText(gofer.PathOf("f"), "");
        uint fid = gofer.FidOf("f");
        HostErrno set = gofer.Client.SetXattr(fid, "user.one", "value"u8, 0);
        Assert.SkipWhen(set == HostErrno.EOPNOTSUPP, "the temporary directory's file system has no extended attributes");
        set.ShouldBe(HostErrno.None);
        gofer.Client.SetXattr(fid, "user.one", "value"u8, 1).ShouldBe(HostErrno.EEXIST);
        gofer.Client.GetXattr(fid, "user.one", default).Int.ShouldBe(5);
        byte[] buffer = new byte[100];
        gofer.Client.GetXattr(fid, "user.one", buffer).Int.ShouldBe(5);
        Encoding.ASCII.GetString(buffer, 0, 5).ShouldBe("value");
        gofer.Client.GetXattr(fid, "user.one", buffer.AsSpan(0, 2)).Error.ShouldBe(HostErrno.ERANGE);
        gofer.Client.GetXattr(fid, "user.two", buffer).Error.ShouldBe(HostErrno.ENODATA);
        int length = gofer.Client.ListXattr(fid, buffer).Int;
        Encoding.ASCII.GetString(buffer, 0, length).ShouldContain("user.one\0");
        gofer.Client.RemoveXattr(fid, "user.one").ShouldBe(HostErrno.None);
        gofer.Client.RemoveXattr(fid, "user.one").ShouldBe(HostErrno.ENODATA);
        gofer.Client.SetXattr(fid, "security.capability", "value"u8, 0).ShouldBe(HostErrno.EOPNOTSUPP);
        gofer.Client.SetXattr(fid, "trusted.x", "value"u8, 0).ShouldBe(HostErrno.EOPNOTSUPP);
    }

    [Fact]
    public void AReadOnlyTreeIsOnlyRead()
    {
        using GoferFixture gofer = new(options => options with { ReadOnly = true });
        gofer.Traits.HasFlag(MountTraits.ReadOnly).ShouldBeTrue();
        File.WriteAllText(gofer.PathOf("f"), "text");
        uint fid = gofer.FidOf("f");
        gofer.Client.OpenFile(fid, WriteOnly, out _).ShouldBe(HostErrno.EROFS);
        gofer.Client.OpenFile(fid, ReadWrite, out _).ShouldBe(HostErrno.EROFS);
        gofer.Client.OpenFile(fid, ReadOnly | Truncate, out _).ShouldBe(HostErrno.EROFS);
        gofer.Client.CreateFile(gofer.RootFid, "g", WriteOnly, 0x1A4, s_uid, s_gid, out _, out _, out _).ShouldBe(HostErrno.EROFS);
        gofer.Client.Make(gofer.RootFid, "d", TypeDirectory | 0x1ED, s_uid, s_gid, "", out _, out _).ShouldBe(HostErrno.EROFS);
        gofer.Client.SetAttr(fid, new GoferChange { Mode = 0 }, out _).ShouldBe(HostErrno.EROFS);
        gofer.Client.SetXattr(fid, "user.x", "v"u8, 0).ShouldBe(HostErrno.EROFS);
        gofer.Client.RemoveXattr(fid, "user.x").ShouldBe(HostErrno.EROFS);
        gofer.Client.Unlink(gofer.RootFid, "f", 0).ShouldBe(HostErrno.EROFS);
        gofer.Client.Link(gofer.RootFid, fid, "h").ShouldBe(HostErrno.EROFS);
        gofer.Client.Rename(gofer.RootFid, "f", gofer.RootFid, "g", 0).ShouldBe(HostErrno.EROFS);
        gofer.Client.OpenFile(fid, ReadOnly, out GoferOpen open).ShouldBe(HostErrno.None);
        HostCalls.Pwrite(open.HostFd, "x"u8, 0).Error.ShouldBe(HostErrno.EBADF);
        HostCalls.Close(open.HostFd).IsError.ShouldBeFalse();
        Directory.GetFileSystemEntries(gofer.Root).Length.ShouldBe(1);
        File.ReadAllText(gofer.PathOf("f")).ShouldBe("text");
    }

    [Fact]
    public void TheFileSystemsFiguresAreTold()
    {
        using GoferFixture gofer = new();
        gofer.Client.StatFs(gofer.RootFid, out StatfsReply stat).ShouldBe(HostErrno.None);
        stat.BlockSize.ShouldBeGreaterThan(0u);
        stat.NameLength.ShouldBeGreaterThanOrEqualTo(143u);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void HostSocketsNeedPermission(bool allowed)
    {
        using GoferFixture gofer = new(options => options with { OpensSockets = allowed, CreatesSockets = allowed });
        using System.Net.Sockets.Socket listener = new(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
        listener.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(gofer.PathOf("s")));
        listener.Listen();
        HostErrno error = gofer.Client.Connect(gofer.FidOf("s"), 1, out int fd);
        error.ShouldBe(allowed ? HostErrno.None : HostErrno.ECONNREFUSED);
        HostErrno bound = gofer.Client.Bind(gofer.RootFid, "made", 1, 0x180, s_uid, s_gid, out _, out Attr attr, out int boundFd);
        bound.ShouldBe(allowed ? HostErrno.None : HostErrno.EPERM);
        File.Exists(gofer.PathOf("made")).ShouldBe(allowed);
        if (allowed)
        {
            using System.Net.Sockets.Socket accepted = listener.Accept();
            accepted.Send("hi"u8);
            byte[] buffer = new byte[8];
            HostCalls.Read(fd, buffer).Int.ShouldBe(2);
            HostCalls.Close(fd).IsError.ShouldBeFalse();
            HostCalls.Close(boundFd).IsError.ShouldBeFalse();
            (attr.Mode & 0xFFF).ShouldBe(0x180u);
        }
    }
}
