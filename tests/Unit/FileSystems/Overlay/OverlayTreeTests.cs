// SPDX-License-Identifier: Apache-2.0
using System.Text;
using CVisor.Abi;
using CVisor.Core.Memory;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Gofer;
using CVisor.FileSystems.Overlay;
using CVisor.FileSystems.Tmpfs;
using Task = System.Threading.Tasks.Task;

namespace CVisor.FileSystems.Tests;

/// <summary>A whole root as a sandbox has it (gofer below, tmpfs above), used through paths; and a gofer alone that may be written.</summary>
public sealed class OverlayTreeTests
{
    private static readonly Lazy<SandboxMemory> s_memory = new(() => SandboxMemory.Create(1UL << 32));

    public static TheoryData<string> Kinds => ["overlay", "gofer", "shared"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void ProgramsFindTheirWay(string kind)
    {
        using TreeOfKind tree = new(kind);
        tree.Read("etc/passwd").ShouldBe("root");
        tree.Read("/link/passwd").ShouldBe("root");
        tree.Stat("none").ShouldBe(Errno.ENOENT);
        tree.Stat("none").ShouldBe(Errno.ENOENT);
        tree.Write("none", "now there").ShouldBe(Errno.None);
        tree.Read("none").ShouldBe("now there");
        tree.MakeDirectory("/etc/new").ShouldBe(Errno.None);
        tree.Write("/etc/new/file", "1").ShouldBe(Errno.None);
        tree.Rename("/etc", "/conf").ShouldBe(Errno.None);
        tree.Stat("/etc/passwd").ShouldBe(Errno.ENOENT);
        tree.Read("/conf/new/file").ShouldBe("1");
        tree.Read("/conf/passwd").ShouldBe("root");
        tree.Link("/conf/passwd", "/pw").ShouldBe(Errno.None);
        tree.Write("/pw", "root!", OpenFlags.Append).ShouldBe(Errno.None);
        tree.Read("/conf/passwd").ShouldBe("rootroot!");
        tree.Unlink("/conf/passwd").ShouldBe(Errno.None);
        tree.Read("/pw").ShouldBe("rootroot!");
        tree.RemoveDirectory("/conf").ShouldBe(Errno.ENOTEMPTY);
        tree.Unlink("/conf/new/file").ShouldBe(Errno.None);
        tree.RemoveDirectory("/conf/new").ShouldBe(Errno.None);
        tree.RemoveDirectory("/conf").ShouldBe(Errno.None);
        tree.List("/").Order(StringComparer.Ordinal).ShouldBe([".", "..", "big", "link", "none", "pw"]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void AFileLivesWhileItIsOpen(string kind)
    {
        using TreeOfKind tree = new(kind);
        FileDescription open = tree.Open("/etc/passwd", OpenFlags.ReadWrite);
        tree.Unlink("/etc/passwd").ShouldBe(Errno.None);
        tree.Stat("/etc/passwd").ShouldBe(Errno.ENOENT);
        open.Put("ROOT").Count.ShouldBe(4);
        open.Seek(0, 0).Count.ShouldBe(0);
        open.ReadAll().ShouldBe("ROOT");
        open.Inode!.Stat().LinkCount.ShouldBe(0u);
        tree.Write("/etc/passwd", "other").ShouldBe(Errno.None);
        open.Seek(0, 0).Count.ShouldBe(0);
        open.ReadAll().ShouldBe("ROOT");
        open.Unreference();
        tree.Read("/etc/passwd").ShouldBe("other");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void LargeFilesAreCopiedAndMapped(string kind)
    {
        using TreeOfKind tree = new(kind);
        FileDescription reader = tree.Open("/big", OpenFlags.ReadOnly);
        MapRequest request = new() { Length = 4096, IsShared = true };
        reader.ConfigureMap(null, ref request).ShouldBe(Errno.None);
        MemorySource source = request.Source!;
        source.Reference();
        source.GetMemory(4096, 4096, write: false, out MemoryExtent before).ShouldBe(Errno.None);
        FileDescription writer = tree.Open("/big", OpenFlags.ReadWrite);
        IoBuffer io = new(Encoding.ASCII.GetBytes("changed").AsMemory());
        writer.WriteAt(null, ref io, 4096).Count.ShouldBe(7);
        source.GetMemory(4096, 4096, write: false, out MemoryExtent after).ShouldBe(Errno.None);
        (kind == "overlay" && after.File == before.File).ShouldBeFalse();
        before.File.Unreference(before.Offset, before.Length);
        after.File.Unreference(after.Offset, after.Length);
        string all = reader.ReadAll();
        all.Length.ShouldBe(3_000_000);
        all[4096..4103].ShouldBe("changed");
        all[^1].ShouldBe('b');
        VirtualFileSystem.Truncate(OperationContext.Kernel, tree.Find("/big"), 4100).ShouldBe(Errno.None);
        source.GetMemory(8192, 4096, write: false, out _).ShouldBe(Errno.ENXIO);
        source.Unreference();
        reader.Unreference();
        writer.Unreference();
        File.ReadAllText(tree.Lower.PathOf("big")).Contains("chan", StringComparison.Ordinal).ShouldBe(kind != "overlay");
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void AttributesOfAllKinds(string kind)
    {
        using TreeOfKind tree = new(kind);
        VfsPath file = tree.Find("/etc/passwd");
        VirtualFileSystem.SetMode(OperationContext.Kernel, file, 0x1c0).ShouldBe(Errno.None);
        (file.Inode.Stat().Mode & 0xfff).ShouldBe(0x1c0u);
        ulong number = file.Inode.Stat().Inode;
        file.Inode.SetExtendedAttribute(OperationContext.Kernel, "user.note", "n"u8, 0).ShouldBe(Errno.None);
        file.Inode.GetExtendedAttribute(OperationContext.Kernel, "user.note", out byte[] value).ShouldBe(Errno.None);
        value.ShouldBe([(byte)'n']);
        tree.Rename("/etc/passwd", "/etc/moved").ShouldBe(Errno.None);
        tree.Find("/etc/moved").Inode.Stat().Inode.ShouldBe(number);
        tree.Find("/etc").Inode.Stat().Device.ShouldBe(tree.Find("/etc/moved").Inode.Stat().Device);
    }

    [Fact]
    public void CreatingAndRemovingManyFilesLeavesNothing()
    {
        using TreeOfKind tree = new("overlay");
        tree.Write("/etc/warm", "").ShouldBe(Errno.None);
        tree.Unlink("/etc/warm").ShouldBe(Errno.None);
        long before = s_memory.Value.UsedBytes;
        for (int i = 0; i < 300; i++)
        {
            tree.Write("/etc/file" + i, new string('x', 10_000)).ShouldBe(Errno.None);
        }

        for (int i = 0; i < 300; i++)
        {
            tree.Unlink("/etc/file" + i).ShouldBe(Errno.None);
        }

        s_memory.Value.UsedBytes.ShouldBe(before);
    }

    [Fact]
    public async Task ManyThreadsUseOneTree()
    {
        using TreeOfKind tree = new("overlay");
        await Task.WhenAll(Enumerable.Range(0, 6).Select(worker => Task.Factory.StartNew(
            () =>
            {
                for (int i = 0; i < 300; i++)
                {
                    string name = $"/etc/{worker}-{i % 5}";
                    tree.Write(name, "text").ShouldBe(Errno.None);
                    tree.Read(name).ShouldBe("text");
                    tree.Read("/etc/passwd").ShouldBe("root");
                    tree.Rename(name, name + "x").ShouldBe(Errno.None);
                    tree.Link(name + "x", name + "y").ShouldBe(Errno.None);
                    tree.Unlink(name + "x").ShouldBe(Errno.None);
                    tree.Unlink(name + "y").ShouldBe(Errno.None);
                    _ = tree.List("/etc");
                }
            },
            TaskCreationOptions.LongRunning)));
        tree.List("/etc").Count.ShouldBe(3);
    }

    private sealed class TreeOfKind : IDisposable
    {
        private readonly VfsPath _root;

        public TreeOfKind(string kind)
        {
            Lower = new GoferMount(kind == "shared" ? GoferSharing.Shared : GoferSharing.Exclusive, readOnly: kind == "overlay", populate: Populate);
            FileSystem shown = kind == "overlay"
                ? new OverlayFileSystem(Lower.FileSystem, new TmpfsFileSystem(s_memory.Value, new TmpfsOptions()))
                : Lower.FileSystem;
            _root = new MountNamespace(new Mount(shown, MountFlags.None, "none")).Root.RootPath;
        }

        public GoferMount Lower { get; }

        private static OperationContext Kernel => OperationContext.Kernel;

        public VfsPath Find(string path)
        {
            VirtualFileSystem.Resolve(Kernel, _root, _root, path, WalkFlags.FollowLast, out VfsPath place).ShouldBe(Errno.None, path);
            return place;
        }

        public Errno Stat(string path)
        {
            Errno error = VirtualFileSystem.Resolve(Kernel, _root, _root, path, WalkFlags.FollowLast, out VfsPath place);
            place.Unreference();
            return error;
        }

        public FileDescription Open(string path, OpenFlags flags)
        {
            OpenResult result = VirtualFileSystem.Open(Kernel, _root, _root, path, flags, 0x1a4).Take();
            result.Error.ShouldBe(Errno.None, path);
            return result.Description!;
        }

        public string Read(string path)
        {
            FileDescription open = Open(path, OpenFlags.ReadOnly);
            string text = open.ReadAll();
            open.Unreference();
            return text;
        }

        public Errno Write(string path, string text, OpenFlags how = OpenFlags.Truncate)
        {
            OpenResult result = VirtualFileSystem.Open(Kernel, _root, _root, path, OpenFlags.WriteOnly | OpenFlags.Create | how, 0x1a4).Take();
            if (result.Description is { } open)
            {
                open.Put(text).Count.ShouldBe(text.Length);
                open.Unreference();
            }

            return result.Error;
        }

        public List<string> List(string path)
        {
            VfsPath place = Find(path);
            List<string> names = place.Inode.List();
            place.Unreference();
            return names;
        }

        public Errno MakeDirectory(string path) => VirtualFileSystem.MakeDirectory(Kernel, _root, _root, path, 0x1ed);

        public Errno Rename(string from, string to) => VirtualFileSystem.Rename(Kernel, _root, _root, from, _root, to, RenameFlags.None);

        public Errno Unlink(string path) => VirtualFileSystem.Unlink(Kernel, _root, _root, path);

        public Errno RemoveDirectory(string path) => VirtualFileSystem.RemoveDirectory(Kernel, _root, _root, path);

        public Errno Link(string from, string to)
        {
            VfsPath existing = Find(from);
            Errno error = VirtualFileSystem.Link(Kernel, existing, _root, _root, to);
            existing.Unreference();
            return error;
        }

        public void Dispose() => Lower.Dispose();

        private static void Populate(string tree)
        {
            Directory.CreateDirectory(Path.Combine(tree, "etc"));
            File.WriteAllText(Path.Combine(tree, "etc/passwd"), "root");
            File.WriteAllText(Path.Combine(tree, "big"), new string('b', 3_000_000));
            File.CreateSymbolicLink(Path.Combine(tree, "link"), "etc");
        }
    }
}
