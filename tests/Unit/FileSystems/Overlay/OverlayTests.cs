// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Overlay;

namespace CVisor.FileSystems.Tests;

/// <summary>Changes over a tree that stays as it is.</summary>
public sealed class OverlayTests : IDisposable
{
    private readonly GoferMount _lower = new(readOnly: true, populate: Populate);
    private readonly GoferMount _upper = new();
    private readonly OverlayFileSystem _overlay;

    public OverlayTests()
    {
        _overlay = new OverlayFileSystem(_lower.FileSystem, _upper.FileSystem);
    }

    private static void Populate(string tree)
    {
        Directory.CreateDirectory(Path.Combine(tree, "d/sub"));
        File.WriteAllText(Path.Combine(tree, "f"), "below");
        File.WriteAllText(Path.Combine(tree, "d/x"), "x");
        File.WriteAllText(Path.Combine(tree, "d/sub/deep"), "deep");
    }

    private static OperationContext Kernel => OperationContext.Kernel;

    private Inode Root => _overlay.Root;

    public void Dispose()
    {
        _lower.Dispose();
        _upper.Dispose();
    }

    [Fact]
    public void WhatIsBelowShowsThroughAndStaysAsItIs()
    {
        Inode file = Root.Find("f");
        ulong number = file.Stat().Inode;
        FileDescription open = file.Open(OpenFlags.ReadWrite);
        open.ReadAll().ShouldBe("below");
        open.Put(" and above").Count.ShouldBe(10);
        open.Unreference();
        Root.Find("f").ShouldBeSameAs(file);
        file.Open(OpenFlags.ReadOnly).ReadAll().ShouldBe("below and above");
        file.Stat().Inode.ShouldBe(number);
        file.Stat().SizeBytes.ShouldBe(15UL);
        file.Stat().LinkCount.ShouldBe(1u);
        File.ReadAllText(_lower.PathOf("f")).ShouldBe("below");
    }

    [Fact]
    public void AReaderSeesWhatIsWrittenLater()
    {
        Inode file = Root.Find("f");
        FileDescription reader = file.Open(OpenFlags.ReadOnly);
        byte[] two = new byte[2];
        IoBuffer io = new(two.AsMemory());
        reader.Read(null, ref io).Count.ShouldBe(2);
        FileDescription writer = file.Open(OpenFlags.WriteOnly);
        writer.Put("BELOW!").Count.ShouldBe(6);
        reader.ReadAll().ShouldBe("LOW!");
        reader.Unreference();
        writer.Unreference();
    }

    [Fact]
    public void ATruncatingOpenCopiesNothing()
    {
        Inode file = Root.Find("f");
        FileDescription open = file.Open(OpenFlags.WriteOnly | OpenFlags.Truncate);
        file.Stat().SizeBytes.ShouldBe(0UL);
        open.Unreference();
    }

    [Fact]
    public void AttributesAreChangedAbove()
    {
        Inode file = Root.Find("f");
        DateTime before = File.GetLastWriteTimeUtc(_lower.PathOf("f"));
        file.SetAttributes(Kernel, new AttributeChange { Mask = AttributeMask.Mode, Mode = 0x9c0 }).ShouldBe(Errno.None);
        Attributes attributes = file.Stat();
        (attributes.Mode & 0xfff).ShouldBe(0x9c0u);
        attributes.SizeBytes.ShouldBe(5UL);
        (attributes.ModifyTimeNs / 1_000_000_000).ShouldBe(new DateTimeOffset(before).ToUnixTimeSeconds());
        Root.Find("d").SetAttributes(Kernel, new AttributeChange { Mask = AttributeMask.ModifyTime, ModifyTimeNs = 42 }).ShouldBe(Errno.None);
        Root.Find("d").Stat().ModifyTimeNs.ShouldBe(42);
        Root.Find("d").List().Order().ShouldBe([".", "..", "sub", "x"]);
    }

    [Fact]
    public void NamesBelowAreHiddenAndMadeAnew()
    {
        Inode file = Root.Find("f");
        Root.Unlink(Kernel, "f", file).ShouldBe(Errno.None);
        Root.TryFind("f").ShouldBe(Errno.ENOENT);
        file.Stat().LinkCount.ShouldBe(0u);
        file.Open(OpenFlags.ReadOnly).ReadAll().ShouldBe("below");
        Root.List().Order().ShouldBe([".", "..", "d"]);
        Root.Create(Kernel, "f", 0x1a4, out Inode? made).ShouldBe(Errno.None);
        made!.Reference();
        made.Stat().SizeBytes.ShouldBe(0UL);
        made.Stat().LinkCount.ShouldBe(1u);
        Root.Unlink(Kernel, "f", made).ShouldBe(Errno.None);
        Root.TryFind("f").ShouldBe(Errno.ENOENT); // the one below does not come back
        File.Exists(_lower.PathOf("f")).ShouldBeTrue();
    }

