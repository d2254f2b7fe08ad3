// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Vfs;

namespace CVisor.Vfs.Tests;

public sealed class PathWalkTests
{
    private readonly Tree _tree = new();

    public PathWalkTests()
    {
        _tree.MakeDirectory("/a").ShouldBe(Errno.None);
        _tree.MakeDirectory("/a/b").ShouldBe(Errno.None);
        _tree.Write("/a/b/file", "hello");
        _tree.Symlink("b/file", "/a/link").ShouldBe(Errno.None);
        _tree.Symlink("/a/b", "/a/dirlink").ShouldBe(Errno.None);
        _tree.Symlink("loop2", "/a/loop1").ShouldBe(Errno.None);
        _tree.Symlink("loop1", "/a/loop2").ShouldBe(Errno.None);
        _tree.Symlink("nowhere", "/a/dangling").ShouldBe(Errno.None);
        _tree.Symlink("../../../../a", "/a/b/up").ShouldBe(Errno.None);
    }

    [Theory]
    [InlineData("/", "/")]
    [InlineData("//a//b/", "/a/b")]
    [InlineData("/a/./b/../b/file", "/a/b/file")]
    [InlineData("/../../a", "/a")]
    [InlineData("a/b", "/a/b")]
    [InlineData("/a/link", "/a/b/file")]
    [InlineData("/a/dirlink/file", "/a/b/file")]
    [InlineData("/a/dirlink/", "/a/b")]
    [InlineData("/a/b/up/b/file", "/a/b/file")]
    [InlineData("/a/b/file/", "ENOTDIR")]
    [InlineData("/a/b/file/x", "ENOTDIR")]
    [InlineData("/a/b/file/.", "ENOTDIR")]
    [InlineData("/a/link/", "ENOTDIR")]
    [InlineData("/a/missing", "ENOENT")]
    [InlineData("/a/missing/x", "ENOENT")]
    [InlineData("/a/loop1", "ELOOP")]
    [InlineData("/a/dangling", "ENOENT")]
    [InlineData("", "ENOENT")]
    public void Walks_to(string path, string expected) => _tree.Where(path).ShouldBe(expected);

    [Fact]
    public void Last_link_is_kept_unless_slashes_follow()
    {
        _tree.Where("/a/dirlink", WalkFlags.None).ShouldBe("/a/dirlink");
        _tree.Where("/a/dirlink/", WalkFlags.None).ShouldBe("/a/b");
    }

    [Fact]
    public void Names_and_chains_have_limits()
    {
        _tree.Where("/" + new string('x', 255)).ShouldBe("ENOENT");
        _tree.Where("/" + new string('x', 256)).ShouldBe("ENAMETOOLONG");
        for (int i = 0; i < 41; i++)
        {
            _tree.Symlink(i == 0 ? "/a" : $"/chain{i - 1}", $"/chain{i}").ShouldBe(Errno.None);
        }

        _tree.Where("/chain39").ShouldBe("/a");
        _tree.Where("/chain40").ShouldBe("ELOOP");
    }

    [Fact]
    public void Root_directory_is_a_wall()
    {
        _tree.Root = _tree.Find("/a");
        _tree.Start = _tree.Root;
        _tree.Where("../../b/..").ShouldBe("/");
        _tree.Where("/../b/file").ShouldBe("/b/file");
        _tree.Where("/dirlink").ShouldBe("ENOENT"); // "/a/b" is looked for below the new root.
    }

    [Fact]
    public void Search_needs_permission()
    {
        _tree.MakeDirectory("/private", 0x1c0).ShouldBe(Errno.None);
        _tree.Write("/private/file", "x");
        _tree.Who = Tree.User(1000);
        _tree.Where("/private").ShouldBe("/private");
        _tree.Where("/private/file").ShouldBe("EACCES");
        _tree.Where("/private/.").ShouldBe("EACCES");
        _tree.TryOpen("/private", OpenFlags.ReadOnly, out _).ShouldBe(Errno.EACCES);
    }

