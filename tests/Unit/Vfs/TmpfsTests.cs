// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Tmpfs;

namespace CVisor.Vfs.Tests;

public sealed class TmpfsTests
{
    private readonly Tree _tree = new();

    [Fact]
    public void Data_is_kept_and_sparse()
    {
        FileDescription file = _tree.Open("/f", OpenFlags.ReadWrite | OpenFlags.Create);
        Tree.Write(file, "start").ShouldBe(5);
        Tree.Write(file, "far", 1 << 20).ShouldBe(3);
        _tree.Stat("/f").SizeBytes.ShouldBe((1UL << 20) + 3);
        _tree.Stat("/f").Blocks.ShouldBe(16UL);
        Tree.Read(file, 8, 0).ShouldBe("start\0\0\0");
        Tree.Read(file, 8, (1 << 20) - 1).ShouldBe("\0far");
        file.Seek(0, 4).Count.ShouldBe(4096);
        file.Seek(4096, 3).Count.ShouldBe(1 << 20);
        file.Seek(1 << 21, 3).Error.ShouldBe(Errno.ENXIO);
        file.Unreference();
    }

    [Fact]
    public void Large_file_reads_back()
    {
        FileDescription file = _tree.Open("/f", OpenFlags.ReadWrite | OpenFlags.Create);
        byte[] data = new byte[5_000_001];
        new Random(1).NextBytes(data);
        for (int at = 0; at < data.Length;)
        {
            int piece = Math.Min(3777, data.Length - at);
            IoBuffer source = new(data.AsMemory(at, piece));
            file.Write(null, ref source).Count.ShouldBe(piece);
            at += piece;
        }

        byte[] back = new byte[data.Length];
        IoBuffer destination = new(back);
        file.ReadAt(null, ref destination, 0).Count.ShouldBe(data.Length);
        back.ShouldBe(data);
        file.Unreference();
    }

    [Fact]
    public void Truncation_zeroes_what_comes_back()
    {
        FileDescription file = _tree.Open("/f", OpenFlags.ReadWrite | OpenFlags.Create);
        Tree.Write(file, new string('x', 10000));
        VirtualFileSystem.Truncate(_tree.Who, file, 5).ShouldBe(Errno.None);
        VirtualFileSystem.Truncate(_tree.Who, file, 10000).ShouldBe(Errno.None);
        Tree.Read(file, 10000, 0).ShouldBe("xxxxx" + new string('\0', 9995));
        _tree.Stat("/f").Blocks.ShouldBe(8UL);
        file.Unreference();
    }

    [Fact]
    public void Holes_are_punched()
    {
        FileDescription file = _tree.Open("/f", OpenFlags.ReadWrite | OpenFlags.Create);
        Tree.Write(file, new string('x', 16384));
        file.Allocate(null, 3, 4000, 8192).ShouldBe(Errno.None);
        Tree.Read(file, 16384, 0).ShouldBe(new string('x', 4000) + new string('\0', 8192) + new string('x', 4192));
        _tree.Stat("/f").Blocks.ShouldBe(24UL);
        file.Allocate(null, 3, 100, 10).ShouldBe(Errno.None);
        Tree.Read(file, 12, 99).ShouldBe("x" + new string('\0', 10) + "x");
        file.Unreference();
    }

    [Fact]
    public void Memory_comes_back_when_a_file_goes()
    {
        SandboxMemory memory = SandboxMemory.Create(1UL << 32); // of its own: other tests run meanwhile
        Tree tree = new(memory: memory);
        long before = memory.UsedBytes;
        FileDescription file = tree.Open("/f", OpenFlags.ReadWrite | OpenFlags.Create);
        Tree.Write(file, new string('x', 1 << 20));
        tree.Unlink("/f").ShouldBe(Errno.None);
        memory.UsedBytes.ShouldBeGreaterThanOrEqualTo(before + (1 << 20));
        Tree.Read(file, 3, 0).ShouldBe("xxx");
        file.Unreference();
        memory.UsedBytes.ShouldBe(before);
        tree.FileSystem.GetStatistics(out FileSystemStatistics statistics).ShouldBe(Errno.None);
        statistics.Type.ShouldBe(0x01021994UL);
    }