    [Fact]
    public void ARemovedDirectoryComesBackEmpty()
    {
        Inode directory = Root.Find("d");
        Root.RemoveDirectory(Kernel, "d", directory).ShouldBe(Errno.ENOTEMPTY);
        Inode sub = Root.Find("d/sub");
        sub.Unlink(Kernel, "deep", sub.Find("deep")).ShouldBe(Errno.None);
        directory.RemoveDirectory(Kernel, "sub", sub).ShouldBe(Errno.None);
        directory.Stat().LinkCount.ShouldBe(2u);
        directory.Unlink(Kernel, "x", directory.Find("x")).ShouldBe(Errno.None);
        Root.RemoveDirectory(Kernel, "d", directory).ShouldBe(Errno.None);
        directory.Stat().LinkCount.ShouldBe(0u);
        Root.MakeDirectory(Kernel, "d", 0x1ed, out Inode? again).ShouldBe(Errno.None);
        again!.Reference();
        again.List().ShouldBe([".", ".."]);
        again.TryFind("x").ShouldBe(Errno.ENOENT);
        again.Stat().LinkCount.ShouldBe(2u);
        Root.Stat().LinkCount.ShouldBe(3u);
    }

    [Fact]
    public void DirectoriesFromBelowAreRenamedWithWhatIsInThem()
    {
        Inode directory = Root.Find("d");
        Root.Rename(Kernel, "d", directory, Root, "e", null, 0).ShouldBe(Errno.None);
        Root.TryFind("d").ShouldBe(Errno.ENOENT);
        Root.Find("e/sub/deep").Open(OpenFlags.ReadOnly).ReadAll().ShouldBe("deep");
        Root.List().Order().ShouldBe([".", "..", "e", "f"]);
        Inode sub = Root.Find("e/sub");
        directory.Rename(Kernel, "sub", sub, Root, "top", null, 0).ShouldBe(Errno.None);
        directory.Stat().LinkCount.ShouldBe(2u);
        Root.Stat().LinkCount.ShouldBe(4u);
        Root.Find("top/deep").ShouldNotBeNull();
        Directory.Exists(_lower.PathOf("d/sub")).ShouldBeTrue();
    }

    [Fact]
    public void ARenameReplacesAndExchanges()
    {
        Inode file = Root.Find("f");
        Inode directory = Root.Find("d");
        Inode x = Root.Find("d/x");
        Root.Rename(Kernel, "f", file, directory, "x", x, 2).ShouldBe(Errno.None);
        Root.Find("f").ShouldBeSameAs(x);
        Root.Find("d/x").ShouldBeSameAs(file);
        Root.Rename(Kernel, "f", x, directory, "x", file, 0).ShouldBe(Errno.None);
        Root.TryFind("f").ShouldBe(Errno.ENOENT);
        Root.Find("d/x").Open(OpenFlags.ReadOnly).ReadAll().ShouldBe("x");
        file.Stat().LinkCount.ShouldBe(0u);
        directory.Unlink(Kernel, "x", x).ShouldBe(Errno.None);
        directory.TryFind("x").ShouldBe(Errno.ENOENT);
        directory.Rename(Kernel, "sub", directory.Find("sub"), Root, "d", directory, 0).ShouldBe(Errno.ENOTEMPTY);
    }

    [Fact]
    public void LinksAreCounted()
    {
        Inode file = Root.Find("f");
        Inode directory = Root.Find("d");
        directory.Link(Kernel, "hard", file).ShouldBe(Errno.None);
        file.Stat().LinkCount.ShouldBe(2u);
        Root.Find("d/hard").ShouldBeSameAs(file);
        Root.Unlink(Kernel, "f", file).ShouldBe(Errno.None);
        file.Stat().LinkCount.ShouldBe(1u);
        Root.Find("d/hard").Open(OpenFlags.ReadWrite).Put("BE").Count.ShouldBe(2);
        Root.Find("d/hard").Open(OpenFlags.ReadOnly).ReadAll().ShouldBe("BElow");
        directory.Unlink(Kernel, "hard", file).ShouldBe(Errno.None);
        file.Stat().LinkCount.ShouldBe(0u);
    }

