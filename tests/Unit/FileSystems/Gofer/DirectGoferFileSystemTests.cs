// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Gofer;

namespace CVisor.FileSystems.Tests;

/// <summary>The same, where the tree was handed over (<c>--directfs</c>), and what is different then.</summary>
public sealed class DirectGoferFileSystemTests : GoferFileSystemTests
{
    /// <inheritdoc/>
    protected override bool IsDirect => true;

    private static OperationContext Kernel => OperationContext.Kernel;

    [Fact]
    public void AFileThatLosesItsNameKeepsItsInode()
    {
        using GoferMount mount = new(isDirect: true, populate: tree => File.WriteAllText(Path.Combine(tree, "f"), "text"));
        Inode file = mount.Root.Find("f");
        mount.Root.Find("f").ShouldBeSameAs(file); // a second user, as an open file beside its dentry
        mount.Root.Unlink(Kernel, "f", file).ShouldBe(Errno.None);
        mount.Root.TryFind("f").ShouldBe(Errno.ENOENT);
        file.SetAttributes(Kernel, new AttributeChange { Mask = AttributeMask.Mode, Mode = 0x180 }).ShouldBe(Errno.None);
        (file.Stat().Mode & 0xfff).ShouldBe(0x180u);
        file.Stat().LinkCount.ShouldBe(0u);
        file.Open(OpenFlags.ReadOnly).ReadAll().ShouldBe("text");
    }

    [Fact]
    public void ARenamedFileIsFoundWhereItWent()
    {
        using GoferMount mount = new(isDirect: true, populate: tree =>
        {
            Directory.CreateDirectory(Path.Combine(tree, "a"));
            Directory.CreateDirectory(Path.Combine(tree, "b"));
            File.WriteAllText(Path.Combine(tree, "a/f"), "first");
            File.WriteAllText(Path.Combine(tree, "b/g"), "second");
        });
        Inode a = mount.Root.Find("a"), b = mount.Root.Find("b"), f = a.Find("f"), g = b.Find("g");
        a.Rename(Kernel, "f", f, b, "f", null, 0).ShouldBe(Errno.None);
        f.Open(OpenFlags.ReadOnly).ReadAll().ShouldBe("first");
        const uint Exchange = 2;
        b.Rename(Kernel, "f", f, b, "g", g, Exchange).ShouldBe(Errno.None);
        b.Find("f").Open(OpenFlags.ReadOnly).ReadAll().ShouldBe("second");
        b.Find("g").ShouldBeSameAs(f);
        mount.Root.Rename(Kernel, "b", b, mount.Root, "c", null, 0).ShouldBe(Errno.None);
        g.Open(OpenFlags.ReadWrite).ReadAll().ShouldBe("second"); // by way of a fid, which is asked for only now
        a.Rename(Kernel, "none", g, b, "x", null, 0).ShouldBe(Errno.ENOENT);
    }

    [Fact]
    public void AnotherFileOfTheSameNameIsNotTakenForIt()
    {
        using GoferMount mount = new(GoferSharing.Shared, isDirect: true, populate: tree =>
        {
            File.WriteAllText(Path.Combine(tree, "f"), "old");
            File.WriteAllText(Path.Combine(tree, "new"), "new");
        });
        Inode file = mount.Root.Find("f");
        File.Move(mount.PathOf("new"), mount.PathOf("f"), overwrite: true);
        file.TryOpen(OpenFlags.ReadOnly).ShouldBe(Errno.ESTALE);
        file.TryOpen(OpenFlags.ReadWrite).ShouldBe(Errno.ESTALE);
        file.GetAttributes(out _).ShouldBe(Errno.ESTALE);
        mount.Root.Find("f").Open(OpenFlags.ReadOnly).ReadAll().ShouldBe("new");
    }

    [Fact]
    public void ALinkPutInAPlaceLeadsNowhere()
    {
        string outside = Directory.CreateTempSubdirectory("outside").FullName;
        File.WriteAllText(outside + "/f", "secret");
        using GoferMount mount = new(GoferSharing.Exclusive, isDirect: true, populate: tree =>
        {
            Directory.CreateDirectory(Path.Combine(tree, "d"));
            File.WriteAllText(Path.Combine(tree, "d/f"), "mine");
            File.WriteAllText(Path.Combine(tree, "f"), "mine");
        });
        Inode directory = mount.Root.Find("d"), file = mount.Root.Find("f");
        Directory.Delete(mount.PathOf("d"), recursive: true);
        File.Delete(mount.PathOf("f"));
        Directory.CreateSymbolicLink(mount.PathOf("d"), outside);
        File.CreateSymbolicLink(mount.PathOf("f"), outside + "/f");
        directory.TryFind("f").ShouldBe(Errno.ESTALE);
        file.TryOpen(OpenFlags.ReadOnly).ShouldBe(Errno.ESTALE);
        mount.Root.TryFind("..").ShouldNotBe(Errno.None);
        mount.Root.TryFind("d/f").ShouldNotBe(Errno.None);
        Directory.Delete(outside, recursive: true);
    }

    [Fact]
    public void ADirectoryStaysItselfWhereverTheHostMovesIt()
    {
        using GoferMount mount = new(GoferSharing.Shared, isDirect: true, populate: tree =>
        {
            Directory.CreateDirectory(Path.Combine(tree, "d"));
            File.WriteAllText(Path.Combine(tree, "d/f"), "text");
        });
        Inode directory = mount.Root.Find("d");
        Directory.Move(mount.PathOf("d"), mount.PathOf("e"));
        directory.Find("f").Open(OpenFlags.ReadOnly).ReadAll().ShouldBe("text");
        directory.List().ShouldContain("f");
    }

    [Fact]
    public void NoDescriptorIsLeftBehind()
    {
        int before = Directory.GetFiles("/proc/self/fd").Length;
        for (int i = 0; i < 5; i++)
        {
            using GoferMount mount = new(isDirect: true, populate: tree =>
            {
                for (int d = 0; d < 30; d++)
                {
                    Directory.CreateDirectory(Path.Combine(tree, "d" + d));
                    File.WriteAllText(Path.Combine(tree, $"d{d}/f"), "text");
                }
            });
            for (int d = 0; d < 30; d++)
            {
                Inode file = mount.Root.Find($"d{d}/f");
                FileDescription open = file.Open(OpenFlags.ReadOnly);
                open.ReadAll().ShouldBe("text");
                open.Unreference();
            }
        }

        (Directory.GetFiles("/proc/self/fd").Length - before).ShouldBeLessThan(30); // other tests of the process have some open meanwhile
    }
}
