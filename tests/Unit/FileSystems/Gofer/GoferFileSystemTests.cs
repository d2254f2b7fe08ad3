// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Gofer;
using CVisor.Host;

namespace CVisor.FileSystems.Tests;

/// <summary>The host's files as the VFS sees them.</summary>
public class GoferFileSystemTests
{
    /// <summary>Whether the tree's root is handed over, as with <c>--directfs</c>.</summary>
    protected virtual bool IsDirect => false;

    private static OperationContext Kernel => OperationContext.Kernel;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void FilesAreReadWrittenAndGrow(bool donates)
    {
        using GoferMount mount = new(donates: donates, isDirect: IsDirect);
        File.WriteAllText(mount.PathOf("f"), "hello");
        Inode file = mount.Root.Find("f");
        file.Stat().SizeBytes.ShouldBe(5UL);
        FileDescription open = file.Open(OpenFlags.ReadWrite);
        open.ReadAll().ShouldBe("hello");
        open.Put(" world").Count.ShouldBe(6);
        file.Stat().SizeBytes.ShouldBe(11UL);
        open.Seek(-5, 2).Count.ShouldBe(6);
        open.ReadAll().ShouldBe("world");
        open.Unreference();
        FileDescription append = file.Open(OpenFlags.WriteOnly | OpenFlags.Append);
        append.Put("!").Count.ShouldBe(1);
        append.Unreference();
        File.ReadAllText(mount.PathOf("f")).ShouldBe("hello world!");
        file.SetAttributes(Kernel, new AttributeChange { Mask = AttributeMask.Size, SizeBytes = 3 }).ShouldBe(Errno.None);
        file.Stat().SizeBytes.ShouldBe(3UL);
        File.ReadAllText(mount.PathOf("f")).ShouldBe("hel");
    }

    [Fact]
    public void NewFilesAreThereAtOnce()
    {
        using GoferMount mount = new(isDirect: IsDirect);
        mount.Root.List().ShouldBe([".", ".."]);
        mount.Root.Create(Kernel, "f", 0x1a4, out Inode? file).ShouldBe(Errno.None);
        file!.Reference();
        file.Open(OpenFlags.WriteOnly).Put("text").Count.ShouldBe(4);
        file.Open(OpenFlags.ReadOnly).ReadAll().ShouldBe("text");
        mount.Root.MakeDirectory(Kernel, "d", 0x1c0, out Inode? directory).ShouldBe(Errno.None);
        directory!.Reference();
        (directory.Stat().Mode & 0xfff).ShouldBe(0x1c0u);
        mount.Root.MakeSymlink(Kernel, "l", "d/f", out Inode? link).ShouldBe(Errno.None);
        link!.Reference();
        link.ReadLink(Kernel, out string target).ShouldBe(Errno.None);
        target.ShouldBe("d/f");
        mount.Root.MakeNode(Kernel, "p", 0x1180, 0, out Inode? fifo).ShouldBe(Errno.None);
        fifo!.Type.ShouldBe(FileType.Fifo);
        mount.Root.List().Order().ShouldBe([".", "..", "d", "f", "l", "p"]);
        directory.Link(Kernel, "hard", file).ShouldBe(Errno.None);
        file.Stat().LinkCount.ShouldBe(2u);
        directory.Find("hard").ShouldBeSameAs(file);
        mount.Root.Rename(Kernel, "f", file, directory, "g", null, 0).ShouldBe(Errno.None);
        mount.Root.TryFind("f").ShouldBe(Errno.ENOENT);
        directory.List().Order().ShouldBe([".", "..", "g", "hard"]);
        mount.Root.RemoveDirectory(Kernel, "d", directory).ShouldBe(Errno.ENOTEMPTY);
        directory.Unlink(Kernel, "g", file).ShouldBe(Errno.None);
        directory.Unlink(Kernel, "hard", file).ShouldBe(Errno.None);
        file.Stat().LinkCount.ShouldBe(0u);
        mount.Root.RemoveDirectory(Kernel, "d", directory).ShouldBe(Errno.None);
    }