    [Fact]
    public void Append_writes_at_the_end()
    {
        _tree.Write("/f", "one");
        FileDescription file = _tree.Open("/f", OpenFlags.ReadWrite | OpenFlags.Append);
        Tree.Write(file, "two");
        _tree.Read("/f").ShouldBe("onetwo");
        file.Seek(0, 1).Count.ShouldBe(6);
        file.Unreference();
    }

    [Fact]
    public void Limits_hold()
    {
        Tree small = new(new TmpfsOptions { SizeLimitBytes = 8192, InodeLimit = 3 });
        FileDescription file = small.Open("/f", OpenFlags.ReadWrite | OpenFlags.Create);
        Tree.Write(file, new string('x', 20000)).ShouldBe(8192);
        Tree.Write(file, "x").ShouldBe(-(long)Errno.ENOSPC);
        small.MakeDirectory("/d").ShouldBe(Errno.None);
        small.MakeDirectory("/e").ShouldBe(Errno.ENOSPC);
        small.RemoveDirectory("/d").ShouldBe(Errno.None);
        small.MakeDirectory("/e").ShouldBe(Errno.None);
        file.Unreference();
    }

    [Fact]
    public void Open_flags_mean_what_they_say()
    {
        _tree.Write("/f", "data");
        _tree.Symlink("f", "/link").ShouldBe(Errno.None);
        _tree.Symlink("fresh", "/tofresh").ShouldBe(Errno.None);
        _tree.MakeDirectory("/d").ShouldBe(Errno.None);
        Try("/f", OpenFlags.Create | OpenFlags.Exclusive).ShouldBe(Errno.EEXIST);
        Try("/link", OpenFlags.Create | OpenFlags.Exclusive).ShouldBe(Errno.EEXIST);
        Try("/link", OpenFlags.NoFollow).ShouldBe(Errno.ELOOP);
        Try("/link", OpenFlags.NoFollow | OpenFlags.Path).ShouldBe(Errno.None);
        Try("/f", OpenFlags.Directory).ShouldBe(Errno.ENOTDIR);
        Try("/f/", OpenFlags.ReadOnly).ShouldBe(Errno.ENOTDIR);
        Try("/d", OpenFlags.ReadWrite).ShouldBe(Errno.EISDIR);
        Try("/d", OpenFlags.Create).ShouldBe(Errno.EISDIR);
        Try("/new/", OpenFlags.Create).ShouldBe(Errno.EISDIR);
        Try("/missing", OpenFlags.ReadOnly).ShouldBe(Errno.ENOENT);
        Try("/tofresh", OpenFlags.Create | OpenFlags.WriteOnly).ShouldBe(Errno.None);
        _tree.Where("/fresh").ShouldBe("/fresh");
        Try("/f", OpenFlags.WriteOnly | OpenFlags.Truncate).ShouldBe(Errno.None);
        _tree.Stat("/f").SizeBytes.ShouldBe(0UL);
        Try("/d", OpenFlags.TempFile | OpenFlags.ReadWrite).ShouldBe(Errno.None);
        Try("/d", OpenFlags.TempFile).ShouldBe(Errno.EINVAL);
        _tree.List("/d").ShouldBe([".", ".."]);

        Errno Try(string path, OpenFlags flags)
        {
            Errno error = _tree.TryOpen(path, flags, out FileDescription? file);
            file?.Unreference();
            return error;
        }
    }