    [Fact]
    public void HardLinksBelowStayOneFileAfterACopy()
    {
        using GoferMount lower = new();
        File.WriteAllText(lower.PathOf("one"), "same");
        lower.Root.Link(Kernel, "two", lower.Root.Find("one")).ShouldBe(Errno.None);
        using GoferMount upper = new();
        OverlayFileSystem overlay = new(lower.FileSystem, upper.FileSystem);
        overlay.Root.Find("one").Open(OpenFlags.WriteOnly).Put("SAME").Count.ShouldBe(4);
        overlay.Root.Find("two").Open(OpenFlags.ReadOnly).ReadAll().ShouldBe("SAME");
        overlay.Root.Find("two").Stat().LinkCount.ShouldBe(2u);
        File.ReadAllText(lower.PathOf("two")).ShouldBe("same");
    }

    [Fact]
    public void AChangedFileIsFoundAgainAfterNobodyUsedIt()
    {
        Inode file = Root.Find("f");
        FileDescription open = file.Open(OpenFlags.WriteOnly);
        open.Put("ABOVE").Count.ShouldBe(5);
        open.Unreference();
        file.Unreference();
        _ = Root.Find("d");
        Root.Find("f").Open(OpenFlags.ReadOnly).ReadAll().ShouldBe("ABOVE");
    }

    [Fact]
    public void MappedPagesGoOverToTheCopy()
    {
        Inode file = Root.Find("f");
        FileDescription open = file.Open(OpenFlags.ReadOnly);
        MapRequest request = new() { Length = 4096, IsShared = true };
        open.ConfigureMap(null, ref request).ShouldBe(Errno.None);
        MemorySource source = request.Source!;
        source.Reference();
        source.GetMemory(0, 4096, write: false, out MemoryExtent below).ShouldBe(Errno.None);
        FileDescription writer = file.Open(OpenFlags.WriteOnly);
        writer.Put("copied").Count.ShouldBe(6);
        source.GetMemory(0, 4096, write: false, out MemoryExtent above).ShouldBe(Errno.None);
        above.File.ShouldNotBeSameAs(below.File);
        below.File.Unreference(below.Offset, below.Length);
        above.File.Unreference(above.Offset, above.Length);
        source.Unreference();
        open.Unreference();
        writer.Unreference();
    }

    [Fact]
    public void HolesAreNotCopied()
    {
        using (FileStream sparse = new(_lower.PathOf("sparse"), FileMode.Create))
        {
            sparse.SetLength(64 << 20);
            sparse.Position = 32 << 20;
            sparse.WriteByte(7);
        }

        Inode file = Root.Find("sparse");
        file.Open(OpenFlags.ReadWrite).Unreference();
        file.Stat().SizeBytes.ShouldBe(64UL << 20);
        file.Stat().Blocks.ShouldBeLessThan(8192UL);
        FileDescription open = file.Open(OpenFlags.ReadOnly);
        byte[] one = new byte[1];
        IoBuffer io = new(one.AsMemory());
        open.ReadAt(null, ref io, 32 << 20).Count.ShouldBe(1);
        one[0].ShouldBe((byte)7);
    }

    [Fact]
    public void UnusedNewFilesLeaveNothingAbove()
    {
        for (int i = 0; i < 20; i++)
        {
            Root.Create(Kernel, "n", 0x1a4, out Inode? made).ShouldBe(Errno.None);
            made!.Reference();
            Root.Unlink(Kernel, "n", made).ShouldBe(Errno.None);
            made.Unreference();
        }

        // Only the changed root's own attributes are kept.
        Directory.GetFileSystemEntries(_upper.Tree).Length.ShouldBe(1);
    }

    [Fact]
    public void SymbolicLinksAndNodesAreMade()
    {
        Root.MakeSymlink(Kernel, "l", "some/where", out Inode? link).ShouldBe(Errno.None);
        link!.ReadLink(Kernel, out string target).ShouldBe(Errno.None);
        target.ShouldBe("some/where");
        Root.MakeNode(Kernel, "p", 0x1180, 0, out Inode? fifo).ShouldBe(Errno.None);
        fifo!.Type.ShouldBe(FileType.Fifo);
        Root.CreateUnnamed(Kernel, 0x180, out Inode? unnamed).ShouldBe(Errno.None);
        unnamed!.Reference();
        unnamed.Stat().LinkCount.ShouldBe(0u);
        Root.Link(Kernel, "named", unnamed).ShouldBe(Errno.None);
        unnamed.Stat().LinkCount.ShouldBe(1u);
    }
}