    [Fact]
    public void ExclusiveAttributesAreKeptAndSharedOnesAsked()
    {
        using GoferMount exclusive = new(GoferSharing.Exclusive, isDirect: IsDirect);
        using GoferMount shared = new(GoferSharing.Shared, isDirect: IsDirect);
        foreach (GoferMount mount in new[] { exclusive, shared })
        {
            File.WriteAllText(mount.PathOf("f"), "1");
            Inode file = mount.Root.Find("f");
            File.WriteAllText(mount.PathOf("f"), "12345");
            file.Stat().SizeBytes.ShouldBe(mount == exclusive ? 1UL : 5UL);
        }
    }

    [Fact]
    public void ManyMissesAreAnsweredFromAListing()
    {
        using GoferMount mount = new(populate: tree => File.WriteAllText(Path.Combine(tree, "there"), "")); // a tree that was handed over is asked itself
        for (int i = 0; i < 10; i++)
        {
            mount.Root.TryFind("missing" + i).ShouldBe(Errno.ENOENT);
        }

        File.WriteAllText(mount.PathOf("behind our back"), ""); // exclusive: the listing is believed
        mount.Root.TryFind("behind our back").ShouldBe(Errno.ENOENT);
        mount.Root.TryFind("there").ShouldBe(Errno.None);
        mount.Root.Create(Kernel, "ours", 0x1a4, out _).ShouldBe(Errno.None);
        mount.Root.TryFind("ours").ShouldBe(Errno.None);
        mount.Root.Unlink(Kernel, "ours", mount.Root.Find("ours")).ShouldBe(Errno.None);
        mount.Root.TryFind("ours").ShouldBe(Errno.ENOENT);
    }

    [Theory]
    [InlineData(GoferSharing.Exclusive)]
    [InlineData(GoferSharing.Shared)]
    public void MountPointsLeaveTheHostAlone(GoferSharing sharing)
    {
        using GoferMount mount = new(sharing, readOnly: true, populate: tree => Directory.CreateDirectory(Path.Combine(tree, "d")), isDirect: IsDirect);
        mount.FileSystem.MakesMountPoints = true;
        mount.Root.Find("d").MakeDirectory(Kernel, "proc", 0x1ed, out Inode? proc).ShouldBe(Errno.None);
        proc!.MakeNode(Kernel, "file", 0x81a4, 0, out _).ShouldBe(Errno.None);
        mount.FileSystem.MakesMountPoints = false;
        proc.MakeDirectory(Kernel, "more", 0x1ed, out _).ShouldBe(Errno.EPERM);
        mount.Root.Find("d/proc/file").Type.ShouldBe(FileType.Regular);
        mount.Root.Find("d").Revalidate(Kernel, "proc", proc).ShouldBeTrue();
        mount.Root.Find("d").List().ShouldBe([".", "..", "proc"]);
        proc.List().ShouldBe([".", "..", "file"]);
        Directory.GetFileSystemEntries(mount.PathOf("d")).ShouldBeEmpty();
    }

    [Fact]
    public void SharedNamesAreRevalidated()
    {
        using GoferMount mount = new(GoferSharing.Shared, isDirect: IsDirect);
        File.WriteAllText(mount.PathOf("f"), "1");
        Inode file = mount.Root.Find("f");
        mount.Root.Revalidate(Kernel, "f", file).ShouldBeTrue();
        mount.Root.Revalidate(Kernel, "g", null).ShouldBeTrue();
        File.Move(mount.PathOf("f"), mount.PathOf("g"));
        mount.Root.Revalidate(Kernel, "f", file).ShouldBeFalse();
        mount.Root.Revalidate(Kernel, "g", null).ShouldBeFalse();
        mount.Root.Revalidate(Kernel, "g", file).ShouldBeTrue();
        File.WriteAllText(mount.PathOf("f"), "another");
        mount.Root.Revalidate(Kernel, "f", file).ShouldBeFalse();
    }