    [Theory]
    [InlineData("b/file", WalkFlags.Beneath, "/a/b/file")]
    [InlineData("b/../..", WalkFlags.Beneath, "EXDEV")]
    [InlineData("/a/b", WalkFlags.Beneath, "EXDEV")]
    [InlineData("dirlink", WalkFlags.Beneath | WalkFlags.FollowLast, "EXDEV")]
    [InlineData("b/up", WalkFlags.Beneath | WalkFlags.FollowLast, "EXDEV")]
    [InlineData("b/up/b", WalkFlags.InRoot | WalkFlags.FollowLast, "ENOENT")]
    [InlineData("/b/file", WalkFlags.InRoot, "/a/b/file")]
    [InlineData("../b", WalkFlags.InRoot, "/a/b")]
    [InlineData("link", WalkFlags.NoSymlinks | WalkFlags.FollowLast, "ELOOP")]
    [InlineData("link", WalkFlags.NoSymlinks, "/a/link")]
    [InlineData("", WalkFlags.AllowEmpty, "/a")]
    public void Restrictions_hold(string path, WalkFlags flags, string expected)
    {
        _tree.Start = _tree.Find("/a");
        _tree.Where(path, flags).ShouldBe(expected);
    }

    [Fact]
    public void Mounts_are_crossed_both_ways()
    {
        Tree other = new();
        other.MakeDirectory("/inner").ShouldBe(Errno.None);
        Mount mount = new(other.FileSystem, MountFlags.None, "other");
        VfsPath place = _tree.Find("/a/b");
        _tree.Mounts.Attach(mount, place).ShouldBe(Errno.None);
        _tree.Where("/a/b/inner").ShouldBe("/a/b/inner");
        _tree.Where("/a/b/inner/../../link", WalkFlags.None).ShouldBe("/a/link");
        _tree.Where("/a/b/file").ShouldBe("ENOENT");
        _tree.Where("/a/b/inner", WalkFlags.NoCrossMounts).ShouldBe("EXDEV");
        _tree.RemoveDirectory("/a/b").ShouldBe(Errno.EBUSY);
        _tree.Mounts.Report(_tree.Root).ConvertAll(each => each.MountPoint).ShouldBe(["/", "/a/b"]);

        VfsPath inside = _tree.Find("/a/b/inner");
        mount.Reference();
        _tree.Mounts.Detach(mount, isLazy: false).ShouldBe(Errno.EBUSY);
        inside.Unreference();
    }

    [Fact]
    public void Unused_mount_can_be_taken_away()
    {
        Tree other = new();
        Mount mount = new(other.FileSystem, MountFlags.None, "other");
        VfsPath place = _tree.Find("/a/b");
        _tree.Mounts.Attach(mount, place).ShouldBe(Errno.None);
        place.Unreference();
        mount.Reference();
        _tree.Mounts.Detach(mount, isLazy: false).ShouldBe(Errno.None);
        mount.Unreference();
        _tree.Where("/a/b/file").ShouldBe("/a/b/file");
        _tree.Find("/a/b").Dentry!.MountCount.ShouldBe(0);
    }

    [Fact]
    public void Pivot_root_moves_the_old_root_away()
    {
        Tree other = new();
        other.MakeDirectory("/old").ShouldBe(Errno.None);
        Mount mount = new(other.FileSystem, MountFlags.None, "other");
        VfsPath place = _tree.Find("/a/b");
        _tree.Mounts.Attach(mount, place).ShouldBe(Errno.None);
        VfsPath newRoot = _tree.Find("/a/b");
        VfsPath putOld = _tree.Find("/a/b/old");
        _tree.Mounts.PivotRoot(_tree.Root, _tree.Root, putOld).ShouldBe(Errno.EBUSY);
        _tree.Mounts.PivotRoot(_tree.Root, newRoot, putOld).ShouldBe(Errno.None);
        _tree.Root = newRoot;
        _tree.Start = newRoot;
        _tree.Where("/old/a/link", WalkFlags.None).ShouldBe("/old/a/link");
        _tree.Where("/old/a/b").ShouldBe("/old/a/b");
        _tree.Mounts.Report(newRoot).ConvertAll(each => each.MountPoint).ShouldBe(["/old", "/"], ignoreOrder: true);
    }

    [Fact]
    public void Cloned_namespace_is_apart()
    {
        Tree other = new();
        FsContext fs = new(_tree.Root, _tree.Root, 0);
        VfsPath place = _tree.Find("/a/b");
        _tree.Mounts.Attach(new Mount(other.FileSystem, MountFlags.None, "one"), place).ShouldBe(Errno.None);
        MountNamespace copy = _tree.Mounts.Clone(fs, UserNamespace.Initial);
        fs.Root.Mount.ShouldBe(copy.Root);
        copy.Report(fs.Root).Count.ShouldBe(2);
        VfsPath top = copy.GetTop(new VfsPath(copy.Root, place.Dentry));
        copy.Detach(top.Mount!, isLazy: true).ShouldBe(Errno.None);
        copy.Report(fs.Root).Count.ShouldBe(1);
        _tree.Mounts.Report(_tree.Root).Count.ShouldBe(2);
    }
}