    [Fact]
    public void Names_come_and_go()
    {
        _tree.MakeDirectory("/d").ShouldBe(Errno.None);
        _tree.MakeDirectory("/d").ShouldBe(Errno.EEXIST);
        _tree.MakeDirectory("/d/.").ShouldBe(Errno.EEXIST);
        _tree.MakeDirectory("/x/y").ShouldBe(Errno.ENOENT);
        _tree.Write("/d/f", "x");
        _tree.RemoveDirectory("/d").ShouldBe(Errno.ENOTEMPTY);
        _tree.RemoveDirectory("/d/f").ShouldBe(Errno.ENOTDIR);
        _tree.RemoveDirectory("/d/.").ShouldBe(Errno.EINVAL);
        _tree.RemoveDirectory("/").ShouldBe(Errno.EBUSY);
        _tree.Unlink("/d").ShouldBe(Errno.EISDIR);
        _tree.Unlink("/d/f/").ShouldBe(Errno.ENOTDIR);
        _tree.Link("/d/f", "/g").ShouldBe(Errno.None);
        _tree.Stat("/g").LinkCount.ShouldBe(2U);
        _tree.Link("/d", "/dd").ShouldBe(Errno.EPERM);
        _tree.Unlink("/d/f").ShouldBe(Errno.None);
        _tree.Stat("/g").LinkCount.ShouldBe(1U);
        _tree.Stat("/").LinkCount.ShouldBe(3U);
        VfsPath gone = _tree.Find("/d");
        _tree.RemoveDirectory("/d").ShouldBe(Errno.None);
        _tree.Stat("/").LinkCount.ShouldBe(2U);
        _tree.Start = gone;
        _tree.MakeDirectory("sub").ShouldBe(Errno.ENOENT);
        PathText.Of(gone, _tree.Root).ShouldBe("/d (deleted)");
    }

    [Fact]
    public void Rename_replaces_exchanges_or_refuses()
    {
        _tree.Write("/a", "A");
        _tree.Write("/b", "B");
        _tree.MakeDirectory("/d").ShouldBe(Errno.None);
        _tree.MakeDirectory("/d/e").ShouldBe(Errno.None);
        _tree.Rename("/a", "/b", RenameFlags.NoReplace).ShouldBe(Errno.EEXIST);
        _tree.Rename("/a", "/b", RenameFlags.Exchange).ShouldBe(Errno.None);
        _tree.Read("/a").ShouldBe("B");
        _tree.Rename("/a", "/b").ShouldBe(Errno.None);
        _tree.Read("/b").ShouldBe("B");
        _tree.Where("/a").ShouldBe("ENOENT");
        _tree.Rename("/b", "/d").ShouldBe(Errno.EISDIR);
        _tree.Rename("/d", "/b").ShouldBe(Errno.ENOTDIR);
        _tree.Rename("/d", "/d/e/f").ShouldBe(Errno.EINVAL);
        _tree.Rename("/d/e", "/d").ShouldBe(Errno.ENOTEMPTY);
        _tree.Rename("/b", "/d/e/b").ShouldBe(Errno.None);
        _tree.Rename("/d/e", "/e").ShouldBe(Errno.None);
        _tree.Read("/e/b").ShouldBe("B");
        _tree.Where("/e/b/../..").ShouldBe("ENOTDIR");
        _tree.Where("/e/..").ShouldBe("/");
        _tree.Stat("/d").LinkCount.ShouldBe(2U);
        _tree.Rename("/e", "/d").ShouldBe(Errno.None);
        _tree.Read("/d/b").ShouldBe("B");
        _tree.Rename("/missing", "/x").ShouldBe(Errno.ENOENT);
        _tree.Link("/d/b", "/d/c").ShouldBe(Errno.None);
        _tree.Rename("/d/b", "/d/c").ShouldBe(Errno.None);
        _tree.List("/d").ShouldBe([".", "..", "b", "c"]);
    }

    [Fact]
    public void Sticky_directories_protect_others_files()
    {
        _tree.MakeDirectory("/tmp", 0x3ff).ShouldBe(Errno.None);
        _tree.Find("/tmp").Inode.SetAttributes(_tree.Who, new AttributeChange { Mask = AttributeMask.Mode, Mode = 0x3ff }).ShouldBe(Errno.None);
        _tree.Write("/tmp/roots", "x");
        _tree.Who = Tree.User(1000);
        _tree.Unlink("/tmp/roots").ShouldBe(Errno.EPERM);
        _tree.Write("/tmp/mine", "x");
        _tree.Unlink("/tmp/mine").ShouldBe(Errno.None);
        _tree.MakeDirectory("/other").ShouldBe(Errno.EACCES);
        VirtualFileSystem.SetMode(_tree.Who, _tree.Find("/tmp/roots"), 0x1ff).ShouldBe(Errno.EPERM);
        VirtualFileSystem.SetOwner(_tree.Who, _tree.Find("/tmp/roots"), 1000, 1000).ShouldBe(Errno.EPERM);
    }