    [Fact]
    public void AReleasedInodeFreesItsFidAndIsFoundAnew()
    {
        using GoferMount mount = new(isDirect: IsDirect);
        File.WriteAllText(mount.PathOf("f"), "1");
        int before = Directory.GetFiles("/proc/self/fd").Length;
        for (int i = 0; i < 500; i++)
        {
            Inode file = mount.Root.Find("f");
            FileDescription open = file.Open(OpenFlags.ReadOnly);
            open.ReadAll().ShouldBe("1");
            open.Unreference();
            file.Unreference();
        }

        (Directory.GetFiles("/proc/self/fd").Length - before).ShouldBeLessThan(80);
    }

    [Fact]
    public void AFileIsMappedFromItsDescriptor()
    {
        using GoferMount mount = new(isDirect: IsDirect);
        File.WriteAllText(mount.PathOf("f"), new string('m', 10_000));
        FileDescription open = mount.Root.Find("f").Open(OpenFlags.ReadOnly);
        MapRequest request = new() { Length = 1 << 20 };
        open.ConfigureMap(null!, ref request).ShouldBe(Errno.None);
        request.Source.ShouldNotBeNull();
        request.Source.Reference();
        request.Source.GetMemory(4096, 1 << 20, write: false, out MemoryExtent extent).ShouldBe(Errno.None);
        extent.Offset.ShouldBe(4096UL);
        extent.Length.ShouldBe(8192UL); // to the end of the file's last page
        extent.File.GetAddress(4096, 100, out _).ShouldNotBe((nuint)0);
        request.Source.GetMemory(12288, 4096, write: false, out _).ShouldBe(Errno.ENXIO);
        open.Unreference();
        HostStat stat = default;
        HostCalls.Fstat(extent.File.HostFd, ref stat).Error.ShouldBe(HostErrno.None); // the mapping keeps it open
        extent.File.Unreference(extent.Offset, extent.Length);
        request.Source.Unreference();
    }

    [Fact]
    public void OwnersAndGroupsOfNewFilesFollowTheDirectory()
    {
        Assert.SkipUnless(HostCalls.Geteuid().Value == 0, "needs root to give files away");
        using GoferMount mount = new(isDirect: IsDirect);
        mount.Root.SetAttributes(Kernel, new AttributeChange { Mask = AttributeMask.Gid | AttributeMask.Mode, Gid = 77, Mode = 0x5ff }).ShouldBe(Errno.None);
        OperationContext user = new(Core.Credentials.UserCredentials.Root with { FileUid = 1000, FileGid = 1000 }, null);
        mount.Root.Create(user, "f", 0x1a4, out Inode? file).ShouldBe(Errno.None);
        (file!.Stat().Uid, file!.Stat().Gid).ShouldBe((1000u, 77u));
        mount.Root.MakeDirectory(user, "d", 0x1ed, out Inode? directory).ShouldBe(Errno.None);
        (directory!.Stat().Mode & 0xfff).ShouldBe(0x5edu);
    }

    [Fact]
    public void AReadOnlyTreeRefusesChanges()
    {
        using GoferMount mount = new(readOnly: true, isDirect: IsDirect);
        File.WriteAllText(mount.PathOf("f"), "1");
        Inode file = mount.Root.Find("f");
        file.TryOpen(OpenFlags.WriteOnly).ShouldBe(Errno.EROFS);
        mount.Root.Create(Kernel, "g", 0x1a4, out _).ShouldBe(Errno.EROFS);
        file.Open(OpenFlags.ReadOnly).ReadAll().ShouldBe("1");
    }

    [Fact]
    public void FiguresAreTold()
    {
        using GoferMount mount = new(isDirect: IsDirect);
        mount.FileSystem.GetStatistics(out FileSystemStatistics statistics).ShouldBe(Errno.None);
        statistics.BlockSize.ShouldBeGreaterThan(0UL);
        mount.FileSystem.Sync().ShouldBe(Errno.None);
    }
}