    [Fact]
    public void Listing_goes_on_where_it_stopped()
    {
        for (int i = 0; i < 100; i++)
        {
            _tree.Write($"/f{i}", "");
        }

        FileDescription directory = _tree.Open("/", OpenFlags.Directory);
        HashSet<string> seen = [];
        while (true)
        {
            Tree.Names names = new() { Room = 7 };
            directory.ReadDirectory(_tree.Who, names).ShouldBe(Errno.None);
            if (names.All.Count == 0)
            {
                break;
            }

            foreach (string name in names.All)
            {
                seen.Add(name).ShouldBeTrue();
                if (name[0] == 'f')
                {
                    _tree.Unlink("/" + name).ShouldBe(Errno.None);
                }
            }
        }

        seen.Count.ShouldBe(102);
        directory.Unreference();
    }

    [Fact]
    public void Extended_attributes_are_kept_by_class()
    {
        _tree.Write("/f", "x");
        VfsPath file = _tree.Find("/f");
        VirtualFileSystem.SetExtendedAttribute(_tree.Who, file, "user.a", "1"u8, 0).ShouldBe(Errno.None);
        VirtualFileSystem.SetExtendedAttribute(_tree.Who, file, "user.a", "1"u8, 1).ShouldBe(Errno.EEXIST);
        VirtualFileSystem.SetExtendedAttribute(_tree.Who, file, "user.b", "1"u8, 2).ShouldBe(Errno.ENODATA);
        VirtualFileSystem.SetExtendedAttribute(_tree.Who, file, "trusted.t", "1"u8, 0).ShouldBe(Errno.None);
        VirtualFileSystem.SetExtendedAttribute(_tree.Who, file, "odd", "1"u8, 0).ShouldBe(Errno.EOPNOTSUPP);
        VirtualFileSystem.ListExtendedAttributes(Tree.User(1000), file, out List<string> names).ShouldBe(Errno.None);
        names.ShouldBe(["user.a"]);
        VirtualFileSystem.GetExtendedAttribute(Tree.User(1000), file, "trusted.t", out _).ShouldBe(Errno.ENODATA);
        VirtualFileSystem.RemoveExtendedAttribute(_tree.Who, file, "user.a").ShouldBe(Errno.None);
        VirtualFileSystem.GetExtendedAttribute(_tree.Who, file, "user.a", out _).ShouldBe(Errno.ENODATA);
    }

    [Fact]
    public void Seals_forbid()
    {
        TmpfsRegular file = TmpfsRegular.OpenUnnamed(_tree.FileSystem, _tree.Who, "memfd:x", 0x1ff, FileSeals.None).Description.ShouldBeOfType<TmpfsFileDescription>().File;
        IoBuffer data = new("hello"u8.ToArray());
        long offset = 0;
        file.Write(ref data, ref offset).Count.ShouldBe(5);
        file.AddSeals(FileSeals.Grow | FileSeals.Shrink).ShouldBe(Errno.None);
        data = new("hello!"u8.ToArray());
        file.Write(ref data, ref offset).Count.ShouldBe(5);
        file.SetAttributes(_tree.Who, new AttributeChange { Mask = AttributeMask.Size, SizeBytes = 3 }).ShouldBe(Errno.EPERM);
        file.AddSeals(FileSeals.Write | FileSeals.Seal).ShouldBe(Errno.None);
        data = new("h"u8.ToArray());
        file.Write(ref data, ref offset).Error.ShouldBe(Errno.EPERM);
        file.AddSeals(FileSeals.Execute).ShouldBe(Errno.EPERM);
    }
}
